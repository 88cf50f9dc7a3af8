import { isGrant, usesLeft, worthOf } from '../../src/protocol/grant.js';
import type { Claim, RequestId } from '../../src/protocol/names.js';
import { isLive, type RequestState } from '../../src/protocol/request-view.js';
import { parseRule, type Rule } from '../../src/protocol/rule.js';
import { type Counted, type Evaluation, evaluate } from '../policy/quorum.js';
import type { Peers } from '../store/store.js';
import { aloneStands } from './break-glass.js';
import { approvedUnder, endedWithGrant, used } from './grant-steps.js';
import * as lifecycle from './lifecycle.js';
import { aloneDropped } from './lone-steps.js';
import { type Protection, whyBarred } from './protection.js';
import type { Request, Vote } from './request.js';
import type { Step } from './step.js';
import { meetsTerms, standingVotes } from './verification.js';

/** What a step is decided by, besides the request. Every function here is pure. */
export interface Moment extends Protection {
  readonly peers: Peers;
}

/** A step of one request, and those of others that belong to it. */
export interface Steps extends Step {
  readonly others?: readonly Step[];
}

/** What its clocks, or the lock on its requester, make of a request; null where it goes on. */
export function overdue(request: Request, moment: Protection): Step | null {
  const why = whyBarred(request, moment);
  const barred = why === null ? null : lifecycle.barred(request, why, moment.now);
  return barred ?? aloneOutdated(request, moment) ?? lifecycle.overdue(request, moment.now);
}

/** Whoever was to be let in alone by now, and lost the right to it, is not. */
function aloneOutdated(request: Request, { principals, now }: Omit<Moment, 'peers'>): Step | null {
  const { alone, state } = request;
  if (alone === null || state !== 'pending' || now < alone.opensAt) return null;
  if (aloneStands(request, parseRule(request.rule), principals, alone.opensAt)) return null;
  return aloneDropped(request, now);
}

/** The votes that count under a rule and the roster of this moment, and what they amount to. */
export interface Count {
  readonly rule: Rule;
  readonly votes: readonly Vote[];
  readonly evaluation: Evaluation;
}

/** A vote for a grant with a duration must have stood at the first use; from then on its time is that of the grant. */
export function countVotes(request: Request, { principals, now }: Moment): Count {
  const rule = parseRule(request.rule);
  const { redeemedAt } = request;
  const asOf = redeemedAt !== null && worthOf(request.votes).duration > 0 ? redeemedAt : now;
  const votes = standingVotes(request.votes, principals, asOf);
  const evaluation = evaluate(rule, request.document.requester, votes, principals);
  return { rule, votes, evaluation };
}

const counting = ({ votes, evaluation }: Count): readonly Vote[] =>
  votes.filter(({ approver }) => !evaluation.dropped.includes(approver));

/** The roster or a group has changed, or somebody looks: counts the votes anew; nothing to be said is null. */
export function reconsidered(request: Request, moment: Moment): Steps | null {
  const late = overdue(request, moment);
  // What passes under a grant stands and falls with it.
  if (late !== null || request.grant !== null) return late;
  const { now } = moment;
  const fallen = aloneFallen(request, moment);
  if (fallen !== null) {
    const after = reconsidered(fallen.request, moment);
    return after === null ? fallen : { ...after, events: [...fallen.events, ...after.events] };
  }
  if (request.alone?.opened) return null;
  const { rule, votes, evaluation } = countVotes(request, moment);
  return lifecycle.reconsidered(request, rule, votes, evaluation, now);
}

/** What becomes of a request whose requester may no longer let himself in; null where that is not so. */
function aloneFallen(request: Request, { principals, now }: Moment): Step | null {
  if (aloneStands(request, parseRule(request.rule), principals, now)) return null;
  return aloneDropped(request, now);
}

