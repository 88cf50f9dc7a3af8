import type { BoundDocument } from '../../src/protocol/document.js';
import { grantOver, isGrant } from '../../src/protocol/grant.js';
import type { Claim, Digest, Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { isLive, type Outcome, opensAloneLater } from '../../src/protocol/request-view.js';
import type { PinnedRule, Rule } from '../../src/protocol/rule.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { Evaluation } from '../policy/quorum.js';
import { spentGrant, used } from './grant-steps.js';
import { openedAlone } from './lone-steps.js';
import type { NewEvent, Request, Vote } from './request.js';
import { checkPending, ended, event, noLonger, type Step, voided } from './step.js';

/** How long a pending request without askers is kept for one to join, in ms. */
export const IDLE_GRACE = 60_000;

export interface Submission {
  readonly id: RequestId;
  readonly bound: BoundDocument;
  readonly submitter: Name;
  readonly vouched: string | null;
  readonly verified: string | null;
  /** Digest of the signers file that the door says it has. */
  readonly signers: Digest | null;
  /** Who was asked whether it may be asked, and allowed it; null for nobody. */
  readonly validated: readonly string[] | null;
  readonly rule: PinnedRule;
  /** What the rule asks for, in words. */
  readonly missing: readonly string[];
}

/** A new request with its first asker. */
export function submitted(submission: Submission, now: EpochMs): Step {
  const { id, bound, submitter, vouched, verified, signers, validated, rule, missing } = submission;
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
    grant: null,
    uses: 0,
    watchedAt: null,
    report: null,
    canary: null,
    endedAt: null,
    endedBy: null,
    comments: [],
    escalated: null,
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
    ...(validated === null ? {} : { validated }),
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
  return request.state === 'active' ? spentGrant(request, now) : null;
}

/** When {@link overdue} can next have something to do; null for a request that has ended. */
export function nextDeadline(request: Request): EpochMs | null {
  if (request.state === 'approved') return request.claimBy;
  if (request.state === 'active') return grantOver(request);
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
 * @param groups those of the rule that the approver is in, and who says so, for the log
 * @param over others whose yes has ended meanwhile, and is not among the votes any more
 * @throws Problem `request-ended`, `already-voted`; `covers-differ` where others have signed for more or for less
 */
export function approved(
  request: Request,
  vote: Vote,
  rule: Rule,
  evaluate: (votes: readonly Vote[]) => Evaluation,
  now: EpochMs,
  groups: Readonly<Record<string, string>> = {},
  over: readonly Name[] = [],
): Step {
  checkPending(request, now);
  if (request.votes.some(({ approver }) => approver === vote.approver)) {
    throw new Problem('already-voted', `${vote.approver} has signed already`);
  }
  const other = request.votes.find(({ covers }) => covers !== vote.covers);
  if (other !== undefined) throw coversDiffer(other, vote);
  const votes = [...request.votes, vote];
  const voted: NewEvent = event('request.voted', request, now, {
    approver: vote.approver,
    receipt: vote.receipt,
    ...(Object.keys(groups).length === 0 ? {} : { groups }),
  });
  const evaluation = evaluate(votes);
  const missing = [...over.filter((other) => other !== vote.approver).map(noLonger), ...evaluation.missing];
  const dropped =
    over.length === 0 ? [] : [event('request.reconsidered', request, now, { dropped: over, missing })];
  return counted({ ...request, votes }, rule, { ...evaluation, missing }, [...dropped, voted], now);
}

/** What a pending request is once its votes were evaluated. */
function counted(
  request: Request,
  rule: Rule,
  { satisfied, missing, counted: by }: Pick<Evaluation, 'satisfied' | 'missing' | 'counted'>,
  events: readonly NewEvent[],
  now: EpochMs,
): Step {
  if (!satisfied) return { request: { ...request, missing }, events };
  const claimBy = Math.min(now + rule.claimBy * 1000, ...request.votes.map(({ notAfter }) => notAfter));
  return {
    request: { ...request, state: 'approved', missing: [], claimBy, idleSince: null },
    events: [
      ...events,
      event('request.approved', request, now, { claimBy: formatTime(claimBy), counted: by }),
    ],
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
  if (request.state === 'approved' || request.state === 'active') {
    return evaluation.satisfied ? null : voided(request, dropped, now);
  }
  if (request.state !== 'pending') return null;
  const missing = [...dropped.map(noLonger), ...evaluation.missing];
  // What was said of dropped votes before stays said.
  const said = request.missing.slice(-evaluation.missing.length);
  const isSame = dropped.length === 0 && said.join('\n') === evaluation.missing.join('\n');
  if (isSame && !evaluation.satisfied) return null;
  const noted = event('request.reconsidered', request, now, { dropped, missing });
  return counted({ ...request, votes }, rule, { ...evaluation, missing }, [noted], now);
}

/** Whether this claim has used the approval, so that it gets the same answer again. */
export const isUsedBy = (request: Request, claim: Claim | null): boolean =>
  claim !== null && request.claim === claim && (request.state === 'redeemed' || request.state === 'active');

/**
 * The door uses the approval under its claim. The same claim again changes nothing (null). A grant may have been used by
 * other asks before its own.
 *
 * @throws Problem `spent` for another claim; `request-ended` for a request that is not approved.
 */
export function redeemed(request: Request, claim: Claim, now: EpochMs): Step | null {
  if (isUsedBy(request, claim)) return null;
  const waits = request.state === 'approved' || (request.state === 'active' && request.claim === null);
  if (!waits) throw endedProblem(request);
  if (isGrant(request)) return used({ ...request, claim }, request.id, now);
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

/** A pending request is approved by its rule alone, on facts that the broker verified. */
export function approvedAutomatically(request: Request, rule: Rule, now: EpochMs): Step {
  checkPending(request, now);
  const claimBy = now + rule.claimBy * 1000;
  return {
    request: { ...request, state: 'approved', missing: [], claimBy, idleSince: null },
    events: [event('request.approved', request, now, { automatic: true, claimBy: formatTime(claimBy) })],
  };
}

/** A door watches what it opened. Nothing for another one (null). */
export function watched(request: Request, now: EpochMs): Step | null {
  if (request.watchedAt !== null) return null;
  const events = [event('request.watched', request, now, {})];
  return { request: { ...request, watchedAt: now }, events };
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
  if (request.redeemedAt === null || request.claim !== claim) {
    throw new Problem('not-redeemed', 'this claim has not redeemed the request');
  }
  return { request: withReport, events: [logged] };
}

/** The broker is the door itself, and has said at once what it did under its claim. */
export function performed(
  request: Request,
  { claim, code, words }: { readonly claim: Claim; readonly code: string | null; readonly words: string },
  now: EpochMs,
): Step {
  const outcome = code === null ? 'opened' : 'refused';
  return {
    request: { ...request, report: { claim, outcome, code, at: now }, endedBy: words },
    events: [event('request.reported', request, now, { outcome, code })],
  };
}

/** The only asker takes the question back. @throws Problem `request-ended` */
export function withdrawn(request: Request, now: EpochMs, because = 'cancelled by the requester'): Step {
  checkPending(request, now);
  return ended({ ...request, askers: 0 }, 'cancelled', because, now);
}

/**
 * An approval that is not used yet, or a grant, is taken back; what was opened, where a door watches it; and what somebody
 * signed alone, as long as the door that claimed it has not said that it opened.
 *
 * @param isWatching whether a door waits to hear of it
 * @param groups those of the rule's revokers that this person is in, and who says so, for the log
 * @throws Problem `nothing-to-revoke`
 */
export function revoked(
  request: Request,
  by: Name,
  statement: string,
  now: EpochMs,
  isWatching = isWatched(request),
  groups: Readonly<Record<string, string>> = {},
): Step {
  const { state, document, grant } = request;
  if (state === 'redeemed' && !isWatching && !opensAloneLater(request)) {
    const further = grant === null ? '' : `; further uses end with: countersign revoke ${grant}`;
    throw new Problem('nothing-to-revoke', `it was used, and ${document.door} does not end what it opened`, {
      hint: `end it on ${document.door} yourself${further}`,
    });
  }
  if (state !== 'approved' && state !== 'active' && state !== 'redeemed') {
    throw new Problem('nothing-to-revoke', `the request is ${state}: there is no approval to take back`);
  }
  const proof = Object.keys(groups).length === 0 ? { statement } : { statement, groups };
  return ended(request, 'revoked', `revoked by ${by}`, now, proof);
}

/** Somebody called another request of this requester a fraud: nothing in his name goes on. Null where it has ended. */
export function barred(request: Request, because: string, now: EpochMs): Step | null {
  if (!isLive(request.state)) return null;
  return ended(request, request.state === 'pending' ? 'denied' : 'revoked', because, now);
}

/**
 * The database was replaced by a back-up in which the request was still live: what became of it since is not known, so
 * it ends, and whoever asked asks anew.
 */
export function endedByRestore(request: Request, now: EpochMs): Step {
  if (request.state === 'pending') {
    return ended(request, 'cancelled', 'the broker was restored from a back-up', now);
  }
  const then = request.state === 'active' ? 'this grant was in use' : 'this was not used yet';
  return ended(request, 'lapsed', `the broker was restored from a back-up in which ${then}`, now);
}

/** The problem that stands for how a request ended. */
export function endedProblem(request: Request): Problem {
  const { state, endedBy } = request;
  const detail = endedBy ?? `the request is ${state}`;
  if (state === 'redeemed' || state === 'active')
    return new Problem('spent', 'the approval was used already');
  if (isLive(state)) return new Problem('request-ended', detail);
  return new Problem(state, detail);
}

/** By which a door says in its report that it will end what it opened once that is revoked. */
export const WATCHED = 'watched';

/** Whether a door has said that it ends what it opened once that is revoked. */
export const isWatched = ({ watchedAt, report }: Request): boolean =>
  watchedAt !== null || report?.code === WATCHED;

/** Says who signed what, and what to do. */
function coversDiffer(other: Vote, vote: Vote): Problem {
  const what = { request: 'this one ask alone', scope: 'this and every equal ask' } as const;
  return new Problem(
    'covers-differ',
    `${other.approver} signed for ${what[other.covers]}, and ${vote.approver} for ${what[vote.covers]}`,
    { hint: `sign for ${what[other.covers]} too, or deny it and let it be asked anew` },
  );
}
