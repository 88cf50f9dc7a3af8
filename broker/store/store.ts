import type { SignedHead } from '../../src/protocol/audit-head.js';
import type { ChainHead, LogEntry } from '../../src/protocol/event-log.js';
import type { Filter } from '../../src/protocol/filter.js';
import type { Digest, Fingerprint, Name, Nonce, RequestId } from '../../src/protocol/names.js';
import type { Restoration } from '../../src/protocol/restoration.js';
import type { Person, Submitter } from '../../src/protocol/roster-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { NewEvent, Request, Vote } from '../requests/request.js';
import type { Restraints } from '../requests/restraints.js';
import type { Erased, Erasure, Holds } from '../retention/erasure.js';
import type {
  DeadLetters,
  Delivery,
  DeliveryChange,
  DeliveryName,
  Sink,
  SinkProgress,
} from './deliveries.js';

/** SHA-256 of a bearer secret, in hex: all that is kept of it. */
export type TokenHash = string;

/** Everybody and everything that is enrolled. The store keeps both lists sorted by name. */
export interface Directory {
  readonly people: readonly Person[];
  readonly submitters: readonly Submitter[];
}

/** Somebody who waits for a request, by the hash of the watch token. Detached askers stay known. */
export interface Asker {
  readonly hash: TokenHash;
  readonly request: RequestId;
  readonly attached: boolean;
}

/** A signed-in approver. */
export interface Session {
  readonly hash: TokenHash;
  readonly approver: Name;
  /** The key that signed in; the session ends with it. */
  readonly key: Fingerprint;
  readonly expires: EpochMs;
}

/** What a door last said of itself. */
export interface Door {
  readonly name: Name;
  /** SHA-256 of its signers file. */
  readonly signers: Digest;
  /** When it first asked with that file. */
  readonly since: EpochMs;
}

/** A policy, as it is written. */
export interface PolicyText {
  readonly text: string;
  /** Over {@link text}. */
  readonly digest: Digest;
  /** When it came into force. */
  readonly since: EpochMs;
}

/** One person's statement that a signers file may follow another one at doors. */
export interface RosterSignature {
  readonly approver: Name;
  readonly validUntil: EpochMs;
  /** Statement and armor. */
  readonly text: string;
}

/** One signers file that may follow another one at doors, as far as people have signed for that. */
export interface RosterStep {
  /** Unique, and higher than those of all steps before. */
  readonly serial: number;
  readonly old: Digest;
  readonly next: Digest;
  /** How many people must have signed before it is handed out; at least 1. */
  readonly needed: number;
  /** One a person. */
  readonly signatures: readonly RosterSignature[];
}

/** A request that its requester opened alone, until enough others have signed that they looked at it. */
export interface Review {
  readonly request: RequestId;
  readonly requester: Name;
  readonly resource: string;
  readonly openedAt: EpochMs;
  /** Each with the signed statement. */
  readonly signed: readonly { readonly approver: Name; readonly statement: string }[];
}

/** How to find the one request that a change is about. */
export type RequestKey =
  | { readonly id: RequestId }
  /** (digest, submitter) is unique for ever. */
  | { readonly digest: Digest; readonly submitter: Name };

/** What equal asks have in common. */
export type Ask = Pick<Request, 'scope' | 'submitter'>;

/** Other requests, as they stand when a change is decided. */
export interface Peers {
  /** Live ones of this scope and submitter, oldest first. */
  equal(ask: Ask): readonly Request[];
  /** Of those, the ones that are approved, used or not: found without a look at what is pending, however much that is. */
  approved(ask: Ask): readonly Request[];
}

/** What a decision function wants written, all of it or nothing. */
export interface RequestChange<Result> {
  /** The request after the change; absent leaves it as it is. */
  readonly request?: Request;
  readonly events: readonly NewEvent[];
  /** Other requests that change with it, each once, and what the log says of them after {@link events}. */
  readonly others?: readonly { readonly request: Request; readonly events: readonly NewEvent[] }[];
  /** Inserted, or replaced by hash. */
  readonly asker?: Asker;
  /** Refused with Problem `replayed` when it is already known. Forgotten after `expires`. */
  readonly nonce?: { readonly nonce: Nonce; readonly expires: EpochMs };
  /** What the door says of itself from now on. */
  readonly door?: Door;
  /** The directory after the change; absent leaves it as it is. Sessions whose key is no longer enrolled end with it. */
  readonly directory?: Directory;
  /** The policy in force from now on. */
  readonly policy?: PolicyText;
  /** What is to be reviewed about this request from now on; null once that is done. */
  readonly review?: Review | null;
  /** All locks and denials that count from now on. */
  readonly restraints?: Restraints;
  /** Tells the world of the last of the events of its own request: from the first step of the escalation on, unless another one is given. */
  readonly delivery?: { readonly sink: Sink; readonly due: EpochMs; readonly step?: number };
  readonly result: Result;
}

/** Decides a change by what stands at that moment; null where there is no such request. */
export type DecideChange<Result> = (
  current: Request | null,
  restraints: Restraints,
  peers: Peers,
  directory: Directory,
) => RequestChange<Result>;

