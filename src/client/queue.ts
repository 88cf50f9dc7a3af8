import type { Background } from '../protocol/background.js';
import type { CanariesReply } from '../protocol/canary.js';
import type { OutdatedDoor } from '../protocol/door-messages.js';
import type { GrantsReply } from '../protocol/grant-messages.js';
import type { MatchedNumber } from '../protocol/matched-number.js';
import type { Name, RequestId } from '../protocol/names.js';
import type { SinkStanding } from '../protocol/outbox-messages.js';
import type { RefusedPolicy } from '../protocol/policy-messages.js';
import type { RequestView } from '../protocol/request-view.js';
import type { Restoration } from '../protocol/restoration.js';
import type { RestraintsView } from '../protocol/restraints.js';
import type { OpenReview } from '../protocol/review.js';
import type { Statistics } from '../protocol/statistics.js';
import type { EpochMs } from '../protocol/time.js';
import type { Directory } from './directory.js';
import type { History } from './history.js';
import type { LogStanding } from './log-standing.js';
import type { Outbox } from './outbox.js';
import type { PolicyReader } from './policy.js';
import type { StatisticsQuery } from './statistics.js';
import type { Talk } from './talk.js';
import type { ChosenTerms } from './terms.js';

/**
 * How the picture relates to the broker: `live` is at most a few seconds old; `stale` may be older, so nothing may be
 * decided on it; `refused` will not come back by itself (key removed, pinned broker key changed).
 */
export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | {
      readonly state: 'stale';
      readonly since: EpochMs;
      readonly retryAt: EpochMs | null;
      readonly reason: string;
    }
  | { readonly state: 'refused'; readonly reason: string; readonly hint: string };

/** What is wrong with the policy file or its groups. */
export interface PolicyTrouble {
  /** That the file as it is now is not in force. */
  readonly refused: RefusedPolicy | null;
  /** Groups whose command failed. */
  readonly failing: readonly string[];
}

/** A consistent picture of the queue. Immutable: a new object for each change. */
export interface Queue {
  readonly link: Link;
  /** Live requests and the newest ended ones. */
  readonly requests: ReadonlyMap<RequestId, RequestView>;
  /** Number of the newest event in this picture. */
  readonly seq: number;
  /** Broker's clock minus ours, in ms: countdowns are shown by the broker's clock. */
  readonly clockOffset: number;
  /** Doors that check receipts with another signers file than the roster's. */
  readonly outdatedDoors: readonly OutdatedDoor[];
  /** What was opened by its requester alone and still has to be looked at. */
  readonly openReviews: readonly OpenReview[];
  /** What people should know of the policy file; null where all is well with it. */
  readonly policy: PolicyTrouble | null;
  /** How what leaves the broker fares; none where nothing does. */
  readonly outbox: readonly SinkStanding[];
  /** Who has which request open, oneself among them. As of the newest connection: it means nothing while the link is not live. */
  readonly reading: ReadonlyMap<RequestId, readonly Name[]>;
  /** Who may not ask now. A mute in it may be over by the broker's clock. */
  readonly restraints: RestraintsView;
  /** How the broker's log stands to what was seen of it from here. */
  readonly log: LogStanding;
  /** That the broker goes on from a back-up, until an approver has acknowledged it. */
  readonly restoration: Restoration | null;
}

/** Where the console reads from and what it may do. One implementation talks to a broker, another one to a test. */
export interface QueueConnection {
  /** Who is signed in, and where: name of the approver, address and fingerprint of the broker. */
  readonly approver: string;
  readonly address: string;
  readonly fingerprint: string;
  /** Whether the key that signs is a security key, which waits for a touch. */
  readonly isTouched: boolean;
  /** All keys under which the broker is pinned. Like the fingerprint, another one after its key was rotated. */
  readonly pins: readonly string[];
  /** What to paste into another terminal to see an ask, line by line; nothing where this broker takes no demonstration. */
  readonly invitation: readonly string[];
  readonly history: History;
  readonly directory: Directory;
  readonly policy: PolicyReader;
  readonly outbox: Outbox;
  readonly talk: Talk;
  /**
   * What came before a request; `zone` is the reader's.
   *
   * @throws any problem of the broker. The reason of `signal` where that was aborted.
   */
  background(id: RequestId, zone: string, signal: AbortSignal): Promise<Background>;
  /**
   * When grants were last used, and what doors watch just now.
   *
   * @throws any problem of the broker. The reason of `signal` where that was aborted.
   */
  grants(signal: AbortSignal): Promise<GrantsReply>;
  /**
   * What the broker counts of the last days.
   *
   * @throws any problem of the broker. The reason of `signal` where that was aborted.
   */
  statistics(query: StatisticsQuery, signal: AbortSignal): Promise<Statistics>;
  /**
   * How this approver decided on canaries.
   *
   * @throws any problem of the broker. The reason of `signal` where that was aborted.
   */
  canaries(signal: AbortSignal): Promise<CanariesReply>;
  queue(): Queue;
  /** Lets the others know which request is open here; null for none. */
  showReading(id: RequestId | null): void;
  /** Connects again at once, also where the broker refused; a key that needs it asks through `suspend`. */
  reconnect(suspend: Suspend): void;
  /** Called after each change of {@link queue}; returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /**
   * Signs and sends one decision about exactly the request that is passed in, recomputing digest, scope and rule digest
   * from it first.
   *
   * @throws Problem `shown-differs` where the request is not what its digests say; `signing-failed`; any problem of
   * the broker. Where the key needs a passphrase or a touch, calls `suspend` around the interactive attempt.
   */
  decide(
    request: RequestView,
    decision: DecisionInput,
    suspend: Suspend,
    cancelling?: Cancelling,
  ): Promise<void>;
  /**
   * Signs and sends the revocation of an approval, a grant, or what a door watches.
   *
   * @throws Problem as {@link decide}
   */
  revoke(request: RequestView, comment: string, suspend: Suspend, cancelling?: Cancelling): Promise<void>;
  /** Takes note, in the name of the approver, that the broker was restored from a back-up. */
  acknowledgeRestoration(): Promise<void>;
}

export interface DecisionInput {
  readonly verdict: 'approve' | 'deny';
  readonly comment: string;
  /** The number that the requester told, for a yes to a request that asks for it; else null. */
  readonly code: MatchedNumber | null;
  /** What was typed as the resource, where the rule has it typed before a yes. */
  readonly resource?: string;
  /** A deny that locks the requester until an approver lifts it. */
  readonly isFraud?: boolean;
  /** What a yes covers; absent: this one ask, for the time that the rule offers first. */
  readonly terms?: ChosenTerms;
}

/** How the making of a signature is cancelled, and until when it can be. */
export interface Cancelling {
  /** Ends it with `signing-failed`. A signature that comes all the same is thrown away. */
  readonly signal: AbortSignal;
  /** Called once the signature is made, just before it is sent: an abort changes nothing from here on. */
  readonly onSending: () => void;
}

/** Hands the terminal to `work` and takes it back afterwards. */
export type Suspend = <Result>(work: () => Promise<Result>) => Promise<Result>;
