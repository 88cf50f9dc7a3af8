import { describe, expect, test } from 'vitest';
import {
  beginTranscript,
  continueTranscript,
  type Transcript,
  writtenLine,
} from '../../../components/spoken/transcript.js';
import type { Line } from '../../../components/text/line.js';
import { UNBROKEN } from '../../../components/text/unbroken.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { ConsoleDriver } from '../console-driver.js';
import { sampleRequest } from '../sample-requests.js';

const textOf = (line: Line): string => line.map(({ text }) => text).join('');
const ask = sampleRequest();
const other = sampleRequest({
  n: 2,
  age: 60,
  document: { requester: 'erin', resource: 'db-2.example.com' },
});
const many = Array.from({ length: 30 }, (_, n) =>
  sampleRequest({ n: n + 1, age: 100 - n, document: { resource: `web-${n}` } }),
);

/** A console that is read out: what is said of some keys, and the field that stands below it. */
function listener(requests: readonly RequestView[]) {
  const driver = new ConsoleDriver(requests, { columns: UNBROKEN, rows: 24 });
  let transcript: Transcript = beginTranscript(driver.state);
  const press = (...keys: readonly string[]): readonly string[] =>
    keys.flatMap((key) => {
      const said: Line[] = [];
      const hear = (): void => {
        if (transcript.state === driver.state) return;
        transcript = continueTranscript(transcript, driver.state);
        said.push(...transcript.lines);
      };
      driver.type(key);
      hear();
      driver.paint();
      hear();
      driver.wait(1000);
      hear();
      return said.map(textOf);
    });
  const written = (): string | null => {
    const line = writtenLine(driver.state);
    return line === null ? null : textOf(line);
  };
  return { driver, press, written };
}

describe('the palette, read out', () => {
  test('says what it would act on, what there is, and at which the cursor is', () => {
    const { press, written } = listener([ask, other]);
    const said = press(':');
    expect(said.slice(0, 3)).toEqual([
      'Palette',
      'for ssh.login on web-1.example.com, asked by alice',
      'Cursor on: open, Enter, read all of the request, person or submitter',
    ]);
    expect(said).toContain('deny, d, deny: opens the request, then confirm');
    expect([said.at(-1), written()]).toEqual(['Keys: Enter run, ↓ Tab choose, Esc back', ': ▏']);
  });

  test('says what Enter would run whenever that is another entry, and that nothing fits', () => {
    const { press, written } = listener([ask, other]);
    press(':');
    expect(press('d')).toEqual(['deny, d, deny: opens the request, then confirm']);
    expect(press('e')).toEqual([]);
    expect(press('down')).toEqual(['deny fraud, f, deny as fraud: locks the requester until unlocked']);
    expect(written()).toBe(': de▏');
    expect(press('q')[0]).toMatch(/^✗ Nothing here has that name\./);
    expect(press('backspace')).toContainEqual(
      expect.stringMatching(/^Cursor on: deny, d, deny: opens the request/),
    );
    expect(press('escape')).toContain('Row 1 of 2: ssh.login on web-1.example.com for alice');
  });
});

describe('the line of a filter, read out', () => {
  test('stands below all that was said while it is written, over the queue and over the history', () => {
    for (const way of [[], ['2']]) {
      const { press, written } = listener([ask, other]);
      press(...way);
      expect(press('/')).toContainEqual(expect.stringMatching(/^person: requester: .* or a word$/));
      expect(written()).toBe('Filter, ▏');
      expect(press(...'requester:')).toEqual(['who asked: requester:alice,ci-*']);
      expect(written()).toBe('Filter, requester:▏');
    }
  });

  test('is said as it stands once it is left, with how many it hides and the row that is left', () => {
    const { press, written } = listener([ask, other]);
    const said = press('/', ...'requester:erin', 'enter');
    expect(said).toContain('Filter, requester:erin, 1 of 2 pending hidden');
    expect(said).toContain('Row 1 of 1: ssh.login on db-2.example.com for erin');
    expect(written()).toBeNull();
  });

  test('says why it is refused, and what to write', () => {
    for (const way of [[], ['2']]) {
      const { press, written } = listener([ask, other]);
      const [refusal, hint] = press(...way, '/', ...'x:y', 'enter').slice(-2);
      expect([refusal, hint]).toEqual(['✗ "x:y": there is no key x', expect.stringMatching(/^use person: /)]);
      expect(written()).toBe('Filter, x:y▏');
    }
  });
});

describe('denying many, read out', () => {
  test('says page by page what was not said before, how many are left, and where the focus is', () => {
    const { press } = listener(many);
    const opened = press('D');
    expect(opened).toContain('Not yet: 17 more to be looked at: Space goes on.');
    const pages = [press(' '), press(' ')];
    const listed = [opened, ...pages].map((said) => said.filter((line) => line.includes('ssh.login, web-')));
    expect(listed.map(({ length }) => length)).toEqual([13, 13, 4]);
    expect(new Set(listed.flat().map((line) => /web-\d+/.exec(line)?.[0])).size).toBe(30);
    expect(pages[1]).toContain('Not yet: type how many these are.');
    expect(pages[1]?.at(-1)).toBe('focus on Cancel, button Sign 30 denials, Enter cancels');
  });

  test('says the field that is written, and what Enter does with it', () => {
    const { driver, press, written } = listener(many);
    press('D', ' ', ' ');
    expect(press('tab').at(-1)).toBe('button Cancel, focus on Sign 30 denials, this cannot be signed');
    expect(press('tab')).toContain('button Cancel, button Sign 30 denials, Enter ends the number');
    press('3', '0');
    expect(written()).toBe('how many, 30▏');
    expect(press('enter')).toContain('how many, 30');
    expect(driver.effects.filter(({ type }) => type === 'denyAll')).toEqual([]);
  });
});

test('Space pages through the queue read out: the row that it comes to, and its place among all', () => {
  const { press } = listener(many);
  expect(press(' ')[0]).toBe('Row 10 of 30: ssh.login on web-9 for alice');
  expect(press(' ')[0]).toBe('Row 19 of 30: ssh.login on web-18 for alice');
  expect(press('pageUp')[0]).toBe('Row 10 of 30: ssh.login on web-9 for alice');
});