/** One entry of the log after its commit, with the request as it then stood (null where it is not of the life of one). */
export interface Committed {
  readonly seq: number;
  readonly kind: NewEvent['kind'];
  readonly at: EpochMs;
  readonly request: Request | null;
}

export interface ListQuery {
  readonly filter: Filter;
  /** Only requests older than this one, which need not be there any more; null starts with the newest. */
  readonly before: RequestId | null;
  readonly limit: number;
}

/** How a request came out, as far as figures need it. */
export interface RequestOutcome extends Pick<Request, 'state' | 'grant'> {
  readonly askedAt: EpochMs;
  /** Canonical text of the rule that was in force for it. */
  readonly rule: string;
  readonly votes: readonly Pick<Vote, 'approver' | 'verdict' | 'decided'>[];
  /** Whether its requester was let in alone. */
  readonly alone: boolean;
}

export interface OutcomeQuery {
  readonly since: EpochMs;
  /** As {@link ListQuery.before}. */
  readonly before: RequestId | null;
}

/** Newest first. */
export interface OutcomePage {
  readonly outcomes: readonly RequestOutcome[];
  /** Where to go on, as `before`; null once everything since that time was read. */
  readonly next: RequestId | null;
}

export interface EventQuery {
  readonly after: number;
  readonly limit: number;
  /** Only those of one request; null for all. */
  readonly request?: RequestId | null;
  /** Without the bodies of entries that hold without them. */
  readonly links?: boolean;
}

/** Newest first. */
export interface ListPage {
  readonly requests: readonly Request[];
  /** Where the list goes on, as `before`; null once everything has been looked through. */
  readonly next: RequestId | null;
}

/**
 * What the broker asks of its storage. Nothing here knows SQLite: a shared database can stand behind it.
 *
 * A promise of a write is resolved only after its commit is durable; if the commit fails, the promise rejects with
 * Problem `storage-failed` and nothing of it is visible, in memory either. `decide` functions are pure: they may be
 * run again, and a Problem that they throw undoes their change alone.
 */
export interface Store {
  /** Names this life of this database; changes when a back-up is restored. */
  readonly epoch: string;
  /** Number of the newest committed event; 0 for none. */
  readonly seq: number;
  /** Number and hash of the newest committed event. */
  chainHead(): ChainHead;

  /** All live requests, oldest first, from memory. */
  live(): readonly Request[];
  /**
   * From memory when live, else from disk. What was erased is not there any more by its id; by its document it gives the
   * Problem of how it ended, for ever.
   */
  find(key: RequestKey): Promise<Request | null>;
  /**
   * Searches all requests in short steps, with others' work between them. `goesOn` is asked after each one whether to go on,
   * else the page ends there, with what was found until then.
   */
  list(query: ListQuery, goesOn?: () => boolean): Promise<ListPage>;
  /** One short step through all requests of a time, live ones among them, in a turn of the event loop of its own. */
  outcomes(query: OutcomeQuery): Promise<OutcomePage>;
  findAsker(hash: TokenHash): Promise<Asker | null>;
  /** When each of these grants was used last, as the log says; those that never were are left out. Read in short steps. */
  lastUses(grants: readonly RequestId[]): Promise<ReadonlyMap<RequestId, EpochMs>>;
  /** Entries of the log in their order. */
  events(query: EventQuery): Promise<readonly LogEntry[]>;
  /** The signed heads of entries after a number, in order. */
  heads(query: { readonly after: number; readonly limit: number }): Promise<readonly SignedHead[]>;
  /** From memory; null where none was ever signed. */
  newestHead(): SignedHead | null;
  /** Keeps a head for ever. It is about an entry that is committed, and newer than every other one. */
  keepHead(head: SignedHead): Promise<void>;
  /** The key of the broker, TYPE BASE64, that the newest event `broker.key` names; null where none does. From memory. */
  brokerKey(): string | null;

  /** Compare-and-swap on one request, on those that change with it and on the restraints and the directory, together with their log entries. */
  change<Result>(key: RequestKey, decide: DecideChange<Result>): Promise<Result>;

  /** Locks and denials that count; another map after each change. What is over may still be among them. */
  restraints(): Restraints;
  /** The same, where no request is changed. The nonce is refused as by {@link change}. */
  changeRestraints(
    decide: (current: Restraints) => Pick<RequestChange<unknown>, 'events' | 'nonce'> & {
      readonly restraints: Restraints;
    },
  ): Promise<void>;

  directory(): Directory;
  /** Sessions whose key is no longer enrolled end in the same commit. */
  changeDirectory(
    decide: (current: Directory) => { readonly directory: Directory; readonly events: readonly NewEvent[] },
  ): Promise<Directory>;

  /** The policy that was last in force; null where there never was one. */
  policy(): PolicyText | null;
  /** Puts a policy in force, together with its event. */
  keepPolicy(policy: PolicyText, event: NewEvent): Promise<void>;
  /** When people, submitters or policy were last changed `without` approval, as the event of that says; null for never. */
  unapproved(): EpochMs | null;