/** A door uses the approval under its claim; null where there is nothing (more) to use. */
export function redeemed(request: Request, claim: Claim, moment: Moment): Steps | null {
  const { now } = moment;
  const isUnused = request.state === 'approved' || (request.state === 'active' && request.claim === null);
  if (!isUnused) return null;
  const late = overdue(request, moment);
  if (late !== null) return late;
  if (request.grant !== null) return redeemedUnder(request, request.grant, claim, moment);
  if (request.alone?.opened) return aloneFallen(request, moment) ?? lifecycle.redeemed(request, claim, now);
  const count = countVotes(request, moment);
  if (count.evaluation.satisfied) {
    return lifecycle.redeemed({ ...request, votes: counting(count) }, claim, now);
  }
  return lifecycle.reconsidered(request, count.rule, count.votes, count.evaluation, now);
}

/** Uses the grant under which the request was approved, which must still admit it. */
function redeemedUnder(request: Request, id: RequestId, claim: Claim, moment: Moment): Steps {
  const { now } = moment;
  const grant = moment.peers.approved(request).find((peer) => peer.id === id) ?? null;
  if (grant === null) return endedWithGrant(request, id, 'lapsed', 'it is over', now);
  const judged = judge(grant, request, parseRule(request.rule), moment);
  switch (judged.kind) {
    case 'ended': {
      const { state, endedBy } = judged.step.request;
      const end = state === 'revoked' ? 'revoked' : 'lapsed';
      const step = endedWithGrant(request, id, end, endedBy ?? state, now);
      return { ...step, others: [judged.step, ...unusedEnded(judged.step.request, moment, request.id)] };
    }
    case 'refused':
      return endedWithGrant(request, id, 'revoked', 'it no longer meets the rule', now);
    case 'admitted': {
      const use = used(judged.grant, request.id, now);
      const step = lifecycle.redeemed({ ...request, votes: judged.grant.votes }, claim, now);
      if (step === null) throw new TypeError('an unused approval has no claim');
      return { ...step, others: [use, ...unusedEnded(use.request, moment, request.id)] };
    }
  }
}

/**
 * Lets a new ask pass under a grant of equal scope by the same submitter, with a claim at once; null where there is none
 * that admits it. The rule that the policy gives the ask now must allow that grant too: one that was loosened since never
 * loosens it, one that was tightened tightens it (A16).
 */
function passed(request: Request, claim: Claim | null, moment: Moment): Steps | null {
  const { now } = moment;
  const rule = parseRule(request.rule);
  const equal = moment.peers.approved(request);
  const others: Step[] = [];
  for (const grant of equal.filter(isGrantInForce)) {
    const judged = judge(grant, request, rule, moment);
    if (judged.kind === 'ended') others.push(judged.step, ...unusedEnded(judged.step.request, moment, null));
    if (judged.kind !== 'admitted' || room(grant, equal) < 1) continue;
    const approved = approvedUnder(request, judged.grant, rule, judged.counted, now);
    const step = claim === null ? null : lifecycle.redeemed(approved.request, claim, now);
    if (step === null) return { ...approved, others };
    const use = used(judged.grant, request.id, now);
    const events = [...approved.events, ...step.events];
    return { ...step, events, others: [...others, use, ...unusedEnded(use.request, moment, null)] };
  }
  return others.length === 0 ? null : { request, events: [], others };
}

/**
 * Approves at once what a rule lets pass without anybody, with a claim for its use too; null for every other rule. Such an
 * approval has no receipts, so that no door opens for it unless its own configuration says that none is needed.
 */
function approvedAutomatically(request: Request, claim: Claim | null, moment: Moment): Steps | null {
  const rule = parseRule(request.rule);
  if (rule.approvals !== 'automatic' || request.state !== 'pending') return null;
  const approved = lifecycle.approvedAutomatically(request, rule, moment.now);
  const used = claim === null ? null : lifecycle.redeemed(approved.request, claim, moment.now);
  return used === null ? approved : { ...used, events: [...approved.events, ...used.events] };
}

