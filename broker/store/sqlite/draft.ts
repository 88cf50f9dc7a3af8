import type { SignedHead } from '../../../src/protocol/audit-head.js';
import { canonicalJson, sha256Digest } from '../../../src/protocol/canonical.js';
import { appendEntry, type ChainHead, type LogEntry } from '../../../src/protocol/event-log.js';
import type { Digest, Name, Nonce, RequestId } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import type { Restoration } from '../../../src/protocol/restoration.js';
import { type EpochMs, formatTime } from '../../../src/protocol/time.js';
import { type NewEvent, type Request, requestIsLive } from '../../requests/request.js';
import { inForce, type Restraints } from '../../requests/restraints.js';
import type { Erased, Erasure, Holds } from '../../retention/erasure.js';
import type {
  Ask,
  Asker,
  Committed,
  DeadLetters,
  DecideChange,
  Directory,
  Door,
  PolicyText,
  RequestChange,
  RequestKey,
  Review,
  RosterStep,
  Session,
  Sink,
  TokenHash,
} from '../store.js';
import { type ErasurePlan, erasedProblem, planErasure, type Remains } from './erasure.js';
import { addTo, isApproved, isEnrolled, type LiveState, scopeKey, standingKey } from './live-state.js';
import { type DeliveryReader, newDelivery, OutboxDraft } from './outbox-draft.js';

/** Text after which a draft is committed before it takes more, in UTF-16 units. */
const FULL = 1024 * 1024;

/** Finds requests that are not in memory. */
export interface RequestReader {
  find(key: RequestKey): Request | null;
  /** Null for what is not there, or erased. */
  remains(id: RequestId): Remains | null;
  isKept(id: RequestId): boolean;
}

/** Fields of a request that are written once. */
const FIXED = [
  'id',
  'digest',
  'scope',
  'canonical',
  'submitter',
  'vouched',
  'verified',
  'rule',
  'policy',
  'submittedAt',
] as const;

/**
 * Changes of one commit, laid over what is committed. Each method either applies one whole change or throws and has
 * changed nothing; nothing outside the draft is touched.
 */
export class Draft {
  readonly now: EpochMs;
  /** In their newest form. */
  readonly requests = new Map<RequestId, Request>();
  /** Those of {@link requests} that have no row yet. */
  readonly inserted = new Set<RequestId>();
  readonly askers = new Map<TokenHash, Asker>();
  readonly nonces = new Map<Nonce, EpochMs>();
  readonly sessions = new Map<TokenHash, Session>();
  readonly endedSessions = new Set<TokenHash>();
  readonly doors = new Map<Name, Door>();
  /** In their newest form. */
  readonly rosterSteps = new Map<number, RosterStep>();
  /** Those that have no row yet, with their texts. */
  readonly signersFiles = new Map<Digest, string>();
  /** null for those that are done. */
  readonly reviews = new Map<RequestId, Review | null>();
  /** Requests of which nothing is left. */
  readonly erased = new Set<RequestId>();
  /** Numbers of entries whose body goes. */
  readonly emptied: number[] = [];
  readonly heads: SignedHead[] = [];
  readonly outbox: OutboxDraft;
  readonly entries: LogEntry[] = [];
  readonly committed: Committed[] = [];
  directory: Directory;
  restoration: Restoration | null;
  restraints: Restraints;
  holds: Holds;
  retentionTime: EpochMs | null;
  policy: PolicyText | null;
  unapproved: EpochMs | null;
  newestHead: SignedHead | null;
  brokerKey: string | null;
  head: ChainHead;
  readonly #live: LiveState;
  readonly #history: RequestReader;
  readonly #ids = new Map<string, RequestId>();
  /** Ids of {@link requests} by scope and submitter. */
  readonly #equal = new Map<string, Set<RequestId>>();
  /** Of {@link #equal}, those that this draft has in an approved form, or had. */
  readonly #approved = new Map<string, Set<RequestId>>();
  #size = 0;

  constructor(live: LiveState, history: RequestReader, outbox: DeliveryReader, now: EpochMs) {
    this.#live = live;
    this.#history = history;
    this.now = now;
    this.directory = live.directory;
    this.restoration = live.restoration;
    this.restraints = live.restraints;
    this.holds = live.holds;
    this.retentionTime = live.retentionTime;
    this.policy = live.policy;
    this.unapproved = live.unapproved;
    this.newestHead = live.newestHead;
    this.brokerKey = live.brokerKey;
    this.head = live.head;
    this.outbox = new OutboxDraft(live, outbox);
  }

  get isFull(): boolean {
    return this.#size >= FULL;
  }

