import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestDocument } from '../../../components/detail/request-document.js';
import { panesOf } from '../../../components/screen/panes.js';
import {
  beginTranscript,
  continueTranscript,
  repeatTranscript,
  type Transcript,
} from '../../../components/spoken/transcript.js';
import type { Line } from '../../../components/text/line.js';
import { UNBROKEN } from '../../../components/text/unbroken.js';
import type { Name } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { ConsoleDriver } from '../console-driver.js';
import { hostileText } from '../hostile-text.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

/** Acts on a terminal, or is not seen on it. */
const ACTS = /[\p{C}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Variation_Selector}\p{Zl}\p{Zp}]/u;
const textOf = (line: Line): string => line.map(({ text }) => text).join('');

/** A console that is read out, and all that it has said. */
class Listener {
  readonly driver: ConsoleDriver;
  readonly said: Line[] = [];
  #transcript: Transcript;

  constructor(requests: readonly RequestView[]) {
    this.driver = new ConsoleDriver(requests, { columns: UNBROKEN, rows: 24 });
    this.#transcript = beginTranscript(this.driver.state);
    this.said.push(...this.#transcript.lines);
  }

  /** What is said of a change: as in the console, before anything is painted. */
  after(change: (driver: ConsoleDriver) => unknown): string[] {
    const before = this.said.length;
    const hear = (): void => {
      if (this.#transcript.state === this.driver.state) return;
      this.#transcript = continueTranscript(this.#transcript, this.driver.state);
      this.said.push(...this.#transcript.lines);
    };
    change(this.driver);
    hear();
    this.driver.paint();
    hear();
    this.driver.wait(1000);
    hear();
    return this.said.slice(before).map(textOf);
  }

  press(...keys: readonly string[]): string[] {
    return keys.flatMap((key) => this.after((driver) => driver.type(key)));
  }

  again(): string[] {
    return repeatTranscript(this.#transcript, this.driver.state).lines.map(textOf);
  }
}

const ask = sampleRequest();
const other = sampleRequest({
  n: 2,
  age: 60,
  document: { requester: 'erin', resource: 'db-2.example.com', details: { argv: ['id', 'id'] } },
});

describe('what is read out', () => {
  test('begins with whose console it is, what waits, and the row under the cursor, a fact a line', () => {
    const { said } = new Listener([ask, other]);
    const lines = said.map(textOf);
    expect(lines[0]).toContain('countersign, bob at https://broker.example.com');
    expect(lines).toContain('Row 1 of 2: ssh.login on web-1.example.com for alice');
    expect(lines).toContain('reason: INC-4312 restart nginx');
    expect(lines.filter((line) => /─|│| {2}/.test(line))).toEqual([]);
  });

  test('is the row that the cursor goes to, and nothing while clocks move', () => {
    const listener = new Listener([ask, other]);
    expect(listener.press('j')[0]).toBe('Row 2 of 2: ssh.login on db-2.example.com for erin');
    expect(listener.after((driver) => driver.wait(30_000))).toEqual([]);
  });

  test('is that little time is left for what one is at, once', () => {
    const listener = new Listener([ask, other]);
    expect(listener.after((driver) => driver.wait(100_000))).toEqual([]);
    expect(listener.after((driver) => driver.wait(30_000))).toEqual([
      'Less than a minute left: ssh.login on web-1.example.com for alice',
    ]);
    expect(listener.after((driver) => driver.wait(10_000))).toEqual([]);
  });

  test('is each new ask and each change, the first of many by name', () => {
    const listener = new Listener([ask]);
    expect(listener.after((driver) => driver.put(other))).toEqual([
      'New ask: ssh.login on db-2.example.com for erin',
      'Pending: 2',
    ]);
    const denied = { state: 'denied' as const, votes: [sampleVote({ verdict: 'deny' })], endedAt: NOW };
    expect(listener.after((driver) => driver.change(other.id, denied))).toEqual([
      'Changed: ssh.login on db-2.example.com for erin: denied by carol',
      'Pending: 1',
    ]);
    const flood = Array.from({ length: 9 }, (_, n) => sampleRequest({ n: n + 10, age: 1 }));
    expect(listener.after((driver) => driver.put(...flood)).slice(-2)).toEqual(['and 4 more', 'Pending: 10']);
  });

  test('is a lost link and its banner, once (A28)', () => {
    const listener = new Listener([ask]);
    const stale = { state: 'stale' as const, since: NOW, retryAt: null, reason: 'it hung up' };
    const said = listener.after((driver) => driver.setLink(stale));
    expect(said[0]).toBe('Link: not connected');
    expect(said[1]).toContain('it hung up. You see the past; decisions are off.');
    expect(listener.after((driver) => driver.wait(5000))).toEqual([]);
    expect(listener.after((driver) => driver.setLink({ state: 'live' }))[0]).toBe('Link: live');
  });

  test('is every request that one count would deny, those too that differ in a number alone', () => {
    const asks = Array.from({ length: 30 }, (_, n) =>
      sampleRequest({ n: n + 1, document: { resource: `web-${n}`, context: { reason: `${n}m` } } }),
    );
    const listener = new Listener(asks);
    const said = [...listener.press('D'), ...listener.press(' ', ' ', ' ', ' ')].join('\n');
    for (const [n] of asks.entries()) expect(said).toContain(`web-${n},`);
    expect(said).toContain('focus on Cancel');
  });

  test('can be heard again, all of what would be on the screen', () => {
    const listener = new Listener([ask]);
    const opened = listener.press('enter');
    const repeated = listener.again();
    expect(repeated).toEqual(
      expect.arrayContaining(opened.filter((line) => !/more lines|^Keys: /.test(line))),
    );
  });

  test('names in quotes what could pass for another fact or for a section (A1)', () => {
    const details = { 'user: root': 'bob', 'Section Proof': 'all fine', plain: 'x' };
    const said = new Listener([sampleRequest({ document: { details } })]).press('enter');
    expect(said).toContain('"user: root": bob');
    expect(said).toContain('"Section Proof": all fine');
    expect(said).toContain('plain: x');
  });

  test('is one thing at a time, however wide', () => {
    const { state } = new Listener([ask]).driver;
    expect(panesOf(state)).toEqual({ isSplit: false, list: UNBROKEN, detail: UNBROKEN });
  });
});

describe('deciding by ear', () => {
  test('needs all of the request read out, and says what each button does once it does it (A1, A34)', () => {
    const details = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`option-${n}`, n]));
    const listener = new Listener([sampleRequest({ document: { details } })]);
    expect(listener.press('a')).toContain('Read it first. Then press a again.');
    expect(listener.press('a').join(' ')).toContain('to read: Space');
    while (!listener.said.some((line) => textOf(line).startsWith('All read: a approves')))
      listener.press(' ');
    const confirming = listener.press('a');
    expect(confirming).toContain('you sign: approve, ssh.login on web-1.example.com');
    expect(confirming.indexOf('focus on Cancel, button Sign approval')).toBeGreaterThan(0);
    expect(confirming.at(-1)).toBe('focus on Cancel, button Sign approval, Enter cancels');
    expect(listener.press('tab').at(-1)).toBe(
      'button Cancel, focus on Sign approval, Enter signs the approval',
    );
    listener.press('enter');
    expect(listener.driver.decisions).toHaveLength(1);
  });

  const key = fc.constantFrom(
    ...['j', 'k', ' ', 'pageUp', 'g', 'G', '^d', '^u', '?', 'enter', 'escape', 'a', 'd', 'tab', '2', '1'],
  );
  const change = fc.constantFrom<(driver: ConsoleDriver) => unknown>(
    (driver) => driver.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone for a long time' }),
    (driver) => driver.setLink({ state: 'live' }),
    (driver) => driver.setReading(new Map([[ask.id, ['carol' as Name]]])),
    (driver) => driver.put(sampleRequest({ n: 7 })),
    (driver) =>
      driver.setRestraints({
        locks: [
          { requester: 'x' as Name, since: NOW, by: 'carol' as Name, request: sampleId(9), comment: '' },
        ],
        mutes: [],
      }),
    (driver) => driver.setRestraints({ locks: [], mutes: [] }),
    (driver) => driver.put({ ...ask, votes: [sampleVote()] }),
  );
  const event = fc.oneof(
    { weight: 4, arbitrary: key.map((pressed) => (driver: ConsoleDriver) => driver.type(pressed)) },
    { weight: 1, arbitrary: change },
  );

  test('counts no line as read that was not said, in whatever order keys and changes come (A1, A4)', () => {
    fc.assert(
      fc.property(
        fc.array(
          hostileText.map((raw) => raw.toWellFormed()),
          { minLength: 1, maxLength: 30 },
        ),
        fc.array(event, { maxLength: 40 }),
        (argv, events) => {
          const hostile = sampleRequest({ document: { details: { argv, same: ['id', 'id', 'id'] } } });
          const listener = new Listener([{ ...hostile, id: ask.id }, other]);
          listener.press('enter');
          for (const one of events) {
            listener.after(one);
            expectSaid(listener);
          }
          expect(listener.said.filter((line) => ACTS.test(textOf(line)))).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  function expectSaid({ driver, said }: Listener): void {
    const { opened, identity, display } = driver.state;
    if (opened === null) return;
    const { mustRead } = requestDocument(opened.request, {
      pins: identity.pins,
      zone: display.zone,
      columns: UNBROKEN,
    });
    const unsaid = mustRead
      .slice(0, opened.read)
      .filter((line) => textOf(line) !== '' && !said.includes(line));
    expect(unsaid.map(textOf)).toEqual([]);
  }
});
