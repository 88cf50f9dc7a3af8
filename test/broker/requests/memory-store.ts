import { type NewEvent, type Request, requestIsLive } from '../../../broker/requests/request.js';
import { NO_RESTRAINTS, type Restraints } from '../../../broker/requests/restraints.js';
import type { Holds } from '../../../broker/retention/erasure.js';
import type { Delivery, DeliveryChange, DeliveryName } from '../../../broker/store/deliveries.js';
import { newDelivery } from '../../../broker/store/sqlite/outbox-draft.js';
import type {
  Asker,
  Committed,
  DecideChange,
  Directory,
  Door,
  Peers,
  PolicyText,
  RequestKey,
  Review,
  Session,
  Store,
  TokenHash,
} from '../../../broker/store/store.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';

/** The store's contract in memory: one change after the other, listeners in the turn after the answer. */
export class MemoryStore implements Store {
  readonly epoch = 'memory';
  readonly requests = new Map<RequestId, Request>();
  readonly log: Committed[] = [];
  readonly sessions = new Map<TokenHash, Session>();
  readonly #reviews = new Map<RequestId, Review>();
  #doors: ReadonlyMap<Name, Door> = new Map();
  /** While true no commit succeeds, as on a full disk. */
  isFull = false;
  readonly #askers = new Map<TokenHash, Asker>();
  readonly #nonces = new Set<string>();
  readonly #deliveries = new Map<string, Delivery>();
  readonly #listeners: ((entries: readonly Committed[]) => void)[] = [];
  #directory: Directory;
  #restraints: Restraints = NO_RESTRAINTS;
  #policy: PolicyText | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  get seq(): number {
    return this.log.length;
  }

  live(): readonly Request[] {
    return [...this.requests.values()].filter(requestIsLive);
  }

  async find(key: RequestKey): Promise<Request | null> {
    return this.#find(key);
  }

  list(): Promise<never> {
    throw new Error('not in memory');
  }

  outcomes(): Promise<never> {
    throw new Error('not in memory');
  }

  lastUses(): Promise<never> {
    throw new Error('not in memory');
  }

  events(): Promise<never> {
    throw new Error('not in memory');
  }

  chainHead(): never {
    throw new Error('not in memory');
  }

  heads(): Promise<never> {
    throw new Error('not in memory');
  }

  newestHead(): null {
    return null;
  }

  keepHead(): Promise<never> {
    throw new Error('not in memory');
  }

  brokerKey(): null {
    return null;
  }

  async findAsker(hash: TokenHash): Promise<Asker | null> {
    return this.#askers.get(hash) ?? null;
  }

  change<Result>(key: RequestKey, decide: DecideChange<Result>): Promise<Result> {
    return this.#commit(() => {
      const current = this.#find(key);
      const peers: Peers = {
        equal: (ask) => this.#equal(ask),
        approved: (ask) => this.#equal(ask).filter(({ state }) => state !== 'pending'),
      };
      const change = decide(current, this.#restraints, peers, this.#directory);
      const { request = current, events, others = [], asker, nonce, door, delivery, result } = change;
      if (nonce !== undefined && this.#nonces.has(nonce.nonce)) throw new Problem('replayed', 'used');
      this.#checkDisk();
      if (request !== null) this.requests.set(request.id, request);
      if (change.directory !== undefined) this.#directory = change.directory;
      this.#policy = change.policy ?? this.#policy;
      if (asker !== undefined) this.#askers.set(asker.hash, asker);
      if (nonce !== undefined) this.#nonces.add(nonce.nonce);
      if (change.review === null) this.#reviews.delete((request as Request).id);
      else if (change.review !== undefined) this.#reviews.set(change.review.request, change.review);
      if (door !== undefined) this.#doors = new Map([...this.#doors, [door.name, door]]);
      this.#restraints = change.restraints ?? this.#restraints;
      this.#record(events, request);
      if (delivery !== undefined && request !== null) {
        const { sink, due, step = 0 } = delivery;
        const queued = newDelivery({ event: this.seq, sink }, request.id, due, step);
        this.#deliveries.set(`${this.seq} ${sink}`, queued);
      }
      for (const other of others) {
        this.requests.set(other.request.id, other.request);
        this.#record(other.events, other.request);
      }
      return result;
    });
  }

  restraints(): Restraints {
    return this.#restraints;
  }

  changeRestraints(decide: Parameters<Store['changeRestraints']>[0]): Promise<void> {
    return this.#commit(() => {
      const { restraints, events, nonce } = decide(this.#restraints);
      if (nonce !== undefined && this.#nonces.has(nonce.nonce)) throw new Problem('replayed', 'used');
      this.#checkDisk();
      if (nonce !== undefined) this.#nonces.add(nonce.nonce);
      this.#restraints = restraints;
      this.#record(events, null);
    });
  }

  doors(): ReadonlyMap<Name, Door> {
    return this.#doors;
  }

  record(event: NewEvent): Promise<void> {
    return this.#commit(() => this.#record([event], null));
  }

  policy(): PolicyText | null {
    return this.#policy;
  }

  keepPolicy(policy: PolicyText, event: NewEvent): Promise<void> {
    return this.#commit(() => {
      this.#policy = policy;
      this.#record([event], null);
    });
  }

  unapproved(): null {
    return null;
  }

  rosterSteps(): readonly [] {
    return [];
  }

  holds(): Holds {
    return new Map();
  }

  changeHolds(): Promise<never> {
    throw new Error('not in memory');
  }

  closed(): Promise<never> {
    throw new Error('not in memory');
  }

  erase(): Promise<never> {
    throw new Error('not in memory');
  }

  scrub(): Promise<never> {
    throw new Error('not in memory');
  }

  retentionTime(): null {
    return null;
  }

  keepRetentionTime(): Promise<never> {
    throw new Error('not in memory');
  }

  signersFiles(): readonly [] {
    return [];
  }

  signRoster(): Promise<never> {
    throw new Error('not in memory');
  }

  signersFile(): Promise<never> {
    throw new Error('not in memory');
  }

  async keepSignersFile(): Promise<void> {}

  reviews(): ReadonlyMap<RequestId, Review> {
    return this.#reviews;
  }

  directory(): Directory {
    return this.#directory;
  }

  changeDirectory(
    decide: (current: Directory) => { readonly directory: Directory; readonly events: readonly NewEvent[] },
  ): Promise<Directory> {
    return this.#commit(() => {
      const { directory, events } = decide(this.#directory);
      this.#directory = directory;
      this.#record(events, null);
      return directory;
    });
  }

  findSession(hash: TokenHash): Session | null {
    return this.sessions.get(hash) ?? null;
  }

  addSession(session: Session): Promise<void> {
    return this.#commit(() => {
      this.#checkDisk();
      this.sessions.set(session.hash, session);
    });
  }

  deliveries(): readonly Delivery[] {
    return [...this.#deliveries.values()];
  }

  findDelivery({ event, sink }: DeliveryName): Delivery | null {
    return this.#deliveries.get(`${event} ${sink}`) ?? null;
  }

  settleDelivery(name: DeliveryName, next: DeliveryChange | null): Promise<void> {
    return this.#commit(() => {
      this.#checkDisk();
      const current = this.findDelivery(name);
      const key = `${name.event} ${name.sink}`;
      if (current !== null && next !== null) this.#deliveries.set(key, { ...current, ...next });
      else this.#deliveries.delete(key);
    });
  }

  sinks(): ReturnType<Store['sinks']> {
    return new Map();
  }

  followLog(): Promise<never> {
    throw new Error('not in memory');
  }

  queueDeliveries(): Promise<never> {
    throw new Error('not in memory');
  }

  openDeliveries(): Promise<never> {
    throw new Error('not in memory');
  }

  deadLetters(): Promise<never> {
    throw new Error('not in memory');
  }

  retryDeliveries(): Promise<never> {
    throw new Error('not in memory');
  }

  dropDeliveries(): Promise<never> {
    throw new Error('not in memory');
  }

  forgetSink(): Promise<never> {
    throw new Error('not in memory');
  }

  epochAt(): string {
    return this.epoch;
  }

  restoration(): null {
    return null;
  }

  acknowledgeRestoration(): Promise<never> {
    throw new Error('not in memory');
  }

  onCommitted(listener: (entries: readonly Committed[]) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {}

  #find(key: RequestKey): Request | null {
    if ('id' in key) return this.requests.get(key.id) ?? null;
    for (const request of this.requests.values())
      if (request.digest === key.digest && request.submitter === key.submitter) return request;
    return null;
  }

  #equal(ask: Parameters<Peers['equal']>[0]): readonly Request[] {
    const live = this.live().filter(
      ({ scope, submitter }) => scope === ask.scope && submitter === ask.submitter,
    );
    return live.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  #commit<Result>(write: () => Result): Promise<Result> {
    const result = this.#turn.then(write);
    this.#turn = result.catch(() => {});
    return result;
  }

  #checkDisk(): void {
    if (this.isFull) throw new Problem('storage-failed', 'the disk is full');
  }

  #record(events: readonly NewEvent[], request: Request | null): void {
    if (events.length === 0) return;
    const entries = events.map(({ kind, at }, index) => ({
      seq: this.seq + 1 + index,
      kind,
      at,
      request: kind.startsWith('request.') ? request : null,
    }));
    this.log.push(...entries);
    setImmediate(() => {
      for (const listener of this.#listeners) listener(entries);
    });
  }
}
