import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import type { SignedHead } from '../../../src/protocol/audit-head.js';
import type { ChainHead, LogEntry } from '../../../src/protocol/event-log.js';
import { type Filter, matchesFilter, type Standing, subjectOf } from '../../../src/protocol/filter.js';
import type { Digest, Name, RequestId } from '../../../src/protocol/names.js';
import { isLive, REQUEST_STATES } from '../../../src/protocol/request-view.js';
import type { Restoration } from '../../../src/protocol/restoration.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import type { NewEvent, Request } from '../../requests/request.js';
import type { Restraints } from '../../requests/restraints.js';
import type { Erased, Erasure, Holds } from '../../retention/erasure.js';
import type {
  DeadLetters,
  Delivery,
  DeliveryChange,
  DeliveryName,
  Sink,
  SinkProgress,
} from '../deliveries.js';
import type {
  Asker,
  Committed,
  DecideChange,
  Directory,
  Door,
  EventQuery,
  ListPage,
  ListQuery,
  OutcomePage,
  OutcomeQuery,
  PolicyText,
  RequestKey,
  Review,
  RosterStep,
  Session,
  Store,
  TokenHash,
} from '../store.js';
import { Checkpointer } from './checkpoint.js';
import { Draft } from './draft.js';
import { GroupCommit } from './group-commit.js';
import { History } from './history.js';
import { KeyIndex } from './key-index.js';
import { deliveryKey, type LiveState } from './live-state.js';
import type { DirectoryLock } from './lock.js';
import { OutboxRows } from './outbox-rows.js';
import { reading } from './reading.js';
import { PRUNED_NONCES, Writer } from './writer.js';

export interface SqliteStoreParts {
  readonly epoch: string;
  readonly database: Database;
  readonly live: LiveState;
  readonly lock: DirectoryLock;
  readonly clock: () => EpochMs;
}

/** The store on one SQLite file; see {@link Store} for its contract. */
export class SqliteStore implements Store {
  readonly epoch: string;
  readonly #database: Database;
  readonly #live: LiveState;
  readonly #lock: DirectoryLock;
  readonly #clock: () => EpochMs;
  readonly #history: History;
  readonly #outbox: OutboxRows;
  readonly #writer: Writer;
  readonly #group: GroupCommit<Draft>;
  readonly #checkpointer: Checkpointer;
  readonly #listeners: ((entries: readonly Committed[]) => void)[] = [];
  #closing: Promise<void> | null = null;

