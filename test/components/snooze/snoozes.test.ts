import { describe, expect, onTestFinished, test } from 'vitest';
import { headerLines } from '../../../components/screen/header.js';
import { LITTLE_LEFT_MS, SNOOZE_MS } from '../../../components/snooze/snoozes.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { NOW, type Sample, sampleRequest, sampleVote } from '../sample-requests.js';
import { TerminalScreen } from '../terminal-screen.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const STALE = { state: 'stale', since: NOW, retryAt: null, reason: 'the network is down' } as const;
const ask = (n: number, given: Sample = {}) =>
  sampleRequest({
    n,
    age: 200 - n,
    answerBy: NOW + 2 * HOUR,
    document: { resource: `web-${n}.example.com` },
    ...given,
  });
const [first, second, third] = [ask(1), ask(2), ask(3)];
const carol = 'carol' as Name;
const order = ({ state }: ConsoleDriver): RequestId[] => state.rows.rows.map(({ request }) => request.id);
const rings = ({ effects }: ConsoleDriver): number => effects.filter(({ type }) => type === 'ring').length;
const isAsleep = ({ state }: ConsoleDriver, id: RequestId): boolean =>
  state.allRows.rows[state.allRows.indexOf.get(id) ?? -1]?.isSnoozed ?? false;
const counted = ({ state }: ConsoleDriver): string =>
  (headerLines(state)[0] ?? []).map(({ text }) => text).join('');
/** The first of three is snoozed. */
const snoozing = () => new ConsoleDriver([first, second, third]).press('s');

