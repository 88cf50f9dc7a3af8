import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { Outbox } from '../../../broker/outbox/outbox.js';
import type { OutgoingMessage, Sender, Sent } from '../../../broker/outbox/sender.js';
import type { NewEvent, Request } from '../../../broker/requests/request.js';
import type { Delivery, Sink } from '../../../broker/store/deliveries.js';
import { openSqliteStore } from '../../../broker/store/sqlite/open.js';
import type { Store } from '../../../broker/store/store.js';
import type { SinkStanding } from '../../../src/protocol/outbox-messages.js';
import { event, NOON, newRequest, standing } from '../store/store-world.js';

export const TAKEN: Sent = { outcome: 'taken' };
export const answered = (outcome: Exclude<Sent['outcome'], 'taken'>): Sent => ({
  outcome,
  why: `it ${outcome}`,
});

/** What a receiver does with one message: takes it so many times, and says so much later what became of it. */
export interface Treatment {
  readonly copies: number;
  readonly sent: Sent;
  /** In ms. */
  readonly after?: number;
}

/** In memory where there is such a place: hours of commits, and it is not the disk that is tested. */
function memoryDirectory(): string {
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'countersign-outbox-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A receiver that the test commands. It remembers all that ever came, across brokers. */
export class Receiver {
  readonly sink: Sink;
  readonly #world: OutboxWorld;
  /** Each try, in the order in which they were made, and each copy that was taken. */
  readonly tried: OutgoingMessage[] = [];
  readonly taken: OutgoingMessage[] = [];
  #waiting: { readonly at: number; readonly answer: () => void }[] = [];
  treat: (message: OutgoingMessage) => Treatment = () => ({ copies: 1, sent: TAKEN });
  wants: (kind: string) => boolean = () => true;

  constructor(world: OutboxWorld, sink: Sink) {
    this.#world = world;
    this.sink = sink;
  }

  /** The side of it that one life of the broker talks to: a dead one is not heard. */
  sender(): Sender {
    const life = this.#world.lives;
    return {
      sink: this.sink,
      wants: (kind) => this.wants(kind),
      send: (message) => (life === this.#world.lives ? this.#receive(message) : new Promise(() => {})),
    };
  }

  numbers(messages = this.taken): readonly number[] {
    return messages.map(({ seq }) => seq);
  }

  async pass(now: number): Promise<void> {
    const due = this.#waiting.filter(({ at }) => at <= now);
    this.#waiting = this.#waiting.filter(({ at }) => at > now);
    for (const { answer } of due) answer();
  }

  async #receive(message: OutgoingMessage): Promise<Sent> {
    this.tried.push(message);
    const { copies, sent, after = 0 } = this.treat(message);
    for (let copy = 0; copy < copies; copy += 1) this.taken.push(message);
    if (after > 0) {
      await new Promise<void>((answer) => this.#waiting.push({ at: this.#world.now + after, answer }));
    }
    return sent;
  }
}

/** The worker over a real store, under a clock that the test moves; it can be killed at any turn. */
export class OutboxWorld {
  now = NOON;
  lives = 0;
  random: () => number = () => 0;
  readonly receivers: Receiver[] = [];
  #directory = memoryDirectory();
  #store: Store | null = null;
  #outbox: Outbox | null = null;
  /** Calls of the store that have not been answered. */
  #calls = 0;

  static async open(...sinks: Sink[]): Promise<OutboxWorld> {
    const world = new OutboxWorld();
    for (const sink of sinks) world.receivers.push(new Receiver(world, sink));
    await world.start();
    return world;
  }

  get store(): Store {
    if (this.#store === null) throw new Error('not opened');
    return this.#store;
  }

  get outbox(): Outbox {
    if (this.#outbox === null) throw new Error('not opened');
    return this.#outbox;
  }

  /** The receiver of a test that has but one. */
  get receiver(): Receiver {
    return this.receivers[0] as Receiver;
  }

  get standing(): SinkStanding {
    return this.outbox.standings()[0] as SinkStanding;
  }

  async start(receivers: readonly Receiver[] = this.receivers): Promise<void> {
    const clock = () => this.now;
    const store = await openSqliteStore({ directory: this.#directory, clock, random: randomBytes });
    onTestFinished(() => store.close());
    this.#store = store;
    this.#outbox = new Outbox({
      store: this.#counted(store),
      clock,
      random: () => this.random(),
      log: pino({ enabled: false }),
      count: () => {},
      others: () => [],
    });
    await this.#outbox.use(receivers.map((receiver) => receiver.sender()));
  }

  /** As kill -9 between two turns, and a start afterwards: what the operating system was given is there, and nothing else. */
  async kill(receivers: readonly Receiver[] = this.receivers): Promise<void> {
    this.lives += 1;
    const directory = memoryDirectory();
    for (const name of ['broker.db', 'broker.db-wal']) {
      const file = join(this.#directory, name);
      if (existsSync(file)) copyFileSync(file, join(directory, name));
    }
    this.#directory = directory;
    this.#calls = 0;
    await this.start(receivers);
  }

  /** Another connection, which can keep the broker from writing. */
  outside(): Database {
    const database = new SqliteDatabase(join(this.#directory, 'broker.db'));
    onTestFinished(() => void database.close());
    return database;
  }

  /** Moves the clock and lets the broker notice, as its one timer does, until nothing moves. */
  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const receiver of this.receivers) await receiver.pass(this.now);
    this.outbox.tick();
    await this.rest();
  }

  /** Until nothing moves any more before the clock does. */
  async rest(): Promise<void> {
    for (let still = 0; still < 3; still += 1) {
      await nextTurn();
      if (this.#calls > 0) still = -1;
    }
  }

  /** Lets so many seconds pass one by one. */
  async passSeconds(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) await this.pass(1000);
  }

  /** A new request. */
  async submit(): Promise<Request> {
    const request = newRequest();
    await this.store.change(standing(request), () => ({ request, events: [event()], result: null }));
    return request;
  }

  /** One more event about a request. Returns its number. */
  tell(request: Request, kind: NewEvent['kind'] = 'request.voted'): Promise<number> {
    return this.store
      .change({ id: request.id }, () => ({ request, events: [event(kind)], result: null }))
      .then(() => this.store.seq);
  }

  /** An event about no request. */
  async record(): Promise<number> {
    await this.store.record(event('roster.changed'));
    return this.store.seq;
  }

  async dead(): Promise<readonly Delivery[]> {
    return this.store.deadLetters({ sink: null, after: null, limit: 1000 });
  }

  /** Counts what the worker waits for, so that a test knows when it does nothing. */
  #counted(store: Store): Store {
    const life = this.lives;
    const count = (change: number): void => {
      if (life === this.lives) this.#calls += change;
    };
    return new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...values: unknown[]) => {
          const result: unknown = Reflect.apply(value, target, values);
          if (!(result instanceof Promise)) return result;
          count(1);
          return result.finally(() => count(-1));
        };
      },
    });
  }
}
