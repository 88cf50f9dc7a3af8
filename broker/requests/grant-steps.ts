import { grantEnd, grantOver } from '../../src/protocol/grant.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { Rule } from '../../src/protocol/rule.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { Counted } from '../policy/quorum.js';
import type { Request } from './request.js';
import { checkPending, ended, event, type Step } from './step.js';

/** The end of a grant whose time is over, or whose uses are made; null while it lives. */
export function spentGrant(grant: Request, now: EpochMs): Step | null {
  const why = grantEnd(grant, now);
  return why === null ? null : ended(grant, 'redeemed', why, now);
}

/**
 * A use of a grant that still has one: its time begins with the first, and the last one ends it.
 *
 * @param by the request that passes, the grant itself or a later equal one
 */
export function used(grant: Request, by: RequestId, now: EpochMs): Step {
  const uses = grant.uses + 1;
  const request: Request = { ...grant, state: 'active', uses, redeemedAt: grant.redeemedAt ?? now };
  const use = event('request.used', request, now, { by, uses });
  const end = spentGrant(request, now);
  return end === null ? { request, events: [use] } : { ...end, events: [use, ...end.events] };
}

/**
 * A pending request passes under a grant of the same scope and submitter: its votes and receipts are the grant's.
 *
 * @param counted whose votes that are, for the log
 */
export function approvedUnder(
  request: Request,
  grant: Request,
  rule: Rule,
  counted: Counted,
  now: EpochMs,
): Step {
  checkPending(request, now);
  const until = grantOver(grant) ?? grant.claimBy ?? now;
  const claimBy = Math.min(now + rule.claimBy * 1000, until);
  return {
    request: {
      ...request,
      state: 'approved',
      grant: grant.id,
      votes: grant.votes,
      missing: [],
      claimBy,
      idleSince: null,
    },
    events: [
      event('request.approved', request, now, { grant: grant.id, claimBy: formatTime(claimBy), counted }),
    ],
  };
}

/** The grant under which an unused approval was given has ended, or does not stand for it any more. */
export function endedWithGrant(
  request: Request,
  grant: RequestId,
  state: 'revoked' | 'lapsed',
  why: string,
  now: EpochMs,
): Step {
  return ended(request, state, `the grant ${grant} is gone: ${why}`, now);
}