/** Lets a new ask pass that nobody is to be troubled with: under a grant, or by its rule alone; null where it waits. */
export function passedAtOnce(request: Request, claim: Claim | null, moment: Moment): Steps | null {
  const under = passed(request, claim, moment);
  if (under !== null && under.request.state !== 'pending') return under;
  const automatic = approvedAutomatically(request, claim, moment);
  // Grants that were found at their end, end all the same.
  return automatic === null ? under : { ...automatic, others: under?.others ?? [] };
}

/**
 * What follows for equal asks from a step of a grant: when it is given, those that are pending pass under it; when it ends,
 * so do approvals under it that nobody has used.
 */
export function following(before: RequestState, grant: Request, moment: Moment): readonly Step[] {
  if (!isLive(before) || !isGrant(grant)) return [];
  if (!isLive(grant.state)) return unusedEnded(grant, moment, null);
  return before === 'pending' && grant.state === 'approved' ? released(grant, moment) : [];
}

function released(grant: Request, moment: Moment): readonly Step[] {
  const { now, peers } = moment;
  const equal = peers.equal(grant);
  const pending = equal.filter(
    (peer) => peer.state === 'pending' && peer.id !== grant.id && overdue(peer, moment) === null,
  );
  const steps = pending.flatMap((peer) => {
    const rule = parseRule(peer.rule);
    const judged = judge(grant, peer, rule, moment);
    return judged.kind === 'admitted' ? [approvedUnder(peer, judged.grant, rule, judged.counted, now)] : [];
  });
  return steps.slice(0, Math.max(0, room(grant, equal)));
}

function unusedEnded(grant: Request, { peers, now }: Moment, except: RequestId | null): readonly Step[] {
  if (isLive(grant.state)) return [];
  const end = grant.state === 'revoked' ? 'revoked' : 'lapsed';
  return peers
    .approved(grant)
    .filter((peer) => peer.grant === grant.id && peer.id !== except)
    .map((peer) => endedWithGrant(peer, grant.id, end, grant.endedBy ?? grant.state, now));
}

type Judged =
  /** With the votes that count now. */
  | { readonly kind: 'admitted'; readonly grant: Request; readonly counted: Counted }
  /** The grant itself does not stand any more. */
  | { readonly kind: 'ended'; readonly step: Step }
  /** The grant stands, but not for this ask. */
  | { readonly kind: 'refused' };

/** Whether an equal ask may pass under a grant, by the rule that is pinned by each of them and the roster of now. */
function judge(grant: Request, ask: Request, rule: Rule, moment: Moment): Judged {
  const { now, principals } = moment;
  const late = overdue(grant, moment);
  if (late !== null) return { kind: 'ended', step: late };
  const count = countVotes(grant, moment);
  if (!count.evaluation.satisfied) {
    const fallen = lifecycle.reconsidered(grant, count.rule, count.votes, count.evaluation, now);
    return fallen === null ? { kind: 'refused' } : { kind: 'ended', step: fallen };
  }
  const votes = counting(count);
  const { requester } = ask.document;
  const { satisfied, counted } = evaluate(rule, requester, votes, principals);
  const isAllowed =
    // What was approved with these facts beside it is not for a caller with others.
    ask.verified === grant.verified &&
    votes.every((vote) => meetsTerms(vote, rule, ask.document)) &&
    satisfied;
  return isAllowed ? { kind: 'admitted', grant: { ...grant, votes }, counted } : { kind: 'refused' };
}

/** Whether an equal ask could pass under it. */
export const isGrantInForce = (request: Request): boolean =>
  isGrant(request) && (request.state === 'approved' || request.state === 'active');

/** For how many more asks a grant has uses: one is kept for its own, and one for each approval that nobody has used yet. */
function room(grant: Request, equal: readonly Request[]): number {
  const unused = equal.filter((peer) => peer.grant === grant.id).length;
  return usesLeft(grant) - unused - (grant.claim === null ? 1 : 0);
}
