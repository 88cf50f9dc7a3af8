import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PendingBudget } from '../../../broker/requests/pending-budget.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { codeOf } from '../../ssh/problem.js';
import { name } from './world.js';

const id = (number: number): RequestId => String(number).padStart(26, '0') as RequestId;
const limits = { pendingPerSubmitter: 3, pendingPerResource: 2 };

describe('how many requests may be pending (A32)', () => {
  test('never more than its places, never fewer after any order of taking and giving back', () => {
    const step = fc.record({
      what: fc.constantFrom('take' as const, 'take' as const, 'release' as const),
      number: fc.nat({ max: 9 }),
      submitter: fc.constantFrom('x', 'y'),
      resource: fc.constantFrom('p', 'q'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new PendingBudget(limits);
        const model = new Map<number, { submitter: string; resource: string }>();
        for (const { what, number, submitter, resource } of steps) {
          if (what === 'release') {
            budget.release(id(number));
            model.delete(number);
            continue;
          }
          const held = [...model.values()];
          const isFull =
            held.filter((other) => other.submitter === submitter).length >= limits.pendingPerSubmitter ||
            held.filter((other) => other.resource === resource).length >= limits.pendingPerResource;
          const code = codeOf(() => budget.take(id(number), { submitter: name(submitter), resource }));
          expect(code).toBe(!model.has(number) && isFull ? 'too-many-pending' : null);
          if (code === null && !model.has(number)) model.set(number, { submitter, resource });
        }
      }),
    );
  });

  test('what stands after a restart is counted beyond the limit, and nothing is let in above it', () => {
    const budget = new PendingBudget(limits);
    for (let number = 0; number < 5; number += 1)
      budget.hold(id(number), { submitter: name('x'), resource: 'p' });
    const take = () => codeOf(() => budget.take(id(9), { submitter: name('x'), resource: 'q' }));
    for (let number = 0; number < 2; number += 1) budget.release(id(number));
    expect(take()).toBe('too-many-pending');
    budget.release(id(2));
    expect(take()).toBe(null);
  });

  test('names of prototypes are names', () => {
    const budget = new PendingBudget({ pendingPerSubmitter: 1, pendingPerResource: 9 });
    for (const [number, submitter] of ['__proto__', 'constructor', 'tostring'].entries()) {
      const take = (which: number) =>
        codeOf(() => budget.take(id(which), { submitter: name(submitter), resource: '__proto__' }));
      expect([take(number), take(number + 10)]).toEqual([null, 'too-many-pending']);
    }
  });
});
