import type { SignedHead } from '../../../src/protocol/audit-head.js';
import type { ChainHead } from '../../../src/protocol/event-log.js';
import type { Digest, Fingerprint, Name, Nonce, RequestId } from '../../../src/protocol/names.js';
import type { Restoration } from '../../../src/protocol/restoration.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { type Request, requestIsLive } from '../../requests/request.js';
import { NO_RESTRAINTS, type Restraints } from '../../requests/restraints.js';
import type { Holds } from '../../retention/erasure.js';
import { type Delivery, type DeliveryName, followsLog, type Sink, type SinkProgress } from '../deliveries.js';
import type {
  Ask,
  Asker,
  Directory,
  Door,
  PolicyText,
  RequestKey,
  Review,
  RosterStep,
  Session,
  TokenHash,
} from '../store.js';
import type { Draft } from './draft.js';

/** What is committed and needed often enough to be held in memory. Changes only by {@link LiveState.adopt}. */
export class LiveState {
  directory: Directory;
  restoration: Restoration | null;
  head: ChainHead;
  /** Replaced at each change, as the doors are. */
  restraints: Restraints = NO_RESTRAINTS;
  /** Replaced at each change. */
  holds: Holds = new Map();
  retentionTime: EpochMs | null = null;
  policy: PolicyText | null = null;
  unapproved: EpochMs | null = null;
  newestHead: SignedHead | null = null;
  brokerKey: string | null = null;
  doors: ReadonlyMap<Name, Door> = new Map();
  /** By rising serials. Replaced at each change. */
  rosterSteps: readonly RosterStep[] = [];
  /** The digests of the signers files that are kept, in the order in which they came. */
  readonly signersFiles = new Set<Digest>();
  /** Replaced at each change. */
  reviews: ReadonlyMap<RequestId, Review> = new Map();
  readonly askers = new Map<TokenHash, Asker>();
  readonly sessions = new Map<TokenHash, Session>();
  readonly nonces = new Map<Nonce, EpochMs>();
  /** Those of sinks that do not follow the log. */
  readonly deliveries = new Map<string, Delivery>();
  /** Replaced at each change. */
  sinks: ReadonlyMap<Sink, SinkProgress> = new Map();
  /** The lives of the database, in their order, each with the number of its first event. */
  epochs: readonly { readonly first: number; readonly epoch: string }[] = [];
  readonly #requests = new Map<RequestId, Request>();
  readonly #ids = new Map<string, RequestId>();
  readonly #equal = new Map<string, Set<RequestId>>();
  /** An approved request is never pending again. */
  readonly #approved = new Map<string, Set<RequestId>>();
  readonly #askersOf = new Map<RequestId, Set<TokenHash>>();
  #oldestFirst: readonly Request[] | null = null;

  constructor(directory: Directory, restoration: Restoration | null, head: ChainHead) {
    this.directory = directory;
    this.restoration = restoration;
    this.head = head;
  }

  /** All live requests, oldest first; the same array until one of them changes. */
  requests(): readonly Request[] {
    this.#oldestFirst ??= [...this.#requests.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.#oldestFirst;
  }

