import { describe, expect, onTestFinished, test } from 'vitest';
import { otherReaders, readersByRow, readingLine, readingNote } from '../../../components/queue/readers.js';
import { rowColumns, rowLines } from '../../../components/queue/row-lines.js';
import { headerLines } from '../../../components/screen/header.js';
import { lineWidth } from '../../../components/text/line.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';
import { TerminalScreen } from '../terminal-screen.js';

const names = (...given: readonly string[]) => given as Name[];
const text = (line: ReturnType<typeof readingLine>): string => line.map((part) => part.text).join('');
const shown = ({ effects }: ConsoleDriver) =>
  effects.flatMap((effect) => (effect.type === 'showReading' ? [effect.id] : []));

const SIZES = [
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
] as const;
const first = sampleRequest({ n: 1, age: 130 });
const equal = sampleRequest({ n: 2, age: 100 });
const approved = sampleRequest({
  n: 3,
  age: 400,
  state: 'approved',
  claimBy: NOW + 90_000,
  document: { requester: 'erin', resource: 'web-2.example.com' },
});
const other = sampleRequest({
  n: 4,
  age: 70,
  document: {
    requester: 'dave',
    resource: 'db-1.example.com',
    door: `host:${'db-1.'.repeat(11)}example.com`,
  },
});

describe('what the others are told', () => {
  test('is the request that is open, from the moment it opens until it is left', () => {
    const driver = new ConsoleDriver([first, other]);
    expect(shown(driver)).toEqual([]);
    driver.press('enter', ' ', '?', 'escape');
    expect(shown(driver)).toEqual([first.id]);
    driver.press('escape', 'j', 'enter');
    expect(shown(driver)).toEqual([first.id, null, other.id]);
  });

  test('ends with the decision', () => {
    const driver = new ConsoleDriver([first, other]).press('d', 'tab', 'enter').finish({ type: 'decided' });
    expect(shown(driver)).toEqual([first.id, null]);
  });

  test('reaches the broker', async () => {
    const connection = new InMemoryQueue([first]);
    const screen = new TerminalScreen(connection, SIZES[1]);
    onTestFinished(() => screen.leave());
    await screen.waitForContent('● live');
    await screen.openFirstRow();
    screen.press('Escape');
    await screen.waitForContent('Time left');
    expect(connection.shown).toEqual([first.id, null]);
  });
});

describe('who reads a request', () => {
  const reading = (...entries: readonly (readonly [RequestId, readonly Name[]])[]) =>
    new ConsoleDriver([first, equal, other, approved]).setReading(new Map(entries));

  test('is everybody but oneself', () => {
    const { state } = reading([first.id, names('bob', 'carol')], [other.id, names('bob')]);
    expect(otherReaders(state, first.id)).toEqual(['carol']);
    expect(otherReaders(state, other.id)).toEqual([]);
    expect(readersByRow(state).size).toBe(1);
  });

  test('is said once of a row of equal asks, whichever of them is open', () => {
    const { state } = reading([first.id, names('carol', 'dave')], [equal.id, names('carol', 'erin')]);
    expect([...readersByRow(state).values()]).toEqual([['carol', 'dave', 'erin']]);
  });

  test('is not known while the picture is old, nor of a request that is not here (A28)', () => {
    const driver = reading([first.id, names('carol')], [sampleId(99), names('carol')]);
    expect(readersByRow(driver.state).size).toBe(1);
    driver.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' });
    expect(otherReaders(driver.state, first.id)).toEqual([]);
    expect(readersByRow(driver.state).size).toBe(0);
  });

  test.each([
    [[], '', ''],
    [['carol'], 'carol reading', 'carol is reading this'],
    [['carol', 'dave'], 'carol +1 reading', 'carol and dave are reading this'],
    [['carol', 'dave', 'erin'], 'carol +2 reading', 'carol, dave and erin are reading this'],
    [['carol', 'dave', 'erin', 'gina'], 'carol +3 reading', 'carol, dave and 2 more are reading this'],
    [
      ['x'.repeat(128), 'y'.repeat(128)],
      `${'x'.repeat(23)}… +1 reading`,
      `${'x'.repeat(23)}… and ${'y'.repeat(23)}… are reading this`,
    ],
  ])('is said of %j in a few words', (who, note, line) => {
    expect(text(readingNote(names(...who)))).toBe(note);
    expect(text(readingLine(names(...who)))).toBe(line);
  });

  test.each([60, 80, 112, 200])('moves nothing in a row of %d columns, and stands at its end', (width) => {
    const { state } = reading();
    const columns = rowColumns(width);
    const frame = { columns, approver: 'bob', now: NOW, selected: null };
    for (const row of state.rows.rows) {
      const [above, below] = rowLines(row, [], frame);
      const [aboveRead, belowRead] = rowLines(row, names('carol'), frame);
      expect(aboveRead).toEqual(above);
      expect(text(belowRead)).toMatch(/ {2}carol reading *$/);
      const stays = text(belowRead).replace(/…? {2,}carol reading *$/, '');
      expect(text(below).startsWith(stays)).toBe(true);
      expect(lineWidth(belowRead)).toBeLessThanOrEqual(width);
    }
  });

  test('is cut where the terminal is too narrow for it', () => {
    const long = ['x', 'y', 'z'].map((letter) => letter.repeat(128));
    const driver = new ConsoleDriver([first], { columns: 60, rows: 15 }).press('enter');
    driver.setReading(new Map([[first.id, names(...long)]]));
    for (const line of headerLines(driver.state)) expect(lineWidth(line)).toBe(60);
    expect(text(headerLines(driver.state)[1] ?? [])).toMatch(/^── x+…, y+….* ──$/);
  });

  test('leaves the selection, the notice and what was read where they were', () => {
    const driver = new ConsoleDriver([first, other], { rows: 18 }).press('j', 'enter', ' ');
    const { selected, opened, focus } = driver.state;
    driver.setReading(new Map([[other.id, names('carol')]])).paint();
    expect(driver.state).toMatchObject({ selected, opened, focus });
  });
});

describe.each(SIZES)('on a terminal of $columns x $rows', (size) => {
  test('a row and a request that others read', async () => {
    const connection = new InMemoryQueue([first, equal, other, approved]);
    const screen = new TerminalScreen(connection, size);
    onTestFinished(() => screen.leave());
    const golden = (name: string) =>
      expect(`${screen.text()}\n`).toMatchFileSnapshot(`../golden/${name}-${size.columns}x${size.rows}.txt`);
    await screen.waitForContent('● live');
    connection.setReading(
      new Map([
        [first.id, names('carol', 'dave')],
        [other.id, names('bob', 'carol')],
        [approved.id, names('erin')],
      ]),
    );
    await screen.waitForContent('carol +1 reading');
    await golden('reading-row');
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.waitForContent('carol and dave are reading this');
    if (size.columns >= 80) await screen.waitForContent(/more lines? to read|a approves/);
    await golden('reading');
    connection.setReading(new Map());
    await screen.waitForContentToGo('reading this');
  });
});
