import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PendingBudget } from '../../../broker/requests/pending-budget.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { codeOf } from '../../ssh/problem.js';
import { name } from './world.js';

const id = (number: number): RequestId => String(number).padStart(26, '0') as RequestId;
const limits = { pendingPerSubmitter: 4, pendingPerResource: 3, pendingPerRequester: 5 };

/** Whether a submitter finds no place any more where `limit` are shared. */
function isFull(
  sharing: readonly { readonly submitter: string }[],
  submitter: string,
  limit: number,
): boolean {
  const own = sharing.filter((other) => other.submitter === submitter).length;
  const sharers = new Set([...sharing.map((other) => other.submitter), submitter]).size;
  return sharing.length >= limit && (own + 1) * sharers > limit;
}

describe('how many requests may be pending (A32)', () => {
  test('never more than its places, never fewer after any order of taking and giving back', () => {
    const step = fc.record({
      what: fc.constantFrom('take' as const, 'take' as const, 'release' as const),
      number: fc.nat({ max: 15 }),
      submitter: fc.constantFrom('x', 'y', 'z'),
      resource: fc.constantFrom('p', 'q'),
      requester: fc.constantFrom('a', 'b'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const budget = new PendingBudget(limits);
        const model = new Map<number, { submitter: string; resource: string; requester: string }>();
        for (const { what, number, submitter, resource, requester } of steps) {
          if (what === 'release') {
            budget.release(id(number));
            model.delete(number);
            continue;
          }
          const held = [...model.values()];
          const of = (what: 'resource' | 'requester', value: string) =>
            held.filter((other) => other[what] === value);
          const refused =
            held.filter((other) => other.submitter === submitter).length >= limits.pendingPerSubmitter ||
            isFull(of('resource', resource), submitter, limits.pendingPerResource) ||
            isFull(of('requester', requester), submitter, limits.pendingPerRequester);
          const holder = { submitter: name(submitter), resource, requester: name(requester) };
          const code = codeOf(() => budget.take(id(number), holder));
          expect(code).toBe(!model.has(number) && refused ? 'too-many-pending' : null);
          if (code === null && !model.has(number)) model.set(number, { submitter, resource, requester });
        }
      }),
    );
  });

  test('what stands after a restart is counted beyond the limit, and nothing is let in above it', () => {
    const budget = new PendingBudget(limits);
    const holder = (resource: string) => ({ submitter: name('x'), resource, requester: name('a') });
    for (let number = 0; number < 6; number += 1) budget.hold(id(number), holder('p'));
    const take = () => codeOf(() => budget.take(id(9), holder('q')));
    for (let number = 0; number < 2; number += 1) budget.release(id(number));
    expect(take()).toBe('too-many-pending');
    budget.release(id(2));
    expect(take()).toBe(null);
  });

  test('names of prototypes are names', () => {
    const budget = new PendingBudget({ ...limits, pendingPerSubmitter: 1 });
    for (const [number, submitter] of ['__proto__', 'constructor', 'tostring'].entries()) {
      const take = (which: number) =>
        codeOf(() =>
          budget.take(id(which), {
            submitter: name(submitter),
            resource: '__proto__',
            requester: name('__proto__'),
          }),
        );
      expect([take(number), take(number + 10)]).toEqual([null, 'too-many-pending']);
    }
  });

  test('whoever fills a resource, or asks everywhere as one person, keeps no other submitter out', () => {
    const wide = { pendingPerSubmitter: 200, pendingPerResource: 100, pendingPerRequester: 100 };
    const budget = new PendingBudget(wide);
    let number = 0;
    const take = (submitter: string, resource: string, requester: string) => {
      number += 1;
      return codeOf(() =>
        budget.take(id(number), { submitter: name(submitter), resource, requester: name(requester) }),
      );
    };
    const taken = (submitter: string, resource: string, requester: string): number => {
      let count = 0;
      while (take(submitter, resource, requester) === null) count += 1;
      return count;
    };
    expect(taken('flood', 'web-1', 'mallory')).toBe(100);
    expect(taken('host:web-1', 'web-1', 'alice')).toBe(50);
    expect(taken('flood', 'web-1', 'eve')).toBe(0);
    expect(taken('host:web-2', 'web-2', 'mallory')).toBe(50);
    expect(take('host:web-3', 'web-3', 'alice')).toBe(null);
  });
});