describe('a snoozed request', () => {
  test('stands last among those that wait, is counted and said, and the cursor goes to the next one', () => {
    const driver = snoozing();
    expect(order(driver)).toEqual([second.id, third.id, first.id]);
    expect(driver.state.selected).toBe(second.id);
    expect(counted(driver)).toContain('3 pending, 1 snoozed');
    expect(driver.noticeText).toBe('Snoozed 30 minutes, here alone; s on its row wakes it.');
    expect(driver.effects).toEqual([]);
  });

  test('that is being read is left for the queue', () => {
    const driver = new ConsoleDriver([first, second]).press('enter', 's');
    expect(driver.state.opened).toBeNull();
    expect([isAsleep(driver, first.id), driver.state.selected]).toEqual([true, second.id]);
  });

  test('stays before what has ended, and the cursor stays with it where nothing else is awake', () => {
    const ended = ask(4, { state: 'denied', endedAt: NOW });
    const driver = new ConsoleDriver([first, ended]).press('s');
    expect(order(driver)).toEqual([first.id, ended.id]);
    expect(driver.state.selected).toBe(first.id);
  });

  test('wakes with s, where it stood, without a ring', () => {
    const driver = snoozing().press('G').press('k');
    driver.press('j', 's');
    expect(order(driver)).toEqual([first.id, second.id, third.id]);
    expect([driver.state.selected, rings(driver)]).toEqual([first.id, 0]);
    expect(rings(driver.put(ask(9)).change(first.id, { waiting: 2 }))).toBe(1);
  });

  test('wakes after half an hour, and rings as if it were new', () => {
    const driver = snoozing().wait(SNOOZE_MS - 2000);
    expect([isAsleep(driver, first.id), rings(driver)]).toEqual([true, 0]);
    driver.wait(2000);
    expect([isAsleep(driver, first.id), rings(driver)]).toEqual([false, 1]);
    driver.wait(HOUR / 2);
    expect(rings(driver)).toBe(1);
  });

  test('wakes when little time is left to answer, by the clock of the broker', () => {
    const short = ask(1, { answerBy: NOW + 10 * MINUTE });
    const driver = new ConsoleDriver([short, second]).press('s');
    driver.wait(10 * MINUTE - LITTLE_LEFT_MS - 10_000);
    expect(isAsleep(driver, short.id)).toBe(true);
    driver.wait(10_000);
    expect([isAsleep(driver, short.id), rings(driver)]).toEqual([false, 1]);
  });

  test('wakes when break-glass is about to open it', () => {
    const alone = { vote: sampleVote({}), opensAt: NOW + 5 * MINUTE, opened: false };
    expect(isAsleep(snoozing().change(first.id, { alone }), first.id)).toBe(false);
  });

  test.each([
    ['a yes of somebody else', { votes: [sampleVote({ approver: carol })] }, true],
    ['a comment of somebody else', { comments: [{ by: carol, at: NOW, text: 'wait' }] }, true],
    ['an escalation of somebody else', { escalated: { by: carol, at: NOW } }, true],
    ['one’s own comment', { comments: [{ by: 'bob' as Name, at: NOW, text: 'wait' }] }, false],
    ['another asker', { waiting: 4 }, false],
    ['that others are rung', { ring: [carol] }, false],
  ] as const)('by %s: wakes or not', (_what, change, wakes) => {
    const driver = snoozing().change(first.id, change);
    expect([isAsleep(driver, first.id), rings(driver)]).toEqual([!wakes, wakes ? 1 : 0]);
  });

  test('sleeps on through equal asks, which sleep with it: nobody is woken by asking again (A31)', () => {
    const driver = snoozing();
    for (let n = 20; n < 30; n += 1) {
      driver.put(ask(n, { document: { resource: 'web-1.example.com' } })).wait(MINUTE);
    }
    expect([isAsleep(driver, first.id), rings(driver)]).toEqual([true, 0]);
    expect(counted(driver)).toContain('13 pending, 11 snoozed');
    const other = ask(40, { document: { resource: 'web-40.example.com' } });
    expect(rings(driver.put(other))).toBe(1);
  });

  test('that has ended is forgotten: the next equal ask is a new one', () => {
    const driver = snoozing().change(first.id, { state: 'denied', endedAt: NOW });
    expect(driver.state.snoozes.size).toBe(0);
    const again = ask(20, { document: { resource: 'web-1.example.com' } });
    expect([rings(driver.put(again)), isAsleep(driver, again.id)]).toEqual([1, false]);
  });

  test('sleeps on while the broker is away, and what happened meanwhile wakes it once it is back', () => {
    const driver = snoozing().setLink(STALE).setLink({ state: 'live' });
    expect(isAsleep(driver, first.id)).toBe(true);
    driver.setLink(STALE).wait(SNOOZE_MS);
    expect(rings(driver)).toBe(0);
    expect(rings(driver.setLink({ state: 'live' }))).toBe(1);
  });

  test('with little time left is not snoozed, nor is what does not wait', () => {
    const late = new ConsoleDriver([ask(1, { answerBy: NOW + LITTLE_LEFT_MS - 5000 })]).press('s');
    expect(late.noticeText).toContain('Less than a minute');
    const ended = new ConsoleDriver([ask(1, { state: 'denied', endedAt: NOW })]).press('s');
    expect(ended.noticeText).toContain('nothing to snooze');
    expect([late.state.snoozes.size, ended.state.snoozes.size]).toEqual([0, 0]);
  });

  test('is what was on the screen for a while when s went down (A4)', () => {
    const driver = new ConsoleDriver([first, second]).remove(first.id).type('s');
    expect(driver.state.snoozes.size).toBe(0);
  });

  test('is opened, read and decided as any other', () => {
    const driver = snoozing().press('G', 'enter', 'a', 'tab', 'enter');
    expect(driver.decisions).toMatchObject([{ request: { id: first.id } }]);
  });
});

test.each([
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
] as const)('a snoozed row on a terminal of $columns x $rows', async (size) => {
  const screen = new TerminalScreen(new InMemoryQueue([first, second, third]), size);
  onTestFinished(() => screen.leave());
  await screen.waitForContent('3 pending');
  screen.letItSettle();
  screen.press('s');
  await screen.waitForContent('1 snoozed');
  // The screens that there are belong to other pictures.
  await expect(`${screen.text().split('\n').toSpliced(1, 1).join('\n')}\n`).toMatchFileSnapshot(
    `../golden/snoozed-${size.columns}x${size.rows}.txt`,
  );
});