  constructor({ epoch, database, live, lock, clock }: SqliteStoreParts) {
    this.epoch = epoch;
    this.#database = database;
    this.#live = live;
    this.#lock = lock;
    this.#clock = clock;
    const indexes = {
      requests: new KeyIndex(database, 'requests'),
      askers: new KeyIndex(database, 'askers'),
    };
    this.#history = new History(database, indexes);
    this.#outbox = new OutboxRows(database);
    this.#writer = new Writer(database, indexes);
    this.#group = new GroupCommit({
      begin: () => new Draft(live, this.#history, this.#outbox, clock()),
      isFull: (draft) => draft.isFull,
      commit: (draft) => this.#commit(draft),
    });
    this.#checkpointer = new Checkpointer(database, this.#group);
  }

  get seq(): number {
    return this.#live.head.seq;
  }

  chainHead(): ChainHead {
    return this.#live.head;
  }

  live(): readonly Request[] {
    return this.#live.requests();
  }

  async find(key: RequestKey): Promise<Request | null> {
    return this.#live.find(key) ?? this.#history.find(key);
  }

  async list(query: ListQuery, goesOn: () => boolean = () => true): Promise<ListPage> {
    if (isOfLiveOnes(query.filter)) return listLive(this.live(), query);
    return this.#history.list(query, goesOn);
  }

  outcomes(query: OutcomeQuery): Promise<OutcomePage> {
    return this.#history.outcomes(query);
  }

  async findAsker(hash: TokenHash): Promise<Asker | null> {
    return this.#live.askers.get(hash) ?? this.#history.asker(hash);
  }

  lastUses(grants: readonly RequestId[]): Promise<ReadonlyMap<RequestId, EpochMs>> {
    return this.#history.lastUses(grants);
  }

  async events(query: EventQuery): Promise<readonly LogEntry[]> {
    return this.#history.events(query);
  }

  async heads(query: { readonly after: number; readonly limit: number }): Promise<readonly SignedHead[]> {
    return this.#history.heads(query);
  }

  newestHead(): SignedHead | null {
    return this.#live.newestHead;
  }

  keepHead(head: SignedHead): Promise<void> {
    return this.#group.submit((draft) => draft.keepHead(head));
  }

  brokerKey(): string | null {
    return this.#live.brokerKey;
  }

  change<Result>(key: RequestKey, decide: DecideChange<Result>): Promise<Result> {
    return this.#group.submit((draft) => draft.change(key, decide));
  }

  restraints(): Restraints {
    return this.#live.restraints;
  }

  changeRestraints(decide: Parameters<Store['changeRestraints']>[0]): Promise<void> {
    return this.#group.submit((draft) => draft.changeRestraints(decide));
  }

  directory(): Directory {
    return this.#live.directory;
  }

  changeDirectory(
    decide: (current: Directory) => { readonly directory: Directory; readonly events: readonly NewEvent[] },
  ): Promise<Directory> {
    return this.#group.submit((draft) => draft.changeDirectory(decide));
  }

  policy(): PolicyText | null {
    return this.#live.policy;
  }

  keepPolicy(policy: PolicyText, event: NewEvent): Promise<void> {
    return this.#group.submit((draft) => draft.keepPolicy(policy, event));
  }

  unapproved(): EpochMs | null {
    return this.#live.unapproved;
  }

  record(event: NewEvent): Promise<void> {
    return this.#group.submit((draft) => draft.record(event));
  }

  rosterSteps(): readonly RosterStep[] {
    return this.#live.rosterSteps;
  }

  signRoster(
    decide: (
      steps: readonly RosterStep[],
      directory: Directory,
    ) => { readonly step: RosterStep; readonly file: string; readonly event: NewEvent },
  ): Promise<RosterStep> {
    return this.#group.submit((draft) => draft.signRoster(decide));
  }

  signersFiles(): readonly Digest[] {
    return [...this.#live.signersFiles];
  }

  async signersFile(digest: Digest): Promise<string | null> {
    return this.#history.signersFile(digest);
  }

  keepSignersFile(text: string): Promise<void> {
    return this.#group.submit((draft) => draft.signers.keepFile(text));
  }

  reviews(): ReadonlyMap<RequestId, Review> {
    return this.#live.reviews;
  }

  doors(): ReadonlyMap<Name, Door> {
    return this.#live.doors;
  }

  findSession(hash: TokenHash): Session | null {
    const session = this.#live.sessions.get(hash);
    return session !== undefined && session.expires > this.#clock() ? session : null;
  }

  addSession(session: Session): Promise<void> {
    return this.#group.submit((draft) => draft.addSession(session));
  }

  deliveries(): readonly Delivery[] {
    return [...this.#live.deliveries.values()];
  }

  findDelivery(name: DeliveryName): Delivery | null {
    return this.#live.deliveries.get(deliveryKey(name)) ?? null;
  }

  settleDelivery(name: DeliveryName, next: DeliveryChange | null): Promise<void> {
    return this.#group.submit((draft) => draft.outbox.settle(name, next));
  }

  sinks(): ReadonlyMap<Sink, SinkProgress> {
    return this.#live.sinks;
  }

  followLog(sink: Sink): Promise<void> {
    return this.#group.submit((draft) => draft.outbox.follow(sink, draft.log.head.seq));
  }

  queueDeliveries(...[sink, through, events]: Parameters<Store['queueDeliveries']>): Promise<void> {
    return this.#group.submit((draft) => draft.outbox.queue(sink, through, events));
  }

  async openDeliveries(sink: Sink, { after, limit }: Parameters<Store['openDeliveries']>[1]) {
    const { position = 0 } = this.#live.sinks.get(sink) ?? {};
    return reading(this.#database, () => this.#outbox.open(sink, after, position, limit));
  }

  async deadLetters({ sink, after, limit }: Parameters<Store['deadLetters']>[0]) {
    return reading(this.#database, () => this.#outbox.deadAfter(sink, after, limit));
  }

  retryDeliveries(letters: DeadLetters, event: (events: readonly number[]) => NewEvent) {
    return this.#group.submit((draft) => draft.changeLetters(letters, 'retry', event));
  }

  dropDeliveries(letters: DeadLetters, event: (events: readonly number[]) => NewEvent) {
    return this.#group.submit((draft) => draft.changeLetters(letters, 'drop', event));
  }

  forgetSink(sink: Sink, limit: number, event: NewEvent): Promise<boolean> {
    return this.#group.submit((draft) => draft.forgetSink(sink, limit, event));
  }

  epochAt(seq: number): string {
    return this.#live.epochs.findLast(({ first }) => first <= seq)?.epoch ?? this.epoch;
  }

  restoration(): Restoration | null {
    return this.#live.restoration;
  }

  acknowledgeRestoration(event: NewEvent): Promise<void> {
    return this.#group.submit((draft) => draft.acknowledgeRestoration(event));
  }

  holds(): Holds {
    return this.#live.holds;
  }

  changeHolds(decide: Parameters<Store['changeHolds']>[0]): Promise<void> {
    return this.#group.submit((draft) => draft.changeHolds(decide));
  }

  async closed({ after, before, limit }: Parameters<Store['closed']>[0]): Promise<readonly RequestId[]> {
    return this.#history.closed(after, before, limit);
  }

  erase(erasure: Erasure): Promise<Erased | null> {
    return this.#group.submit((draft) => draft.erase(erasure));
  }

  scrub(): Promise<boolean> {
    return this.#checkpointer.truncate();
  }

  retentionTime(): EpochMs | null {
    return this.#live.retentionTime;
  }

  keepRetentionTime(time: EpochMs): Promise<void> {
    return this.#group.submit((draft) => draft.keepRetentionTime(time));
  }

  onCommitted(listener: (entries: readonly Committed[]) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#group.drain();
    await nextTurn();
    await this.#checkpointer.close();
    this.#database.close();
    this.#lock.release();
  }

  #commit(draft: Draft): void {
    if (draft.isEmpty) return;
    this.#writer.commit(draft, this.#live, this.#live.hasExpiredNonce(draft.now));
    this.#live.adopt(draft, PRUNED_NONCES);
    this.#checkpointer.committed();
    if (draft.log.committed.length > 0) setImmediate(() => this.#announce(draft.log.committed));
  }

  #announce(entries: readonly Committed[]): void {
    for (const listener of this.#listeners) listener(entries);
  }
}

/** Whether nothing that has ended can fit, so that all that can is in memory. */
const isOfLiveOnes = ({ terms }: Filter): boolean =>
  terms.some((term) => term.key === 'state' && !term.not && term.any.every(isLiveStanding));

const isLiveStanding = (standing: Standing): boolean =>
  standing === 'live' || REQUEST_STATES.some((state) => state === standing && isLive(state));

function listLive(oldestFirst: readonly Request[], { filter, before, limit }: ListQuery): ListPage {
  const all = oldestFirst
    .filter(
      (request) => (before === null || request.id < before) && matchesFilter(filter, subjectOf(request)),
    )
    .reverse();
  const requests = all.slice(0, limit);
  return { requests, next: all.length > limit ? (requests.at(-1)?.id ?? null) : null };
}
