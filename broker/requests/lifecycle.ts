import type { BoundDocument } from '../../src/protocol/document.js';
import type { Claim, Digest, Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { isLive, type Outcome } from '../../src/protocol/request-view.js';
import { type PinnedRule, parseRule, type Rule } from '../../src/protocol/rule.js';
import type { RequestEventKind } from '../../src/protocol/stream-messages.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { Evaluation } from '../policy/quorum.js';
import type { LoneApproval, NewEvent, Request, Vote } from './request.js';

/** How long a pending request without askers is kept for one to join, in ms. */
export const IDLE_GRACE = 60_000;

/**
 * A step in the life of a request: what it is afterwards, and what the log says about it. Every function here is pure;
 * a Problem means that nothing changes.
 */
export interface Step {
  readonly request: Request;
  readonly events: readonly NewEvent[];
}

export interface Submission {
  readonly id: RequestId;
  readonly bound: BoundDocument;
  readonly submitter: Name;
  readonly vouched: string | null;
  readonly verified: string | null;
  /** Digest of the signers file that the door says it has. */
  readonly signers: Digest | null;
  readonly rule: PinnedRule;
  /** What the rule asks for, in words. */
  readonly missing: readonly string[];
}

/** A new request with its first asker. */
export function submitted(submission: Submission, now: EpochMs): Step {
  const { id, bound, submitter, vouched, verified, signers, rule, missing } = submission;
  const request: Request = {
    ...bound,
    id,
    submitter,
    vouched,
    verified,
    rule: rule.text,
    policy: rule.digest,
    submittedAt: now,
    answerBy: now + rule.answerBy * 1000,
    state: 'pending',
    claimBy: null,
    votes: [],
    alone: null,
    missing,
    claim: null,
    redeemedAt: null,
    report: null,
    endedAt: null,
    endedBy: null,
    askers: 1,
    idleSince: null,
  };
  const { document, digest, scope } = bound;
  const body = {
    id,
    digest,
    scope,
    submitter,
    vouched,
    ...(verified === null ? {} : { verified }),
    ...(signers === null ? {} : { signers }),
    rule: rule.text,
    policy: rule.digest,
    document: { ...document },
    answerBy: formatTime(request.answerBy),
  };
  return { request, events: [{ kind: 'request.submitted', at: now, body }] };
}

/** One more asker for a request that stands already. Nothing for the log: who waits changes nothing that is asked. */
export function joined(request: Request): Step {
  return { request: { ...request, askers: request.askers + 1, idleSince: null }, events: [] };
}

/** One asker fewer. A pending request that nobody waits for is cancelled after {@link IDLE_GRACE}. */
export function detached(request: Request, now: EpochMs): Step {
  const askers = Math.max(0, request.askers - 1);
  const idleSince = askers === 0 && request.state === 'pending' ? now : null;
  return { request: { ...request, askers, idleSince }, events: [] };
}

/** The clocks: what is overdue ends, everything else stays as it is (null). */
export function overdue(request: Request, now: EpochMs): Step | null {
  if (request.state === 'pending' && request.alone !== null) {
    return now >= request.alone.opensAt ? openedAlone(request, request.alone, now) : null;
  }
  if (request.state === 'pending' && now >= request.answerBy) {
    return ended(request, 'expired', 'nobody answered in time', now);
  }
  if (request.state === 'pending' && request.idleSince !== null && now >= request.idleSince + IDLE_GRACE) {
    return ended(request, 'cancelled', 'nobody was waiting any more', now);
  }
  if (request.state === 'approved' && request.claimBy !== null && now >= request.claimBy) {
    return ended(request, 'lapsed', 'the approval was not used in time', now);
  }
  return null;
}

/** When {@link overdue} can next have something to do; null for a request that has ended. */
export function nextDeadline(request: Request): EpochMs | null {
  if (request.state === 'approved') return request.claimBy;
  if (request.state !== 'pending') return null;
  if (request.alone !== null) return request.alone.opensAt;
  const idle = request.idleSince === null ? Number.POSITIVE_INFINITY : request.idleSince + IDLE_GRACE;
  return Math.min(request.answerBy, idle);
}

/** A deny ends the request at once. */
export function denied(request: Request, vote: Vote, now: EpochMs): Step {
  checkPending(request, now);
  const voted = { ...request, votes: [...request.votes, vote] };
  return ended(voted, 'denied', `denied by ${vote.approver}`, now, { receipt: vote.receipt });
}

/**
 * A yes: the request is approved when the rule is satisfied, else it waits for more.
 *
 * @param evaluate what the votes, this one included, amount to.
 * @throws Problem `request-ended`, `already-voted`
 */
export function approved(
  request: Request,
  vote: Vote,
  rule: Rule,
  evaluate: (votes: readonly Vote[]) => Evaluation,
  now: EpochMs,
): Step {
  checkPending(request, now);
  if (request.votes.some(({ approver }) => approver === vote.approver)) {
    throw new Problem('already-voted', `${vote.approver} has signed already`);
  }
  const votes = [...request.votes, vote];
  const voted: NewEvent = event('request.voted', request, now, {
    approver: vote.approver,
    receipt: vote.receipt,
  });
  return counted({ ...request, votes }, rule, evaluate(votes), [voted], now);
}

/**
 * The requester lets himself in: the request stays pending until the delay of the rule is over, whoever waits for it, so
 * that anybody can say no, and others can still say yes.
 *
 * @throws Problem `request-ended`, `already-voted`; `not-after-invalid` for a yes that ends before it could open anything.
 */
export function aloneSigned(request: Request, vote: Vote, delay: number, now: EpochMs): Step {
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
  const facts = { approver: vote.approver, receipt: vote.receipt, opensAt: formatTime(opensAt) };
  return {
    request: { ...request, alone: { vote, opensAt, opened: false } },
    events: [event('request.alone', request, now, facts)],
  };
}

/** Nobody has said no while the delay of break-glass went by. */
function openedAlone(request: Request, alone: LoneApproval, now: EpochMs): Step {
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
  if (request.state === 'approved') return voided(request, [approver], now);
  if (request.state !== 'pending') return null;
  const missing = [`the yes of ${approver} no longer counts`, ...request.missing];
  return {
    request: { ...request, alone: null, missing },
    events: [event('request.reconsidered', request, now, { dropped: [approver], missing })],
  };
}

/** What a pending request is once its votes were evaluated. */
function counted(
  request: Request,
  rule: Rule,
  { satisfied, missing }: Pick<Evaluation, 'satisfied' | 'missing'>,
  events: readonly NewEvent[],
  now: EpochMs,
): Step {
  if (!satisfied) return { request: { ...request, missing }, events };
  const claimBy = Math.min(now + rule.claimBy * 1000, ...request.votes.map(({ notAfter }) => notAfter));
  return {
    request: { ...request, state: 'approved', missing: [], claimBy, idleSince: null },
    events: [...events, event('request.approved', request, now, { claimBy: formatTime(claimBy) })],
  };
}

/**
 * The roster or a group has changed: votes that stopped counting are dropped, and what is missing is said anew. An
 * approval that they carried falls.
 *
 * @param evaluation of the votes that still stand
 * @returns null where nothing is to be said
 */
export function reconsidered(
  request: Request,
  rule: Rule,
  standing: readonly Vote[],
  evaluation: Evaluation,
  now: EpochMs,
): Step | null {
  const votes = standing.filter(({ approver }) => !evaluation.dropped.includes(approver));
  const dropped = request.votes.filter((vote) => !votes.includes(vote)).map(({ approver }) => approver);
  if (request.state === 'approved') return evaluation.satisfied ? null : voided(request, dropped, now);
  if (request.state !== 'pending') return null;
  const missing = [
    ...dropped.map((approver) => `the yes of ${approver} no longer counts`),
    ...evaluation.missing,
  ];
  // What was said of dropped votes before stays said.
  const said = request.missing.slice(-evaluation.missing.length);
  const isSame = dropped.length === 0 && said.join('\n') === evaluation.missing.join('\n');
  if (isSame && !evaluation.satisfied) return null;
  const noted = event('request.reconsidered', request, now, { dropped, missing });
  return counted({ ...request, votes }, rule, { ...evaluation, missing }, [noted], now);
}

/**
 * The door uses the approval under its claim. The same claim again changes nothing (null).
 *
 * @throws Problem `spent` for another claim; `request-ended` for a request that is not approved.
 */
export function redeemed(request: Request, claim: Claim, now: EpochMs): Step | null {
  if (request.state === 'redeemed' && request.claim === claim) return null;
  if (request.state !== 'approved') throw endedProblem(request);
  return {
    request: {
      ...request,
      state: 'redeemed',
      claim,
      redeemedAt: now,
      endedAt: now,
      endedBy: 'redeemed by the door',
    },
    events: [event('request.redeemed', request, now, {})],
  };
}

/**
 * What the door did. `opened` and `refused` follow a redeem under the same claim; `observed` ends a pending request,
 * because the door that watches has let its user pass. The same report again changes nothing (null).
 *
 * @throws Problem `not-redeemed`, `already-reported`, `request-ended`
 */
export function reported(
  request: Request,
  report: { readonly claim: Claim; readonly outcome: Outcome; readonly code: string | null },
  now: EpochMs,
): Step | null {
  const { claim, outcome, code } = report;
  if (request.report !== null) {
    const same =
      request.report.claim === claim && request.report.outcome === outcome && request.report.code === code;
    if (same) return null;
    throw new Problem('already-reported', 'the door has reported another outcome');
  }
  const logged = event('request.reported', request, now, { outcome, code });
  const withReport = { ...request, report: { claim, outcome, code, at: now } };
  if (outcome === 'observed') {
    checkPending(request, now);
    const end = ended(withReport, 'cancelled', 'observed only: the door did not wait', now);
    return { request: end.request, events: [logged, ...end.events] };
  }
  if (request.state !== 'redeemed' || request.claim !== claim) {
    throw new Problem('not-redeemed', 'this claim has not redeemed the request');
  }
  return { request: withReport, events: [logged] };
}

/** The only asker takes the question back. @throws Problem `request-ended` */
export function withdrawn(request: Request, now: EpochMs): Step {
  checkPending(request, now);
  return ended({ ...request, askers: 0 }, 'cancelled', 'cancelled by the requester', now);
}

/** An approval that is not used yet is taken back. @throws Problem `nothing-to-revoke` */
export function revoked(request: Request, by: Name, statement: string, now: EpochMs): Step {
  if (request.state !== 'approved') {
    throw new Problem('nothing-to-revoke', `the request is ${request.state}, not an unused approval`);
  }
  return ended(request, 'revoked', `revoked by ${by}`, now, { statement });
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

/** Somebody called another request of this requester a fraud: nothing in his name goes on. Null where it has ended. */
export function barred(request: Request, because: string, now: EpochMs): Step | null {
  if (!isLive(request.state)) return null;
  return ended(request, request.state === 'pending' ? 'denied' : 'revoked', because, now);
}

/** Votes stopped counting between decision and use: the approval falls. */
export function voided(request: Request, dropped: readonly Name[], now: EpochMs): Step {
  return ended(request, 'revoked', `${dropped.join(', ')} may no longer approve this`, now);
}

/**
 * The database was replaced by a back-up in which the request was still live: what became of it since is not known, so
 * it ends, and whoever asked asks anew.
 */
export function endedByRestore(request: Request, now: EpochMs): Step {
  if (request.state === 'pending') {
    return ended(request, 'cancelled', 'the broker was restored from a back-up', now);
  }
  return ended(
    request,
    'lapsed',
    'the broker was restored from a back-up in which this was not used yet',
    now,
  );
}

/** The problem that stands for how a request ended. */
export function endedProblem(request: Request): Problem {
  const { state, endedBy } = request;
  const detail = endedBy ?? `the request is ${state}`;
  if (state === 'redeemed') return new Problem('spent', 'the approval was used already');
  if (isLive(state)) return new Problem('request-ended', detail);
  return new Problem(state, detail);
}

type EndState = 'denied' | 'expired' | 'cancelled' | 'lapsed' | 'revoked';

function ended(
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

function event(kind: RequestEventKind, request: Request, at: EpochMs, body: JsonObject): NewEvent {
  return { kind, at, body: { id: request.id, digest: request.digest, ...body } };
}

function checkPending(request: Request, now: EpochMs): void {
  if (request.state !== 'pending')
    throw new Problem('request-ended', `the request is ${request.state} already`, {
      ...(request.state === 'approved'
        ? { hint: `what is not used yet can be taken back: countersign revoke ${request.id}` }
        : {}),
    });
  if (now >= request.answerBy && request.alone === null)
    throw new Problem('request-ended', 'the time to answer is over');
}
