import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { RequestEventKind } from '../../src/protocol/stream-messages.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { NewEvent, Request } from './request.js';

/**
 * A step in the life of a request: what it is afterwards, and what the log says about it. The functions that make steps
 * (lifecycle.ts, grant-steps.ts, lone-steps.ts) are pure; a Problem means that nothing changes.
 */
export interface Step {
  readonly request: Request;
  readonly events: readonly NewEvent[];
}

/** Said of a vote that was dropped (A15). */
export const noLonger = (approver: Name): string => `the yes of ${approver} no longer counts`;

/** Votes stopped counting between decision and use: the approval falls. */
export function voided(request: Request, dropped: readonly Name[], now: EpochMs): Step {
  return ended(request, 'revoked', `${dropped.join(', ')} may no longer approve this`, now);
}

type EndState = 'redeemed' | 'denied' | 'expired' | 'cancelled' | 'lapsed' | 'revoked';

/** A request that has ended, and why. */
export function ended(
  request: Request,
  state: EndState,
  endedBy: string,
  now: EpochMs,
  proof: JsonObject = {},
): Step {
  return {
    request: { ...request, state, endedAt: now, endedBy, missing: [], idleSince: null },
    events: [event(`request.${state}`, request, now, { because: endedBy, ...proof })],
  };
}

/** An entry of the log about a request. */
export function event(kind: RequestEventKind, request: Request, at: EpochMs, body: JsonObject): NewEvent {
  return { kind, at, body: { id: request.id, digest: request.digest, ...body } };
}

/** @throws Problem `request-ended` */
export function checkPending(request: Request, now: EpochMs): void {
  if (request.state !== 'pending')
    throw new Problem('request-ended', `the request is ${request.state} already`, {
      ...(request.state === 'approved' || request.state === 'active'
        ? { hint: `what was approved can be taken back: countersign revoke ${request.id}` }
        : {}),
    });
  if (now >= request.answerBy && request.alone === null)
    throw new Problem('request-ended', 'the time to answer is over');
}
