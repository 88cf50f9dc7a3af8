import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Waiters } from '../../../broker/requests/waiters.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { NOON } from './world.js';

const ONE = '01KG9Z8QW5D3M7X1R2T4V6B8NC' as RequestId;
const OTHER = '01KG9Z8QW5D3M7X1R2T4V6B8ND' as RequestId;
const never = (): AbortSignal => new AbortController().signal;

/** Counts those that were woken. */
function watch(...waits: Promise<void>[]) {
  const seen = { woken: 0 };
  for (const wait of waits)
    wait.then(() => {
      seen.woken += 1;
    });
  return seen;
}
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
};

describe('waiters', () => {
  test('are woken when their request moves, and only they', async () => {
    const waiters = new Waiters();
    const mine = watch(waiters.wait([ONE], NOON, never()), waiters.wait([ONE], NOON, never()));
    const others = watch(waiters.wait([OTHER], NOON, never()));
    expect(waiters.count).toBe(3);
    waiters.release(ONE);
    await turns(2);
    expect([mine.woken, others.woken, waiters.count]).toEqual([2, 0, 1]);
    waiters.release(ONE);
    waiters.releaseAll();
    await turns(2);
    expect([mine.woken, others.woken, waiters.count]).toEqual([2, 1, 0]);
  });

  test('are woken when their time is up, never before', async () => {
    const waiters = new Waiters();
    const seen = watch(waiters.wait([ONE], NOON + 1500, never()));
    waiters.tick(NOON + 1499);
    await turns(2);
    expect(seen.woken).toBe(0);
    waiters.tick(NOON + 2000);
    await turns(2);
    expect([seen.woken, waiters.count]).toEqual([1, 0]);
  });

  test('are woken in chunks, so that 5,000 of them do not hold everybody else up', async () => {
    const waiters = new Waiters();
    const waits = Array.from({ length: 5000 }, () => waiters.wait([ONE], NOON, never()));
    const seen = watch(...waits);
    waiters.release(ONE);
    expect(waiters.count).toBe(0);
    let most = 0;
    let before = 0;
    while (seen.woken < 5000) {
      await nextTurn();
      most = Math.max(most, seen.woken - before);
      before = seen.woken;
    }
    expect(most).toBeLessThanOrEqual(500);
    expect(most).toBeGreaterThan(0);
    await Promise.all(waits);
  });

  test('that are woken while a chunk is under way are not forgotten', async () => {
    const waiters = new Waiters();
    const seen = watch(...Array.from({ length: 1000 }, () => waiters.wait([ONE], NOON, never())));
    waiters.release(ONE);
    await nextTurn();
    const late = watch(...Array.from({ length: 1000 }, () => waiters.wait([OTHER], NOON, never())));
    waiters.release(OTHER);
    await turns(30);
    expect([seen.woken, late.woken]).toEqual([1000, 1000]);
    const after = watch(waiters.wait([ONE], NOON, never()));
    waiters.release(ONE);
    await turns(2);
    expect(after.woken).toBe(1);
  });

  test('that hang up are forgotten at once, one by one', async () => {
    const waiters = new Waiters();
    const hangUp = new AbortController();
    const gone = watch(waiters.wait([ONE], NOON, hangUp.signal));
    const stays = watch(waiters.wait([ONE], NOON, never()));
    hangUp.abort();
    hangUp.abort();
    expect(waiters.count).toBe(1);
    await turns(2);
    expect([gone.woken, stays.woken]).toEqual([1, 0]);
  });

  test('that had hung up before they began to wait are sent home', async () => {
    const waiters = new Waiters();
    const seen = watch(waiters.wait([ONE], NOON, AbortSignal.abort()));
    await turns(2);
    expect([seen.woken, waiters.count]).toEqual([1, 0]);
  });

  test('leave nothing behind, however they were woken', async () => {
    const waiters = new Waiters();
    const { signal } = new AbortController();
    const wakings = [() => waiters.release(ONE), () => waiters.releaseAll(), () => waiters.tick(NOON + 1000)];
    for (const wake of wakings) {
      const wait = waiters.wait([ONE], NOON, signal);
      wake();
      await wait;
      expect([waiters.count, getEventListeners(signal, 'abort')]).toEqual([0, []]);
    }
  });

  test('of whom one is released, out of time and gone at once are counted once', async () => {
    const waiters = new Waiters();
    const hangUp = new AbortController();
    const seen = watch(waiters.wait([ONE], NOON, hangUp.signal));
    waiters.release(ONE);
    hangUp.abort();
    waiters.tick(NOON + 1000);
    waiters.releaseAll();
    await turns(2);
    expect([seen.woken, waiters.count]).toEqual([1, 0]);
  });
});