  get isEmpty(): boolean {
    const changed = this.requests.size + this.askers.size + this.nonces.size + this.entries.length;
    const others =
      this.sessions.size +
      this.endedSessions.size +
      this.doors.size +
      this.rosterSteps.size +
      this.signersFiles.size +
      this.reviews.size +
      this.heads.length;
    const isSame =
      this.directory === this.#live.directory &&
      this.restraints === this.#live.restraints &&
      this.retentionTime === this.#live.retentionTime;
    return changed + others === 0 && isSame && this.outbox.isEmpty;
  }

  find(key: RequestKey): Request | null {
    const id = 'id' in key ? key.id : this.#ids.get(standingKey(key));
    const drafted = id === undefined ? undefined : this.requests.get(id);
    const found = drafted ?? this.#live.find(key) ?? this.#history.find(key);
    if (found === null || !this.erased.has(found.id)) return found;
    if ('id' in key) return null;
    throw erasedProblem(found.state);
  }

  equal(ask: Ask): readonly Request[] {
    return this.#newest(this.#live.equal(ask), this.#equal.get(scopeKey(ask))).filter(requestIsLive);
  }

  approved(ask: Ask): readonly Request[] {
    return this.#newest(this.#live.approved(ask), this.#approved.get(scopeKey(ask))).filter(isApproved);
  }

  /** @throws Problem `replayed`, and whatever `decide` throws */
  change<Result>(key: RequestKey, decide: DecideChange<Result>): Result {
    const current = this.find(key);
    const change = decide(current, this.restraints, this, this.directory);
    const request = change.request ?? current;
    if (change.request !== undefined) this.#checkRequest(key, current, change.request);
    const others = change.others ?? [];
    this.#checkOthers(
      others.map((other) => other.request),
      request,
    );
    if (change.delivery !== undefined && change.events.length === 0) {
      throw misuse('a delivery tells of an event');
    }
    if (change.asker !== undefined && change.asker.request !== request?.id) {
      throw misuse('an asker belongs to the request of its change');
    }
    this.#checkNonce(change.nonce);
    if (change.policy !== undefined) checkPolicy(change.policy);
    const bodies = change.events.map((event) => canonicalJson(event.body));
    const othersBodies = others.map(({ events }) => events.map((event) => canonicalJson(event.body)));
    const directory = change.directory === undefined ? null : sorted(change.directory);

