import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimiter } from '../../../broker/access/rate-limiter.js';
import { codeOf } from '../../ssh/problem.js';
import { NOON } from '../requests/world.js';

const passes = (limiter: RateLimiter, who: string, now: number): boolean =>
  codeOf(() => limiter.charge(who, now)) === null;

describe('the rate of calls (A32)', () => {
  test('a burst at once, then so many a second', () => {
    const limiter = new RateLimiter(2, 5);
    const count = (now: number): number =>
      Array.from({ length: 20 }, () => passes(limiter, 'a', now)).filter(Boolean).length;
    expect(count(NOON)).toBe(5);
    expect(count(NOON + 499)).toBe(0);
    expect(count(NOON + 500)).toBe(1);
    expect(count(NOON + 2500)).toBe(4);
    expect(count(NOON + 3_600_000)).toBe(5);
  });

  test('one principal does not use up the calls of another', () => {
    const limiter = new RateLimiter(1, 1);
    expect([passes(limiter, 'a', NOON), passes(limiter, 'a', NOON), passes(limiter, 'b', NOON)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(['__proto__', 'constructor', ''].map((who) => passes(limiter, who, NOON))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('in any stretch of time no more than the burst and what was earned in it, however it is pruned', () => {
    const call = fc.record({ after: fc.nat({ max: 3000 }), prunes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 60 }), (calls) => {
        const limiter = new RateLimiter(2, 4);
        let now = NOON;
        const passed: number[] = [];
        for (const { after, prunes } of calls) {
          now += after;
          if (prunes) limiter.prune(now);
          if (passes(limiter, 'a', now)) passed.push(now);
        }
        for (const [index, from] of passed.entries())
          for (const [later, to] of passed.entries())
            if (later >= index)
              expect(later - index + 1).toBeLessThanOrEqual(4 + ((to - from) / 1000) * 2 + 1e-6);
      }),
    );
  });

  test('a clock that goes back earns nothing', () => {
    const limiter = new RateLimiter(1, 2);
    expect([passes(limiter, 'a', NOON), passes(limiter, 'a', NOON)]).toEqual([true, true]);
    expect(passes(limiter, 'a', NOON - 3_600_000)).toBe(false);
  });

  test('a clock that ran ahead for a moment locks nobody out', () => {
    const limiter = new RateLimiter(1, 1);
    const ahead = NOON + 3_600_000;
    expect([passes(limiter, 'a', ahead), passes(limiter, 'a', NOON)]).toEqual([true, false]);
    expect(passes(limiter, 'a', NOON + 1000)).toBe(true);
  });

  test('what is refused is said with the name and the rate', () => {
    const limiter = new RateLimiter(1, 1);
    limiter.charge('submitter ci', NOON);
    expect(() => limiter.charge('submitter ci', NOON)).toThrow('more than 1 calls a second by submitter ci');
  });
});
