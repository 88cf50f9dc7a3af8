import { describe, expect, test } from 'vitest';
import { unreadLines } from '../../../components/deciding/obstacles.js';
import { headerLines } from '../../../components/screen/header.js';
import { isTooSmall } from '../../../components/state/console-state.js';
import { lineWidth } from '../../../components/text/line.js';
import type { Digest } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { earlier, failover, flood, hostile, migration, pending } from '../sample-queue.js';
import { NOW } from '../sample-requests.js';
import { lineText, screenLines } from './whole-screen.js';

const SIZES = [
  { columns: 160, rows: 50 },
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
  { columns: 45, rows: 30 },
  { columns: 40, rows: 10 },
  { columns: 39, rows: 9 },
] as const;

describe.each(SIZES)('on a terminal of $columns x $rows', ({ columns, rows }) => {
  const driver = (requests = [...pending, ...earlier]) => new ConsoleDriver(requests, { columns, rows });
  const golden = ({ state }: ConsoleDriver, name: string) => {
    const lines = screenLines(state);
    for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines.length).toBe(isTooSmall(state) ? 1 : rows);
    // The names of the screens and of the keys are no matter of sizes, and change with every new one.
    const shown = lines.map(lineText).filter((line, row) => row < rows - 1 && !line.includes('1 Queue'));
    return expect(`${shown.join('\n')}\n`).toMatchFileSnapshot(
      `../golden/sizes/${name}-${columns}x${rows}.txt`,
    );
  };
  /** Page by page to the end, as somebody who reads. */
  const read = (reader: ConsoleDriver): ConsoleDriver => {
    for (let page = 0; unreadLines(reader.state) > 0 && page < 200; page += 1) reader.press(' ');
    return reader;
  };

  test('nobody waits', () => golden(driver([]), 'empty'));

  test('the queue', () => golden(driver(), 'queue'));

  test('a request', () => golden(driver().press('enter'), 'detail'));

  test('a request that was read, and the step before it is signed', async () => {
    const reader = driver([failover]).press('enter');
    await golden(read(reader), 'read');
    await golden(reader.press('a'), 'confirm');
    await golden(reader.press('right'), 'confirm-sign');
  });

  test('a grant is chosen', () =>
    golden(read(driver([migration]).press('enter')).press('a', 'tab', 'tab', ' '), 'confirm-grant'));

  test('a denial with a comment', () =>
    golden(driver([failover]).press('d', 'c', ...'not tonight: ask erin again'), 'confirm-comment'));

  test('a link that is gone', () =>
    golden(
      driver().setLink({
        state: 'stale',
        since: NOW - 40_000,
        retryAt: NOW + 8000,
        reason: 'the broker closed the connection',
      }),
      'stale',
    ));

  test('a broker that refuses', () =>
    golden(
      driver().setLink({
        state: 'refused',
        reason: 'the key of bob is not enrolled any more',
        hint: 'ask another approver to enrol it: countersign roster add',
      }),
      'refused',
    ));

  test('a document that is not the one of its digest', () =>
    golden(
      driver([{ ...failover, digest: `sha256:${'ab'.repeat(32)}` as Digest }]).press('enter'),
      'mismatch',
    ));

  test('hostile text', async () => {
    await golden(driver([hostile]), 'hostile-row');
    await golden(driver([hostile]).press('enter', ' '), 'hostile');
  });

  test('a flood', () => golden(driver([...flood, ...pending]).press('j', 'j', 'j'), 'flood'));

  test('the help', () => {
    const lines = screenLines(driver().press('?').state);
    for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(columns);
    if (rows > 9) expect(lines.map(lineText).join('\n')).toContain('next row, next line');
  });

  test('the keys that decide are named before those that only move', () => {
    const keys = lineText(screenLines(driver().state).at(-1) ?? []);
    if (rows > 9) for (const hint of ['approve', 'deny', 'help']) expect(keys).toContain(hint);
  });

  test('the screens are named by their keys at least', () => {
    const tabs = lineText(headerLines(driver().state)[1] ?? []);
    if (rows > 9) expect(tabs).toMatch(/1 Queue.* 2.* 6/);
  });

  test('what is signed, and for whom, is seen whole before Sign takes a key (A34)', () => {
    const reader = read(driver([migration]).press('enter')).press('a', 'right');
    const shown = screenLines(reader.state).map(lineText).join(' ');
    if (rows > 9) expect(shown).toMatch(/db\.migrate on +orders@production.*frank.*Sign approval/);
    reader.press('enter');
    expect(reader.decisions).toHaveLength(rows > 9 ? 1 : 0);
  });
});