    if (directory !== null) this.#putDirectory(directory);
    if (change.policy !== undefined) this.#putPolicy(change.policy);
    if (change.request !== undefined) this.#putRequest(change.request, current === null);
    if (change.asker !== undefined) this.askers.set(change.asker.hash, change.asker);
    if (change.nonce !== undefined) this.nonces.set(change.nonce.nonce, change.nonce.expires);
    if (change.door !== undefined) this.doors.set(change.door.name, change.door);
    if (change.review !== undefined && request !== null) this.reviews.set(request.id, change.review);
    if (change.restraints !== undefined) this.restraints = change.restraints;
    this.#append(change.events, bodies, request);
    if (change.delivery !== undefined && request !== null) {
      const { sink, due, step = 0 } = change.delivery;
      this.outbox.put(newDelivery({ event: this.head.seq, sink }, request.id, due, step));
    }
    others.forEach((other, index) => {
      this.#putRequest(other.request, false);
      this.#append(other.events, othersBodies[index] ?? [], other.request);
    });
    return change.result;
  }

  /** @throws Problem `replayed`, and whatever `decide` throws */
  changeRestraints(
    decide: (current: Restraints) => Pick<RequestChange<unknown>, 'events' | 'nonce'> & {
      readonly restraints: Restraints;
    },
  ): void {
    const { restraints, events, nonce } = decide(this.restraints);
    this.#checkNonce(nonce);
    const bodies = events.map((event) => canonicalJson(event.body));

    this.restraints = restraints;
    if (nonce !== undefined) this.nonces.set(nonce.nonce, nonce.expires);
    this.#append(events, bodies, null);
  }

  /** Changes dead letters, with the event of that where there are any. */
  changeLetters(
    letters: DeadLetters,
    change: 'retry' | 'drop',
    event: (events: readonly number[]) => NewEvent,
  ): readonly number[] {
    const meant = this.outbox.letters(letters);
    const events = meant.map((letter) => letter.event);
    if (events.length === 0) return events;
    const told = event(events);
    const body = canonicalJson(told.body);

    if (change === 'retry') this.outbox.revive(meant, this.now);
    else this.outbox.drop(meant);
    this.#append([told], [body], null);
    return events;
  }

  forgetSink(sink: Sink, limit: number, event: NewEvent): boolean {
    const body = canonicalJson(event.body);

    const isGone = this.outbox.forget(sink, limit);
    if (isGone) this.#append([event], [body], null);
    return isGone;
  }

  /**
   * Names are unique and lists come back sorted by them. Sessions whose key is gone end.
   *
   * @throws whatever `decide` throws
   */
  changeDirectory(
    decide: (current: Directory) => { readonly directory: Directory; readonly events: readonly NewEvent[] },
  ): Directory {
    const change = decide(this.directory);
    const directory = sorted(change.directory);
    const bodies = change.events.map((event) => canonicalJson(event.body));

    this.#putDirectory(directory);
    this.#append(change.events, bodies, null);
    return directory;
  }

  /** @throws Problem `unknown-key` if the key left the roster after it signed in */
  addSession(session: Session): void {
    if (!isEnrolled(this.directory, session.approver, session.key)) {
      throw new Problem('unknown-key', 'the key that signed in is not enrolled any more');
    }
    for (const other of this.#sessions()) if (other.expires <= this.now) this.#endSession(other);
    this.sessions.set(session.hash, session);
    this.endedSessions.delete(session.hash);
  }

  /** @throws whatever `decide` throws */
  signRoster(
    decide: (
      steps: readonly RosterStep[],
      directory: Directory,
    ) => { readonly step: RosterStep; readonly file: string; readonly event: NewEvent },
  ): RosterStep {
    const { step, file, event } = decide(this.stepsNow(), this.directory);
    if (sha256Digest(file) !== step.next) throw misuse('a step leads to the file that comes with it');
    const body = canonicalJson(event.body);

    this.keepSignersFile(file);
    this.rosterSteps.set(step.serial, step);
    this.#append([event], [body], null);
    return step;
  }

  keepSignersFile(text: string): void {
    const digest = sha256Digest(text);
    if (this.#live.signersFiles.has(digest)) return;
    this.signersFiles.set(digest, text);
    this.#size += text.length;
  }

  /** The steps as they stand after this draft. */
  stepsNow(): readonly RosterStep[] {
    if (this.rosterSteps.size === 0) return this.#live.rosterSteps;
    const steps = new Map(this.#live.rosterSteps.map((step) => [step.serial, step]));
    for (const [serial, step] of this.rosterSteps) steps.set(serial, step);
    return [...steps.values()].sort((a, b) => a.serial - b.serial);
  }

  keepPolicy(policy: PolicyText, event: NewEvent): void {
    checkPolicy(policy);
    const body = canonicalJson(event.body);

    this.#putPolicy(policy);
    this.#append([event], [body], null);
  }

  keepHead(head: SignedHead): void {
    const newest = this.newestHead?.seq ?? 0;
    if (head.seq <= newest || head.seq > this.#live.head.seq) {
      throw misuse('a head is about a committed entry, and newer than the one before');
    }
    this.newestHead = head;
    this.heads.push(head);
  }

  record(event: NewEvent): void {
    this.#append([event], [canonicalJson(event.body)], null);
  }

  /** @throws whatever `decide` throws */
  changeHolds(decide: (current: Holds) => { readonly holds: Holds; readonly event: NewEvent }): void {
    const { holds, event } = decide(this.holds);
    const body = canonicalJson(event.body);

    this.holds = holds;
    this.#append([event], [body], null);
  }

  /** Null where other holds are in force by now. */
  erase({ ids, before: until, holds, at }: Erasure): Erased | null {
    if (holds !== this.holds) return null;
    // As it will stand in the event: in whole seconds.
    const before = Math.floor(until / 1000) * 1000;
    const plan = planErasure(
      ids,
      before,
      (id) => (this.#mustStay(id) ? null : this.#history.remains(id)),
      (id) => !this.erased.has(id) && this.#history.isKept(id),
    );
    this.restraints = inForce(this.restraints, before);
    if (plan.entries.length > 0) this.#erase(plan, before, at);
    return { requests: plan.requests, unfinished: plan.unfinished };
  }

  keepRetentionTime(time: EpochMs): void {
    this.retentionTime = time;
  }

  acknowledgeRestoration(event: NewEvent): void {
    if (this.restoration === null) return;
    this.restoration = null;
    this.#append([event], [canonicalJson(event.body)], null);
  }

  /** By what is in memory or in this draft. */
  #mustStay(id: RequestId): boolean {
    if (this.requests.has(id) || this.#live.find({ id }) !== null || this.erased.has(id)) return true;
    const review = this.reviews.has(id) ? this.reviews.get(id) : this.#live.reviews.get(id);
    if (review !== undefined && review !== null) return true;
    if (this.entries.some(({ request }) => request === id)) return true;
    return [...this.restraints.values()].some((one) => one.kind === 'lock' && one.request === id);
  }

  #erase({ requests, entries, unfinished }: ErasurePlan, before: EpochMs, at: EpochMs): void {
    for (const id of requests) this.erased.add(id);
    this.emptied.push(...entries);
    const ids = unfinished === null ? [...requests] : [...requests, unfinished];
    const event: NewEvent = {
      kind: 'history.erased',
      at,
      body: { ids, through: Math.max(...entries), before: formatTime(before) },
    };
    this.#append([event], [canonicalJson(event.body)], null);
  }

  #checkOthers(others: readonly Request[], own: Request | null): void {
    const ids = new Set(others.map(({ id }) => id));
    if (ids.size < others.length || (own !== null && ids.has(own.id))) {
      throw misuse('a request changes once in a change');
    }
    for (const other of others) {
      const current = this.find({ id: other.id });
      if (current === null) throw misuse('only requests that exist change with another');
      checkFixed(current, other);
    }
  }

  #checkRequest(key: RequestKey, current: Request | null, next: Request): void {
    if (current !== null) {
      checkFixed(current, next);
      return;
    }
    const matches =
      'id' in key ? key.id === next.id : key.digest === next.digest && key.submitter === next.submitter;
    if (!matches) throw misuse('a new request has the key that was looked up');
    // The other way round the table refuses a second row of one id.
    const { digest, submitter } = next;
    if ('id' in key && this.find({ digest, submitter }) !== null) {
      throw misuse('a request of this digest and submitter exists');
    }
  }

  #checkNonce(nonce: RequestChange<unknown>['nonce']): void {
    if (nonce === undefined) return;
    const expires = this.nonces.get(nonce.nonce) ?? this.#live.nonces.get(nonce.nonce);
    if (expires !== undefined && expires > this.now)
      throw new Problem('replayed', 'this statement has been used');
  }

  #putDirectory(directory: Directory): void {
    const ended = this.#sessions().filter(({ approver, key }) => !isEnrolled(directory, approver, key));
    this.directory = directory;
    for (const session of ended) this.#endSession(session);
  }

  /** Oldest first. */
  #newest(live: Iterable<RequestId>, drafted: Iterable<RequestId> = []): readonly Request[] {
    return [...new Set([...live, ...drafted])]
      .sort()
      .map((id) => this.requests.get(id) ?? this.#live.find({ id }))
      .filter((request) => request !== null);
  }

  #putPolicy(policy: PolicyText): void {
    this.policy = policy;
    this.#size += policy.text.length;
  }

  #putRequest(request: Request, isNew: boolean): void {
    this.requests.set(request.id, request);
    this.#ids.set(standingKey(request), request.id);
    addTo(this.#equal, scopeKey(request), request.id);
    if (isApproved(request)) addTo(this.#approved, scopeKey(request), request.id);
    if (isNew) this.inserted.add(request.id);
    this.#size += request.canonical.length;
  }

  #append(events: readonly NewEvent[], bodies: readonly string[], request: Request | null): void {
    events.forEach(({ kind, at, body: { without, key } }, index) => {
      const body = bodies[index] ?? '';
      if (without === 'approval') this.unapproved = at;
      if (kind === 'broker.key') this.brokerKey = String(key);
      const entry = appendEntry(this.head, { at, kind, request: request?.id ?? null, body });
      this.head = entry;
      this.entries.push(entry);
      this.committed.push({
        seq: entry.seq,
        kind,
        at,
        request: kind.startsWith('request.') ? request : null,
      });
      this.#size += body.length;
    });
  }

  /** As they stand after this draft. */
  #sessions(): Session[] {
    return [...this.#live.sessions.values(), ...this.sessions.values()].filter(
      ({ hash }) => !this.endedSessions.has(hash),
    );
  }

  #endSession({ hash }: Session): void {
    this.sessions.delete(hash);
    this.endedSessions.add(hash);
  }
}

function checkFixed(current: Request, next: Request): void {
  const changed = FIXED.find((field) => current[field] !== next[field]);
  if (changed !== undefined) throw misuse(`${changed} of a request never changes`);
}

function checkPolicy({ text, digest }: PolicyText): void {
  if (sha256Digest(text) !== digest) throw misuse('the digest of a policy is over its text');
}

const sorted = ({ people, submitters }: Directory): Directory => ({
  people: sortedByName(people),
  submitters: sortedByName(submitters),
});

function sortedByName<Named extends { readonly name: string }>(list: readonly Named[]): readonly Named[] {
  if (new Set(list.map(({ name }) => name)).size < list.length) {
    throw misuse('a name stands for one entry of the directory');
  }
  return list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A decision function broke the contract of the store: a defect of the broker, not of what was sent to it. */
const misuse = (what: string): TypeError => new TypeError(`store: ${what}`);
