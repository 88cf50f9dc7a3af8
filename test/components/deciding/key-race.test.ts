import { expect, test } from 'vitest';
import { mustRead } from '../../../components/detail/request-document.js';
import { bodyLines } from '../../../components/screen/body-lines.js';
import { panesOf } from '../../../components/screen/panes.js';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import { isTooSmall, SETTLE_MS, selectedRequest } from '../../../components/state/console-state.js';
import type { Line } from '../../../components/text/line.js';
import type { DeadLetter } from '../../../src/protocol/outbox-messages.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleRequest } from '../sample-requests.js';

const textOf = (line: Line): string => line.map(({ text }) => text).join('');

/** Together more than 100,000 presses. */
const [PLAYS, PRESSES] = [5, 21_000];
/** Stands for the digits of how many requests are listed to be denied. */
const COUNT = 'count';
/** What people press, in the order in which they would; others come between them. */
const HABITS = [
  ['enter', ' ', ' ', ' ', 'a', 'tab', 'enter'],
  ['a', 'right', 'enter'],
  ['j', 'a', 'right', 'enter'],
  ['enter', 'd', 'right', 'enter'],
  ['f', 'tab', 'enter'],
  ['D', ' ', 'tab', 'tab', COUNT, 'enter', 'tab', 'enter', 'escape'],
  ['D', 'D', 'tab', 'tab', COUNT, 'enter', 'right', 'enter', 'escape', 'escape'],
  ['enter', 'R', 'right', 'right', 'enter'],
  ['2', 'j', 'enter', 'a', 'd', 'tab', 'enter', 'escape'],
  ['/', 'a', 'd', 'enter', 'enter', 'a', 'tab', 'enter'],
  [':', 'deny', 'enter', 'tab', 'enter'],
  ['enter', ':', 'deny fraud', 'enter', 'right', 'enter', 'escape', 'escape'],
  ['1', '/', '^u', 'web-1 state:pending', 'enter', 'd', 'tab', 'enter', 'escape'],
  ['6', 'r', 'x', 'right', 'enter', 'd', 'tab', 'enter'],
  ['1', 'escape', 'j', 'k', 'G', 'g', '?', 'escape'],
  ['e', 'tab', 'enter'],
  ['c', 'w', 'a', 'i', 't', 'enter'],
  ['s', 'j', 's', 'tab', 'tab'],
  ['3', 'R', 'tab', 'enter', 'tab', 'enter', '1'],
  ['5', 'j', '4', 'j', '7', '1', '^d', '^u', 'y', 'Y'],
];
const STRAY = [
  ...'adfR:rxcseDyY1234567/?jkgG \r\t',
  'enter',
  'escape',
  'tab',
  'right',
  'left',
  'aa',
  'a\t\r',
  '^l',
];

