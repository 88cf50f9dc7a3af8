import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseRule } from '../../src/protocol/rule.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { LoneApproval, Request, Vote } from './request.js';
import { checkPending, event, noLonger, type Step, voided } from './step.js';

/**
 * The requester lets himself in: the request stays pending until the delay of the rule is over, whoever waits for it, so
 * that anybody can say no, and others can still say yes.
 *
 * @param groups the one that may do so, and who says that this person is in it, for the log
 * @throws Problem `request-ended`, `already-voted`; `not-after-invalid` for a yes that ends before it could open anything.
 */
export function aloneSigned(
  request: Request,
  vote: Vote,
  delay: number,
  now: EpochMs,
  groups: Readonly<Record<string, string>> = {},
): Step {
  checkPending(request, now);
  if (request.alone !== null) throw new Problem('already-voted', `${vote.approver} has signed already`);
  const opensAt = now + delay * 1000;
  if (vote.notAfter <= opensAt) {
    throw new Problem(
      'not-after-invalid',
      `not-after lies before ${formatTime(opensAt)}, when this would open`,
      {
        hint: 'sign with: countersign break-glass ID',
      },
    );
  }
  const facts = { approver: vote.approver, receipt: vote.receipt, opensAt: formatTime(opensAt), groups };
  return {
    request: { ...request, alone: { vote, opensAt, opened: false } },
    events: [event('request.alone', request, now, facts)],
  };
}

/** Nobody has said no while the delay of break-glass went by. */
export function openedAlone(request: Request, alone: LoneApproval, now: EpochMs): Step {
  const claimBy = Math.min(now + parseRule(request.rule).claimBy * 1000, alone.vote.notAfter);
  return {
    request: {
      ...request,
      state: 'approved',
      votes: [alone.vote],
      alone: { ...alone, opened: true },
      missing: [],
      claimBy,
      idleSince: null,
    },
    events: [event('request.approved', request, now, { claimBy: formatTime(claimBy), alone: true })],
  };
}

/** The requester may no longer let himself in: an approval of that kind falls, a pending request goes on without. */
export function aloneDropped(request: Request, now: EpochMs): Step | null {
  if (request.alone === null) return null;
  const { approver } = request.alone.vote;
  if (request.state === 'approved' && request.alone.opened) return voided(request, [approver], now);
  if (request.state !== 'pending') return null;
  const missing = [noLonger(approver), ...request.missing];
  return {
    request: { ...request, alone: null, missing },
    events: [event('request.reconsidered', request, now, { dropped: [approver], missing })],
  };
}

/** Somebody has signed that he looked at what was opened by its requester alone. Changes nothing about the request. */
export function reviewed(
  request: Request,
  approver: Name,
  statement: string,
  done: boolean,
  now: EpochMs,
): Step {
  return { request, events: [event('request.reviewed', request, now, { approver, statement, done })] };
}
