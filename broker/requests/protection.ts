import type { RequestDocument } from '../../src/protocol/document.js';
import { isFraudComment } from '../../src/protocol/restraints.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { Principals } from '../roster/principals.js';
import { checkNotMuted, type FatigueLimits, forgiven, type Pair, struck } from './fatigue.js';
import { checkNotLocked, locked, lockOn } from './locks.js';
import type { NewEvent, Request, Vote } from './request.js';
import { countedAs, type Restraints } from './restraints.js';
import type { Step } from './step.js';

/** What protects those who approve from those who ask, at the moment of a step. */
export interface Protection {
  readonly restraints: Restraints;
  readonly principals: Principals;
  readonly limits: FatigueLimits;
  readonly now: EpochMs;
}

/** A step with the restraints that follow from it. */
export interface ProtectedStep extends Step {
  readonly restraints: Restraints;
}

type Asked = Pick<RequestDocument, 'requester' | 'resource'>;

/** Aliases are their person; shared accounts count by their name. */
function pairOf({ requester, resource }: Asked, principals: Principals): Pair {
  return { requester: countedAs(requester, principals), resource };
}

/** @throws Problem `locked`, for asks that nobody would be troubled with, too */
export function checkNobodyLocked(asked: Asked, { restraints, principals }: Protection): void {
  checkNotLocked(restraints, countedAs(asked.requester, principals), asked.requester);
}

/** @throws Problem `muted` where nobody is to be troubled with this */
export function checkMayTrouble(asked: Asked, { restraints, principals, now }: Protection): void {
  checkNotMuted(restraints, pairOf(asked, principals), now);
}

/** Why nothing in the name of this requester goes on; null where it may. */
export function whyBarred({ document }: Request, { restraints, principals }: Protection): string | null {
  const lock = lockOn(restraints, countedAs(document.requester, principals), document.requester);
  return lock === null ? null : `${lock.by} called a request of ${lock.requester} a fraud`;
}

/** A denial counts against its pair; one that is signed as a fraud locks the requester. */
export function afterDenial(step: Step, vote: Vote, protection: Protection): ProtectedStep {
  const { principals, limits, now } = protection;
  const { id, document } = step.request;
  const pair = pairOf(document, principals);
  const { restraints, muted } = struck(protection.restraints, pair, now, limits);
  const events: NewEvent[] = [...step.events];
  if (muted !== null) {
    const until = formatTime(muted);
    events.push({ kind: 'requester.muted', at: now, body: { ...pair, until, request: id } });
  }
  if (!isFraudComment(vote.comment)) return { ...step, events, restraints };
  const { requester } = pair;
  const { approver: by, comment } = vote;
  events.push({
    kind: 'requester.locked',
    at: now,
    body: { requester, asked: document.requester, by, request: id, comment },
  });
  const lock = { requester, since: now, by, request: id, comment };
  return { ...step, events, restraints: locked(restraints, lock) };
}

/** An approval takes back what denials of its pair have done. */
export function afterApproval(step: Step, { restraints, principals }: Protection): ProtectedStep {
  const isApproved = step.request.state !== 'pending';
  const pair = pairOf(step.request.document, principals);
  return { ...step, restraints: isApproved ? forgiven(restraints, pair) : restraints };
}