/** The same numbers in every run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const ask = (n: number): RequestView =>
  sampleRequest({ n, age: 250 - (n % 200), document: { resource: `web-${n % 7}.example.com` } });
const letter = (event: number): DeadLetter => ({
  sink: 'webhook:siem',
  event,
  kind: 'request.approved',
  at: NOW,
  request: null,
  about: null,
  attempts: 9,
  dead: NOW,
  error: 'HTTP 500',
});

const tried = { signed: 0, approved: 0, atOnce: 0, denied: 0, dropped: 0, rung: 0 };

test.each(Array.from({ length: PLAYS }, (_, play) => play))(
  'whatever is pressed while everything changes, only what stood on the screen, whole where it is approved, is signed or dropped, play %i (A4, A34)',
  { timeout: 180_000 },
  (play) => {
    const below = numbers(5 + play);
    const one = <Item>(items: readonly Item[]): Item => items[below(items.length)] ?? expect.fail();
    const driver = new ConsoleDriver([1, 2, 3].map(ask), { columns: 100, rows: 30 });
    let [now, asked, heard] = [0, 10, driver.effects.length];
    let listed = new Set<string>();
    let painted = { target: '', since: 0, digest: '' };
    /** What must be read of each document and has not been on the screen, by its digest and width. */
    const unseen = new Map<string, Set<string>>();
    const look = (): void => {
      const { state } = driver;
      const request = state.opened?.request ?? selectedRequest(state);
      const { detail, isSplit } = panesOf(state);
      if (request === null || isTooSmall(state) || (state.opened === null && !isSplit)) return;
      const key = `${request.digest} ${detail}`;
      const left = unseen.get(key) ?? new Set(mustRead(state, request).map(textOf));
      unseen.set(key, left);
      if (left.size === 0) return;
      const shown = bodyLines(state, bodyRows(state)).map(textOf);
      for (const line of left) if (shown.some((row) => row.endsWith(line))) left.delete(line);
    };
    const paint = (): void => {
      const { target } = driver.state.focus;
      const digest = driver.state.opened?.request.digest ?? '';
      if (painted.target !== target || painted.digest !== digest) painted = { target, since: now, digest };
      listed = new Set(driver.state.bulk?.requests.map(({ id }) => id));
      look();
      driver.paint();
    };
    const letTimePass = (): void => {
      const ms = one([5, 40, 200, SETTLE_MS, 900]);
      now += ms;
      driver.wait(ms);
    };
    const changes: readonly (() => void)[] = [
      () => driver.put(ask(asked++)),
      () => driver.remove(one([...driver.state.queue.requests.keys()])),
      () => driver.change(one([...driver.state.queue.requests.keys()]), { state: 'denied', endedAt: NOW }),
      () =>
        driver.change(one([...driver.state.queue.requests.keys()]), { state: 'approved', claimBy: NOW + 1 }),
      () => driver.resize(one([60, 80, 120, 130]), one([9, 15, 24, 40, 45])),
      () => driver.pasteAtOnce(one(['a', 'a\t\r', 'state:denied\r'])),
      () =>
        driver.setOutbox([{ sink: 'webhook:siem', configured: true, waiting: 0, dead: 1, failing: null }]),
    ];
    const answer = (): void => {
      for (const effect of driver.effects.slice(heard)) {
        if (effect.type === 'decide' || effect.type === 'revoke') {
          tried.signed += 1;
          const verdict =
            effect.type === 'revoke' ? 'revoke' : effect.decision.isFraud ? 'fraud' : effect.decision.verdict;
          expect(painted.target).toBe(`confirm ${effect.request.id} ${verdict} sign`);
          expect(painted.digest).toBe(effect.request.digest);
          expect(now - painted.since).toBeGreaterThanOrEqual(SETTLE_MS);
          if (verdict === 'approve') {
            tried.approved += 1;
            const key = `${effect.request.digest} ${panesOf(driver.state).detail}`;
            expect([...(unseen.get(key) ?? ['nothing of it'])]).toEqual([]);
          }
          driver.finishAtOnce({ type: 'decided' });
        }
        if (effect.type === 'denyAll') {
          tried.denied += 1;
          expect(painted.target).toMatch(/^bulk .* sign$/);
          expect(now - painted.since).toBeGreaterThanOrEqual(SETTLE_MS);
          expect(effect.requests.every(({ id }) => listed.has(id))).toBe(true);
          driver.finishAtOnce({ type: 'denyingOver', failure: null });
        }
        if (effect.type === 'drop') {
          tried.dropped += 1;
          expect(painted.target).toBe(`outbox ${effect.letter.event} ${effect.letter.sink} drop`);
          expect(now - painted.since).toBeGreaterThanOrEqual(SETTLE_MS);
        }
        if (effect.type === 'escalate') {
          tried.rung += 1;
          expect(painted.target).toMatch(`escalation ${effect.id} `);
          expect(painted.target).not.toContain('cancel');
          driver.finishAtOnce({ type: 'escalated', id: effect.id });
          expect(now - painted.since).toBeGreaterThanOrEqual(SETTLE_MS);
        }
        if (effect.type === 'comment') driver.finishAtOnce({ type: 'said', id: effect.id });
        if (effect.type === 'search') {
          const page = { requests: [...driver.state.queue.requests.values()], next: null, searchedTo: null };
          driver.finishAtOnce({ type: 'found', search: effect.search, page });
        }
        if (effect.type === 'listLetters') {
          const letters = [letter(below(3) + 1), letter(below(3) + 4)];
          const reply = { sinks: [], letters, next: null };
          driver.finishAtOnce({ type: 'letters', number: effect.number, reply });
        }
      }
      heard = driver.effects.length;
    };
    let habit: string[] = [];
    for (let press = 0; press < PRESSES; press += 1) {
      if (habit.length === 0) habit = [...one(HABITS)];
      const key = below(12) === 0 ? one(STRAY) : (habit.shift() ?? 'j');
      if (driver.state.queue.requests.size < 3) driver.put(ask(asked++), ask(asked++));
      if (below(10) === 0) one(changes)();
      if (below(5) > 0) paint();
      letTimePass();
      const isInQueue = driver.state.opened === null;
      driver.type(...(key === COUNT ? String(driver.state.bulk?.requests.length ?? 1) : [key]));
      if (isInQueue && driver.state.confirm?.verdict === 'approve') tried.atOnce += 1;
      answer();
    }
  },
);

test('and all of it was tried', () => {
  for (const [what, count] of Object.entries(tried)) expect(`${what} ${count > 20}`).toBe(`${what} true`);
});