  /** Writes down what is about no request and changes nothing here. */
  record(event: NewEvent): Promise<void>;

  /** By rising serials; another list after each change. */
  rosterSteps(): readonly RosterStep[];
  /** Writes a new step, or one with another signature, with its event and the file to which it leads. */
  signRoster(
    decide: (
      steps: readonly RosterStep[],
      directory: Directory,
    ) => { readonly step: RosterStep; readonly file: string; readonly event: NewEvent },
  ): Promise<RosterStep>;
  /** The signers files that are kept, in the order in which they came. */
  signersFiles(): readonly Digest[];
  signersFile(digest: Digest): Promise<string | null>;
  /** Does nothing where it is kept already. */
  keepSignersFile(text: string): Promise<void>;

  /** The doors that said of themselves what they have; another map after each change. */
  doors(): ReadonlyMap<Name, Door>;

  /** Reviews that are open, by request; another map after each change. */
  reviews(): ReadonlyMap<RequestId, Review>;

  findSession(hash: TokenHash): Session | null;
  /** Refused with Problem `unknown-key` when its key is not enrolled (any more) for that approver. */
  addSession(session: Session): Promise<void>;

  /** What the notification command is to be told, in the order of events, from memory. */
  deliveries(): readonly Delivery[];
  findDelivery(name: DeliveryName): Delivery | null;
  /** Writes what has become of a try, or forgets the delivery (null). Nothing where it was forgotten already. */
  settleDelivery(name: DeliveryName, next: DeliveryChange | null): Promise<void>;

  /** The sinks that follow the log, also where nobody sends to them any more; another map after each change. */
  sinks(): ReadonlyMap<Sink, SinkProgress>;
  /** Lets a sink follow the log from the next event on; one that does already goes on where it is. */
  followLog(sink: Sink): Promise<void>;
  /** Takes a piece of the log into the outbox, through the event of that number: deliveries and position in one commit. */
  queueDeliveries(
    sink: Sink,
    through: number,
    events: readonly { readonly event: number; readonly request: RequestId | null; readonly due: EpochMs }[],
  ): Promise<void>;
  /**
   * Deliveries after an event that may be sent: none that is dead, and none behind a dead one of the same request. In the order
   * of events; `through` says up to which event it was looked.
   */
  openDeliveries(
    sink: Sink,
    query: { readonly after: number; readonly limit: number },
  ): Promise<{ readonly deliveries: readonly Delivery[]; readonly through: number }>;
  /** Dead letters by sink and event, after that one. */
  deadLetters(query: {
    readonly sink: Sink | null;
    readonly after: DeliveryName | null;
    readonly limit: number;
  }): Promise<readonly Delivery[]>;
  /** Has dead letters sent again, as if they had never been tried, with the event of that. Returns their events; none, no event. */
  retryDeliveries(
    letters: DeadLetters,
    event: (events: readonly number[]) => NewEvent,
  ): Promise<readonly number[]>;
  /** Forgets dead letters, or the one delivery that is named, dead or not, in the same way. */
  dropDeliveries(
    letters: DeadLetters,
    event: (events: readonly number[]) => NewEvent,
  ): Promise<readonly number[]>;
  /** Forgets a sink with all that waits for it, in pieces of at most `limit`; true once nothing is left of it. */
  forgetSink(sink: Sink, limit: number, event: NewEvent): Promise<boolean>;
  /** The epoch in which the event of a number was written. */
  epochAt(seq: number): string;

  /** That this life of the database began with a back-up; null once an approver has acknowledged it. */
  restoration(): Restoration | null;
  /** Writes the event with the acknowledgement; neither where there is nothing (any more) to acknowledge. */
  acknowledgeRestoration(event: NewEvent): Promise<void>;

  /** Legal holds; another map after each change. */
  holds(): Holds;
  changeHolds(decide: (current: Holds) => { readonly holds: Holds; readonly event: NewEvent }): Promise<void>;
  /** Ids of closed requests that were asked before a time and are not erased, oldest first. */
  closed(query: {
    readonly after: RequestId | null;
    readonly before: EpochMs;
    readonly limit: number;
  }): Promise<readonly RequestId[]>;
  /**
   * Erases what is written of closed requests, with the event that names them. Left alone is what is live, under review,
   * locked for, or has to leave the broker still; a grant as long as what passed under it is kept; and what was logged when
   * hashes covered the bodies. Null, and nothing is erased, where other holds are in force by now.
   */
  erase(erasure: Erasure): Promise<Erased | null>;
  /** Sees to it that nothing of what was erased is left in the files; false where that cannot be done just now. */
  scrub(): Promise<boolean>;
  /** The time by which retention last went; null where it never did. */
  retentionTime(): EpochMs | null;
  keepRetentionTime(time: EpochMs): Promise<void>;

  /** Called after each commit, in the turn after the writers were answered, with the entries in order. */
  onCommitted(listener: (entries: readonly Committed[]) => void): void;

  /** Finishes what is queued, then closes; later writes are refused with Problem `draining`. */
  close(): Promise<void>;
}