  find(key: RequestKey): Request | null {
    const id = 'id' in key ? key.id : this.#ids.get(standingKey(key));
    return (id === undefined ? undefined : this.#requests.get(id)) ?? null;
  }

  /** Ids of the live requests of one scope and submitter. */
  equal(ask: Ask): ReadonlySet<RequestId> {
    return this.#equal.get(scopeKey(ask)) ?? NONE;
  }

  /** Those of them that are approved. */
  approved(ask: Ask): ReadonlySet<RequestId> {
    return this.#approved.get(scopeKey(ask)) ?? NONE;
  }

  /** Takes over what a commit has made durable. `pruned` limits the nonces that are forgotten in one go. */
  adopt(draft: Draft, pruned: number): void {
    for (const request of draft.requests.written.values()) this.putRequest(request);
    for (const asker of draft.askers.values()) this.putAsker(asker);
    for (const hash of draft.access.endedSessions) this.sessions.delete(hash);
    for (const session of draft.access.sessions.values()) this.sessions.set(session.hash, session);
    if (draft.doors.size > 0) this.doors = new Map([...this.doors, ...draft.doors]);
    if (draft.signers.steps.size > 0) this.rosterSteps = draft.signers.stepsNow();
    for (const digest of draft.signers.files.keys()) this.signersFiles.add(digest);
    if (draft.reviews.size > 0) this.reviews = withReviews(this.reviews, draft.reviews);
    for (const key of draft.outbox.removed.keys()) this.deliveries.delete(key);
    for (const [key, delivery] of draft.outbox.written) {
      if (!followsLog(delivery.sink)) this.deliveries.set(key, delivery);
    }
    this.sinks = draft.outbox.sinks;
    this.directory = draft.access.directory;
    this.restoration = draft.restoration;
    this.restraints = draft.restraints;
    this.holds = draft.holds;
    this.retentionTime = draft.retentionTime;
    this.policy = draft.policy;
    this.unapproved = draft.log.unapproved;
    this.newestHead = draft.newestHead;
    this.brokerKey = draft.log.brokerKey;
    this.head = draft.log.head;
    this.#forgetNonces(draft.now, pruned);
    for (const [nonce, expires] of draft.nonces) this.nonces.set(nonce, expires);
  }

  putRequest(request: Request): void {
    this.#oldestFirst = null;
    if (requestIsLive(request)) {
      this.#requests.set(request.id, request);
      this.#ids.set(standingKey(request), request.id);
      addTo(this.#equal, scopeKey(request), request.id);
      if (isApproved(request)) addTo(this.#approved, scopeKey(request), request.id);
      return;
    }
    this.#requests.delete(request.id);
    this.#ids.delete(standingKey(request));
    removeFrom(this.#equal, scopeKey(request), request.id);
    removeFrom(this.#approved, scopeKey(request), request.id);
    for (const hash of this.#askersOf.get(request.id) ?? []) this.askers.delete(hash);
    this.#askersOf.delete(request.id);
  }

  putAsker(asker: Asker): void {
    if (!this.#requests.has(asker.request)) return;
    this.askers.set(asker.hash, asker);
    const hashes = this.#askersOf.get(asker.request) ?? new Set();
    this.#askersOf.set(asker.request, hashes.add(asker.hash));
  }

  /** Whether there may be nonces to forget at this time. They expire in about the order in which they came. */
  hasExpiredNonce(now: EpochMs): boolean {
    const [oldest] = this.nonces.values();
    return oldest !== undefined && oldest <= now;
  }

  #forgetNonces(now: EpochMs, most: number): void {
    let left = most;
    for (const [nonce, expires] of this.nonces) {
      if (expires > now || left === 0) return;
      this.nonces.delete(nonce);
      left -= 1;
    }
  }
}

function withReviews(
  reviews: ReadonlyMap<RequestId, Review>,
  changes: ReadonlyMap<RequestId, Review | null>,
): ReadonlyMap<RequestId, Review> {
  const all = new Map(reviews);
  for (const [request, review] of changes) {
    if (review === null) all.delete(request);
    else all.set(request, review);
  }
  return all;
}

/** One text for (digest, submitter); neither has a space. */
export const standingKey = (key: { readonly digest: string; readonly submitter: Name }): string =>
  `${key.digest} ${key.submitter}`;

/** One text for (scope, submitter). */
export const scopeKey = ({ scope, submitter }: Ask): string => `${scope} ${submitter}`;

/** Whether a live request has its approval, used or not. */
export const isApproved = ({ state }: Request): boolean => state === 'approved' || state === 'active';

export function addTo<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}

function removeFrom<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}

const NONE: ReadonlySet<RequestId> = new Set();

export const deliveryKey = ({ event, sink }: DeliveryName): string => `${event} ${sink}`;

/** Whether this approver has this key in the roster. */
export function isEnrolled({ people }: Directory, approver: Name, key: Fingerprint): boolean {
  const person = people.find(({ name }) => name === approver);
  return person?.keys.some((entry) => parsePublicKeyLine(entry.key).fingerprint === key) ?? false;
}
