import type { SignedHead } from '../../../src/protocol/audit-head.js';
import { canonicalJson, sha256Digest } from '../../../src/protocol/canonical.js';
import type { Name, Nonce, RequestId } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import type { Restoration } from '../../../src/protocol/restoration.js';
import { type EpochMs, formatTime } from '../../../src/protocol/time.js';
import type { NewEvent } from '../../requests/request.js';
import { inForce, type Restraints } from '../../requests/restraints.js';
import type { Erased, Erasure, Holds } from '../../retention/erasure.js';
import type { DeadLetters, Sink } from '../deliveries.js';
import type {
  Asker,
  DecideChange,
  Directory,
  Door,
  PolicyText,
  RequestChange,
  RequestKey,
  Review,
  RosterStep,
  Session,
  TokenHash,
} from '../store.js';
import { AccessDraft, sorted } from './access-draft.js';
import { type ErasurePlan, planErasure } from './erasure.js';
import type { LiveState } from './live-state.js';
import { LogDraft } from './log-draft.js';
import { misuse } from './misuse.js';
import { type DeliveryReader, newDelivery, OutboxDraft } from './outbox-draft.js';
import { RequestDraft, type RequestReader } from './request-draft.js';
import { SignersDraft } from './signers-draft.js';

/** Text after which a draft is committed before it takes more, in UTF-16 units. */
const FULL = 1024 * 1024;

/**
 * Changes of one commit, laid over what is committed. Each method either applies one whole change or throws and has
 * changed nothing; nothing outside the draft is touched.
 */
export class Draft {
  readonly now: EpochMs;
  readonly requests: RequestDraft;
  readonly askers = new Map<TokenHash, Asker>();
  readonly nonces = new Map<Nonce, EpochMs>();
  readonly doors = new Map<Name, Door>();
  /** null for those that are done. */
  readonly reviews = new Map<RequestId, Review | null>();
  /** Numbers of entries whose body goes. */
  readonly emptied: number[] = [];
  readonly heads: SignedHead[] = [];
  readonly outbox: OutboxDraft;
  readonly access: AccessDraft;
  readonly signers: SignersDraft;
  readonly log: LogDraft;
  restoration: Restoration | null;
  restraints: Restraints;
  holds: Holds;
  retentionTime: EpochMs | null;
  policy: PolicyText | null;
  newestHead: SignedHead | null;
  readonly #live: LiveState;
  readonly #history: RequestReader;
  #policySize = 0;

  constructor(live: LiveState, history: RequestReader, outbox: DeliveryReader, now: EpochMs) {
    this.#live = live;
    this.#history = history;
    this.now = now;
    this.restoration = live.restoration;
    this.restraints = live.restraints;
    this.holds = live.holds;
    this.retentionTime = live.retentionTime;
    this.policy = live.policy;
    this.newestHead = live.newestHead;
    this.requests = new RequestDraft(live, history);
    this.access = new AccessDraft(live);
    this.signers = new SignersDraft(live);
    this.log = new LogDraft(live);
    this.outbox = new OutboxDraft(live, outbox);
  }

  get isFull(): boolean {
    return this.requests.size + this.signers.size + this.log.size + this.#policySize >= FULL;
  }

  get isEmpty(): boolean {
    const changed =
      this.requests.written.size + this.askers.size + this.nonces.size + this.log.entries.length;
    const others = this.doors.size + this.reviews.size + this.heads.length;
    const isSame =
      this.restraints === this.#live.restraints && this.retentionTime === this.#live.retentionTime;
    const parts = [this.access, this.signers, this.outbox];
    return changed + others === 0 && isSame && parts.every((part) => part.isEmpty);
  }

