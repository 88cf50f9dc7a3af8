import * as z from 'zod';
import type { Name, RequestId } from '../../src/protocol/names.js';
import type {
  requestStatusSchema,
  requestViewSchema,
  talkedStatusSchema,
} from '../../src/protocol/request-view.js';
import { type Restoration, restorationSchema } from '../../src/protocol/restoration.js';
import type { openReviewSchema } from '../../src/protocol/review.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { Review } from '../store/store.js';
import type { Request, Vote } from './request.js';

type WireStatus = z.input<typeof requestStatusSchema>;
type WireTalked = z.input<typeof talkedStatusSchema>;
type WireVote = WireStatus['votes'][number];
type WireView = z.input<typeof requestViewSchema>;

const time = (at: EpochMs | null): string | null => (at === null ? null : formatTime(at));

const voteOnWire = (vote: Vote): WireVote => ({
  approver: vote.approver,
  verdict: vote.verdict,
  decided: formatTime(vote.decided),
  notAfter: formatTime(vote.notAfter),
  covers: vote.covers,
  duration: vote.duration,
  uses: vote.uses,
  comment: vote.comment,
  receipt: vote.receipt,
});

function aloneOnWire({ alone }: Request): WireStatus['alone'] {
  if (alone === null) return null;
  return { vote: voteOnWire(alone.vote), opensAt: formatTime(alone.opensAt), opened: alone.opened };
}

/** The changing part of a request, as it goes on the wire to anybody: nothing of what approvers said among themselves. */
export function statusOnWire(request: Request): WireStatus {
  const { report } = request;
  return {
    state: request.state,
    claimBy: time(request.claimBy),
    waiting: request.askers,
    votes: request.votes.map(voteOnWire),
    alone: aloneOnWire(request),
    missing: [...request.missing],
    redeemedAt: time(request.redeemedAt),
    grant: request.grant,
    uses: request.uses,
    watchedAt: time(request.watchedAt),
    report:
      report === null ? null : { outcome: report.outcome, code: report.code, at: formatTime(report.at) },
    canary: time(request.canary),
    endedAt: time(request.endedAt),
    endedBy: request.endedBy,
  };
}

/** The changing part with what approvers said, for approvers. Nothing is sent where nothing was said. */
export function talkedOnWire(request: Request): WireTalked {
  const { comments, escalated } = request;
  const said = comments.map((comment) => ({ ...comment, at: formatTime(comment.at) }));
  return {
    ...statusOnWire(request),
    ...(said.length === 0 ? {} : { comments: said }),
    ...(escalated === null ? {} : { escalated: { ...escalated, at: formatTime(escalated.at) } }),
  };
}

/** The whole request, as it goes on the wire to approvers. `ring` names who is rung for it, null for everybody but the requester. */
export function viewOnWire(request: Request, ring: readonly Name[] | null): WireView {
  return {
    id: request.id,
    digest: request.digest,
    scope: request.scope,
    document: { ...request.document },
    submitter: request.submitter,
    vouched: request.vouched,
    verified: request.verified,
    rule: request.rule,
    policy: request.policy,
    submittedAt: formatTime(request.submittedAt),
    answerBy: formatTime(request.answerBy),
    ring,
    ...talkedOnWire(request),
  };
}

export const reviewsOnWire = (reviews: ReadonlyMap<RequestId, Review>): z.input<typeof openReviewSchema>[] =>
  [...reviews.values()].map(({ signed, openedAt, ...review }) => ({
    ...review,
    openedAt: formatTime(openedAt),
    signed: signed.map(({ approver }) => approver),
  }));

export const restorationOnWire = (restoration: Restoration | null) =>
  restoration === null ? null : z.encode(restorationSchema, restoration);
