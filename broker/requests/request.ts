import type { BoundDocument } from '../../src/protocol/document.js';
import type { Claim, Digest, Name, RequestId } from '../../src/protocol/names.js';
import { isLive, type Outcome, type RequestState } from '../../src/protocol/request-view.js';
import type { RequestEventKind } from '../../src/protocol/stream-messages.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import type { Comment, Escalated } from '../../src/protocol/talk.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** One counted decision, with the receipt that proves it. */
export interface Vote {
  readonly approver: Name;
  readonly verdict: 'approve' | 'deny';
  readonly decided: EpochMs;
  readonly notAfter: EpochMs;
  /** `request` opens that one document; `scope` is a grant for every equal ask. */
  readonly covers: 'request' | 'scope';
  /** Seconds of work, from first use; 0 for none. */
  readonly duration: number;
  /** 1 for one document; 0 is any number, only for a grant with a duration. */
  readonly uses: number;
  readonly comment: string;
  /** Statement and armor. */
  readonly receipt: string;
}

/** The yes of the requester himself, where the rule lets him in alone after a delay in which anybody can say no. */
export interface LoneApproval {
  readonly vote: Vote;
  /** By the broker's clock. */
  readonly opensAt: EpochMs;
  /** Whether the delay is over, so that the request is approved by this vote alone. */
  readonly opened: boolean;
}

/** What a door said that it did, under the claim that redeemed. */
export interface DoorReport {
  readonly claim: Claim;
  readonly outcome: Outcome;
  readonly code: string | null;
  readonly at: EpochMs;
}

/** A request as the broker keeps it. Immutable: every change makes a new one. */
export interface Request extends BoundDocument {
  readonly id: RequestId;
  readonly submitter: Name;
  /** Submit statement and armor, null where the submitter cannot sign. */
  readonly vouched: string | null;
  /** Canonical text of the facts that the broker verified (verified-facts.ts), null where there were none. */
  readonly verified: string | null;
  /** Canonical text of the rule in force for this request, pinned at submit, and its digest. */
  readonly rule: string;
  readonly policy: Digest;
  readonly submittedAt: EpochMs;
  readonly answerBy: EpochMs;
  readonly state: RequestState;
  readonly claimBy: EpochMs | null;
  readonly votes: readonly Vote[];
  /** Break-glass; null while nobody has asked for that. */
  readonly alone: LoneApproval | null;
  /** What the rule still asks for, in words. */
  readonly missing: readonly string[];
  /** The claim that used the approval for this document. */
  readonly claim: Claim | null;
  /** The first use; of a grant also by another request. */
  readonly redeemedAt: EpochMs | null;
  /** The grant under which this was approved, whose votes it has then; null where it was approved by itself. */
  readonly grant: RequestId | null;
  /** How often a grant was used, by this request and by those under it. */
  readonly uses: number;
  /** Since when a door watches what it opened, to end it once it is revoked; null where none said so. */
  readonly watchedAt: EpochMs | null;
  readonly report: DoorReport | null;
  /** When its submitter revealed that it was a canary; null for every real request. */
  readonly canary: EpochMs | null;
  readonly endedAt: EpochMs | null;
  /** Why it ended, for a reader. */
  readonly endedBy: string | null;
  /** What approvers said about it, signed by nobody; at most MAX_COMMENTS (talk.ts). */
  readonly comments: readonly Comment[];
  /** Who had everybody rung, the newest time; null where nobody did. */
  readonly escalated: Escalated | null;
  /** Attached askers. */
  readonly askers: number;
  /** Since when nobody waits for a pending request; null while somebody does. */
  readonly idleSince: EpochMs | null;
}

/** True while something can still happen to it, so that it is held in memory. */
export const requestIsLive = (request: Request): boolean => isLive(request.state);

/** An entry for the event log, before it has its number and hash. `body` is what the log keeps for ever. */
export interface NewEvent {
  readonly kind:
    | RequestEventKind
    | 'requester.muted'
    | 'requester.locked'
    | 'requester.unlocked'
    | 'roster.changed'
    | 'submitters.changed'
    | 'policy.loaded'
    | 'roster.signed'
    | 'hold.placed'
    | 'hold.lifted'
    | 'history.erased'
    | 'broker.key'
    | 'store.created'
    | 'store.restored'
    | 'restore.acknowledged'
    | 'outbox.retried'
    | 'outbox.dropped';
  readonly at: EpochMs;
  readonly body: JsonObject;
}