  /** @throws Problem `replayed`, and whatever `decide` throws */
  change<Result>(key: RequestKey, decide: DecideChange<Result>): Result {
    const current = this.requests.find(key);
    const change = decide(current, this.restraints, this.requests, this.access.directory);
    const request = change.request ?? current;
    if (change.request !== undefined) this.requests.check(key, current, change.request);
    const others = change.others ?? [];
    this.requests.checkOthers(
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

    if (directory !== null) this.access.put(directory);
    if (change.policy !== undefined) this.#putPolicy(change.policy);
    if (change.request !== undefined) this.requests.put(change.request, current === null);
    if (change.asker !== undefined) this.askers.set(change.asker.hash, change.asker);
    if (change.nonce !== undefined) this.nonces.set(change.nonce.nonce, change.nonce.expires);
    if (change.door !== undefined) this.doors.set(change.door.name, change.door);
    if (change.review !== undefined && request !== null) this.reviews.set(request.id, change.review);
    if (change.restraints !== undefined) this.restraints = change.restraints;
    this.log.append(change.events, bodies, request);
    if (change.delivery !== undefined && request !== null) {
      const { sink, due, step = 0 } = change.delivery;
      this.outbox.put(newDelivery({ event: this.log.head.seq, sink }, request.id, due, step));
    }
    others.forEach((other, index) => {
      this.requests.put(other.request, false);
      this.log.append(other.events, othersBodies[index] ?? [], other.request);
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
    this.log.append(events, bodies, null);
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
    this.log.append([told], [body], null);
    return events;
  }

  forgetSink(sink: Sink, limit: number, event: NewEvent): boolean {
    const body = canonicalJson(event.body);

    const isGone = this.outbox.forget(sink, limit);
    if (isGone) this.log.append([event], [body], null);
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
    const change = decide(this.access.directory);
    const directory = sorted(change.directory);
    const bodies = change.events.map((event) => canonicalJson(event.body));

    this.access.put(directory);
    this.log.append(change.events, bodies, null);
    return directory;
  }

  /** @throws Problem `unknown-key` if the key left the roster after it signed in */
  addSession(session: Session): void {
    this.access.addSession(session, this.now);
  }

  /** @throws whatever `decide` throws */
  signRoster(
    decide: (
      steps: readonly RosterStep[],
      directory: Directory,
    ) => { readonly step: RosterStep; readonly file: string; readonly event: NewEvent },
  ): RosterStep {
    const { step, file, event } = decide(this.signers.stepsNow(), this.access.directory);
    if (sha256Digest(file) !== step.next) throw misuse('a step leads to the file that comes with it');
    const body = canonicalJson(event.body);

    this.signers.keepFile(file);
    this.signers.steps.set(step.serial, step);
    this.log.append([event], [body], null);
    return step;
  }

  keepPolicy(policy: PolicyText, event: NewEvent): void {
    checkPolicy(policy);
    const body = canonicalJson(event.body);

    this.#putPolicy(policy);
    this.log.append([event], [body], null);
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
    this.log.append([event], [canonicalJson(event.body)], null);
  }

  /** @throws whatever `decide` throws */
  changeHolds(decide: (current: Holds) => { readonly holds: Holds; readonly event: NewEvent }): void {
    const { holds, event } = decide(this.holds);
    const body = canonicalJson(event.body);

    this.holds = holds;
    this.log.append([event], [body], null);
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
      (id) => !this.requests.erased.has(id) && this.#history.isKept(id),
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
    this.log.append([event], [canonicalJson(event.body)], null);
  }

  /** By what is in memory or in this draft. */
  #mustStay(id: RequestId): boolean {
    if (this.requests.written.has(id) || this.#live.find({ id }) !== null || this.requests.erased.has(id))
      return true;
    const review = this.reviews.has(id) ? this.reviews.get(id) : this.#live.reviews.get(id);
    if (review !== undefined && review !== null) return true;
    if (this.log.entries.some(({ request }) => request === id)) return true;
    return [...this.restraints.values()].some((one) => one.kind === 'lock' && one.request === id);
  }

  #erase({ requests, entries, unfinished }: ErasurePlan, before: EpochMs, at: EpochMs): void {
    for (const id of requests) this.requests.erased.add(id);
    this.emptied.push(...entries);
    const ids = unfinished === null ? [...requests] : [...requests, unfinished];
    const event: NewEvent = {
      kind: 'history.erased',
      at,
      body: { ids, through: Math.max(...entries), before: formatTime(before) },
    };
    this.log.append([event], [canonicalJson(event.body)], null);
  }

  #checkNonce(nonce: RequestChange<unknown>['nonce']): void {
    if (nonce === undefined) return;
    const expires = this.nonces.get(nonce.nonce) ?? this.#live.nonces.get(nonce.nonce);
    if (expires !== undefined && expires > this.now)
      throw new Problem('replayed', 'this statement has been used');
  }

  #putPolicy(policy: PolicyText): void {
    this.policy = policy;
    this.#policySize += policy.text.length;
  }
}

function checkPolicy({ text, digest }: PolicyText): void {
  if (sha256Digest(text) !== digest) throw misuse('the digest of a policy is over its text');
}
