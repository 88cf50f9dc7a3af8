import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkNotMuted,
  type FatigueLimits,
  forgiven,
  mutedUntil,
  struck,
} from '../../../broker/requests/fatigue.js';
import { inForce, NO_RESTRAINTS, type Restraints } from '../../../broker/requests/restraints.js';
import { Problem } from '../../../src/protocol/problems.js';
import { NOON, name } from './world.js';

const limits: FatigueLimits = { mutingDenials: 2, denialWindowMs: 900_000, muteMs: 600_000 };
const pair = { requester: name('alice'), resource: 'web-1' };
const deniedAt = (restraints: Restraints, seconds: number, who = pair) =>
  struck(restraints, who, NOON + seconds * 1000, limits).restraints;

describe('denials of one requester for one resource (A31)', () => {
  test('the second within the window mutes, and the event says until when', () => {
    const first = struck(NO_RESTRAINTS, pair, NOON, limits);
    expect(first.muted).toBe(null);
    const second = struck(first.restraints, pair, NOON + 899_000, limits);
    expect(second.muted).toBe(NOON + 1_499_000);
    expect(mutedUntil(second.restraints, pair, NOON + 1_498_999)).toBe(NOON + 1_499_000);
    expect(mutedUntil(second.restraints, pair, NOON + 1_499_000)).toBe(null);
  });

  test('the second after the window is a first one', () => {
    expect(mutedUntil(deniedAt(deniedAt(NO_RESTRAINTS, 0), 900), pair, NOON + 900_000)).toBe(null);
  });

  test('one more while they are muted makes it longer', () => {
    const muted = deniedAt(deniedAt(deniedAt(NO_RESTRAINTS, 0), 1), 300);
    expect(mutedUntil(muted, pair, NOON + 300_000)).toBe(NOON + 900_000);
  });

  test('an approval forgets them', () => {
    const muted = deniedAt(deniedAt(NO_RESTRAINTS, 0), 1);
    expect(forgiven(muted, pair)).toEqual(NO_RESTRAINTS);
    expect(mutedUntil(deniedAt(forgiven(deniedAt(NO_RESTRAINTS, 0), pair), 1), pair, NOON + 2000)).toBe(null);
  });

  test('the refusal says until when, why, and what a person can do', () => {
    const muted = deniedAt(deniedAt(NO_RESTRAINTS, 0), 1);
    let problem: unknown;
    try {
      checkNotMuted(muted, pair, NOON + 1000);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      code: 'muted',
      message: 'alice was denied "web-1" repeatedly and may not ask for it until 2026-01-31T12:10:01Z',
      hint: 'call an approver, who lifts it with: countersign unlock alice',
      retryAfter: 600,
    });
  });

  test('what is over is forgotten with the next denial, so that nothing grows with history', () => {
    let restraints = NO_RESTRAINTS;
    for (let number = 0; number < 50; number += 1) {
      restraints = deniedAt(restraints, number * 1000, { ...pair, resource: `web-${number}` });
    }
    expect(restraints.size).toBe(1);
    expect(inForce(restraints, NOON + 49_000_000 + 900_000).size).toBe(0);
  });

  test('no denial ever mutes another requester or another resource', () => {
    const who = fc.record({
      requester: fc.constantFrom('alice', 'bob', 'web-1').map(name),
      resource: fc.constantFrom('web-1', 'web-1 web-1', 'bob', ''),
    });
    const denials = fc.array(fc.tuple(who, fc.nat({ max: 1200 })), { maxLength: 30 });
    fc.assert(
      fc.property(denials, who, (steps, innocent) => {
        let now = NOON;
        let restraints = NO_RESTRAINTS;
        for (const [denied, seconds] of steps) {
          now += seconds * 1000;
          if (denied.requester === innocent.requester && denied.resource === innocent.resource) continue;
          restraints = struck(restraints, denied, now, limits).restraints;
          expect(() => checkNotMuted(restraints, innocent, now)).not.toThrow();
        }
      }),
    );
  });
});
