import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tally } from '../../../broker/statistics/tally.js';
import { zonedHours } from '../../../broker/statistics/zoned-hours.js';
import type { RequestOutcome } from '../../../broker/store/store.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import { REQUEST_STATES } from '../../../src/protocol/request-view.js';

const NOON = Date.parse('2026-01-31T12:00:00Z');
const HOUR = 3_600_000;
const GRANT = '01KB2X6C9V4T7M3N8QZ5R0EWHD' as RequestId;

type VoteOf = RequestOutcome['votes'][number];
const vote = (approver: string, after: number, verdict: VoteOf['verdict'] = 'approve'): VoteOf => ({
  approver: approver as Name,
  verdict,
  decided: NOON + after * 1000,
});
const outcome = (given: Partial<RequestOutcome> = {}): RequestOutcome => ({
  askedAt: NOON,
  state: 'redeemed',
  rule: '{"name":"logins","people":1}',
  votes: [vote('bob', 40)],
  grant: null,
  alone: false,
  ...given,
});
const figures = (...outcomes: readonly RequestOutcome[]) => {
  const tally = new Tally('UTC');
  for (const one of outcomes) tally.add(one);
  return tally.figures(NOON - HOUR, NOON + HOUR);
};

describe('the figures', () => {
  test('of nothing are noughts, and no waiting time', () => {
    expect(figures()).toMatchObject({ asked: 0, passed: 0, waits: null, approvers: [], rules: [] });
    expect(figures().hours).toHaveLength(24);
    expect(figures().days).toEqual([{ day: '2026-01-31', asked: 0, approved: 0, denied: 0, expired: 0 }]);
  });

  test('tell what became of asks: by people, without them, denied, expired', () => {
    const told = figures(
      ...(['approved', 'active', 'redeemed', 'lapsed', 'revoked'] as const).map((state) =>
        outcome({ state }),
      ),
      outcome({ grant: GRANT }),
      outcome({ votes: [] }),
      outcome({ votes: [], alone: true }),
      outcome({ state: 'denied', votes: [vote('bob', 9, 'deny')] }),
      outcome({ state: 'denied', votes: [] }),
      outcome({ state: 'expired', votes: [] }),
      outcome({ state: 'pending' }),
      outcome({ state: 'cancelled', votes: [] }),
    );
    expect(told).toMatchObject({ asked: 13, approved: 5, passed: 3, denied: 2, expired: 1 });
  });

  test('of waiting go to the signature that decided, and to that of people alone', () => {
    const told = figures(
      outcome({ votes: [vote('bob', 10), vote('carol', 60)] }),
      outcome({ state: 'denied', votes: [vote('bob', 10), vote('carol', 20, 'deny')] }),
      outcome({ grant: GRANT, votes: [vote('bob', -500)] }),
      outcome({ state: 'denied', votes: [] }),
      outcome({ state: 'pending', votes: [vote('bob', 5)] }),
    );
    expect(told.waits).toEqual({ decisions: 2, p50: 20, p90: 60, p99: 60 });
  });

  test('are by nearest rank: each is one that somebody has waited', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => outcome({ votes: [vote('bob', n + 1)] }));
    expect(figures(...hundred.reverse()).waits).toEqual({ decisions: 100, p50: 50, p90: 90, p99: 99 });
  });

  test('know of nobody who signed before it was asked: a clock was behind', () => {
    expect(figures(outcome({ votes: [vote('bob', -30)] })).waits).toMatchObject({ p50: 0 });
  });

  test('of approvers count each signature once, where it was given', () => {
    const told = figures(
      outcome({ votes: [vote('bob', 10), vote('carol', 60)] }),
      outcome({ state: 'pending', votes: [vote('carol', 20)] }),
      outcome({ state: 'denied', votes: [vote('carol', 30, 'deny')] }),
      outcome({ grant: GRANT, votes: [vote('bob', -500)] }),
    );
    expect(told.approvers).toEqual([
      { name: 'carol', approved: 2, denied: 1, p50: 30 },
      { name: 'bob', approved: 1, denied: 0, p50: 10 },
    ]);
  });

  test('of rules go by their names, and a rule that has none is told apart', () => {
    const told = figures(
      outcome(),
      outcome({ rule: '{"name":"logins","people":2}' }),
      outcome({ rule: '[]' }),
    );
    expect(told.rules.map(({ rule, asked }) => [rule, asked])).toEqual([
      ['logins', 2],
      ['-', 1],
    ]);
  });

  test('of hours and days go by the clocks of the reader, summer and winter', () => {
    const tally = new Tally('Europe/Berlin');
    for (const at of [
      '2026-03-28T23:30:00Z',
      '2026-03-29T00:59:59Z',
      '2026-03-29T01:00:00Z',
      '2026-03-29T22:00:00Z',
    ]) {
      tally.add(outcome({ askedAt: Date.parse(at) }));
    }
    const { hours, days } = tally.figures(
      Date.parse('2026-03-28T12:00:00Z'),
      Date.parse('2026-03-30T12:00:00Z'),
    );
    expect(hours.flatMap(({ asked }, hour) => (asked > 0 ? [[hour, asked]] : []))).toEqual([
      [0, 2],
      [1, 1],
      [3, 1],
    ]);
    expect(days.map(({ day, asked }) => [day, asked])).toEqual([
      ['2026-03-28', 0],
      ['2026-03-29', 3],
      ['2026-03-30', 1],
    ]);
  });

  test('agree with each other, whatever they are of', () => {
    const some = fc.record({
      askedAt: fc.integer({ min: NOON - 3 * HOUR, max: NOON }),
      state: fc.constantFrom(...REQUEST_STATES),
      rule: fc.constantFrom('{"name":"a"}', '{"name":"b"}', '{}'),
      votes: fc.array(
        fc.record({
          approver: fc.constantFrom('bob', 'carol') as fc.Arbitrary<Name>,
          verdict: fc.constantFrom('approve', 'deny'),
          decided: fc.integer({ min: NOON - 4 * HOUR, max: NOON + HOUR }),
        }),
        { maxLength: 3 },
      ),
      grant: fc.constantFrom(null, GRANT),
      alone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 40 }), (outcomes) => {
        const told = figures(...outcomes);
        for (const groups of [told.hours, told.rules]) {
          for (const field of ['asked', 'approved', 'denied', 'expired'] as const)
            expect(groups.reduce((sum, group) => sum + group[field], 0)).toBe(told[field]);
        }
        expect(told.asked).toBe(outcomes.length);
        expect(told.approved + told.denied + told.expired + told.passed).toBeLessThanOrEqual(told.asked);
        expect(told.waits?.decisions ?? 0).toBeLessThanOrEqual(told.approved + told.denied);
        const { p50 = 0, p90 = 0, p99 = 0 } = told.waits ?? {};
        expect([p50 <= p90, p90 <= p99]).toEqual([true, true]);
      }),
    );
  });
});

test('the hour of a time is the one that a calendar tells, in any zone', () => {
  const zones = ['UTC', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Sao_Paulo'];
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer({ min: 1.7e12, max: 1.9e12 }), (timeZone, time) => {
      const told = new Intl.DateTimeFormat('en-CA', { timeZone, hourCycle: 'h23', hour: '2-digit' }).format(
        time,
      );
      const day = new Intl.DateTimeFormat('en-CA', { timeZone }).format(time);
      expect(zonedHours(timeZone)(time)).toEqual({ day, hour: Number(told) });
    }),
  );
});
