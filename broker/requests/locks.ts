import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type Lock, lockKey, type Restraint, type Restraints } from './restraints.js';

/** Locks a requester. Who is locked already stays so, on the word of whoever said it first. */
export function locked(restraints: Restraints, lock: Omit<Lock, 'kind'>): Restraints {
  const key = lockKey(lock.requester);
  return restraints.has(key) ? restraints : new Map([...restraints, [key, { kind: 'lock', ...lock }]]);
}

/** The lock on a requester: under the name that is counted, or under the one that was asked with. */
export function lockOn(restraints: Restraints, counted: Name, asked: Name): Lock | null {
  const found = restraints.get(lockKey(counted)) ?? restraints.get(lockKey(asked));
  return found?.kind === 'lock' ? found : null;
}

/** @throws Problem `locked` that says since when, on whose word, and what a person can do */
export function checkNotLocked(restraints: Restraints, counted: Name, asked: Name): void {
  const lock = lockOn(restraints, counted, asked);
  if (lock === null) return;
  throw new Problem('locked', `${lock.by} called a request of ${lock.requester} a fraud`, {
    hint: `call an approver, who lifts it once that is cleared up: countersign unlock ${lock.requester}`,
  });
}

/** What is left once an approver has lifted everything on a requester, by any of these names, and how much that was. */
export function unlocked(
  restraints: Restraints,
  requesters: readonly Name[],
): { readonly restraints: Restraints; readonly locks: number; readonly mutes: number } {
  const isOwn = ({ requester }: Restraint): boolean => requesters.includes(requester);
  const own = [...restraints.values()].filter(isOwn);
  const rest = [...restraints].filter(([, restraint]) => !isOwn(restraint));
  const locks = own.filter(({ kind }) => kind === 'lock').length;
  return { restraints: new Map(rest), locks, mutes: own.length - locks };
}
