import type { Logger } from 'pino';
import type { SinkStanding } from '../../src/protocol/outbox-messages.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { NewEvent } from '../requests/request.js';
import type { DeadLetters, Sink } from '../store/deliveries.js';
import type { Store } from '../store/store.js';
import { Follower } from './follower.js';
import type { Sender, Sent } from './sender.js';

/** Most dead letters that change in one commit. */
const LETTERS = 256;

/** Who decides about dead letters: an approver, or null for the owner of the broker over its socket. */
export type Decider = string | null;

/** Which dead letters somebody means. */
export type Meant = { readonly event: number } | { readonly all: true };

export interface OutboxContext {
  readonly store: Store;
  readonly clock: () => EpochMs;
  /** From 0 to below 1, for the jitter. */
  readonly random: () => number;
  readonly log: Logger;
  readonly count: (sink: Sink, outcome: Sent['outcome']) => void;
  /** How sinks fare that do not follow the log. */
  readonly others: () => readonly SinkStanding[];
}

/** Everything that follows the log on its way out: one worker for all receivers, each of them with its own place in the log. */
export class Outbox {
  readonly #context: OutboxContext;
  readonly #followers = new Map<Sink, Follower>();
  /** Changes of who is sent to, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(context: OutboxContext) {
    this.#context = context;
    context.store.onCommitted(() => this.tick());
  }

  /** All sinks: those that are sent to, and those that the store knows and nobody sends to any more. */
  standings(): readonly SinkStanding[] {
    const { store, others } = this.#context;
    const idle = [...store.sinks()].filter(([sink]) => !this.#followers.has(sink));
    return [
      ...others(),
      ...[...this.#followers.values()].map(({ standing }) => standing),
      ...idle.map(([sink, { position, deliveries, dead }]) => {
        const waiting = deliveries - dead + store.seq - position;
        return { sink, configured: false, waiting, dead, failing: null };
      }),
    ].sort((a, b) => (a.sink < b.sink ? -1 : 1));
  }

  /**
   * Sends to these from now on, and to nobody else. A sink that is new is sent what happens from now on; one that the store
   * knows goes on where it was.
   *
   * @throws Problem `storage-failed`, and it stays as it was
   */
  use(senders: readonly Sender[]): Promise<void> {
    return this.#inTurn(() => this.#use(senders));
  }

  /** Once a second, and after each commit. */
  tick(): void {
    for (const follower of this.#followers.values()) follower.proceed();
  }

  /** Begins nothing any more, and gives what is under way a moment to end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#followers.values()].map((follower) => follower.stop()));
  }

  /**
   * Has dead letters sent again, in their places, and tries at once what waits for a receiver that was away.
   *
   * @returns how many were dead
   * @throws Problem `no-delivery`
   */
  async retry(sink: string, meant: Meant, by: Decider): Promise<number> {
    const { store, clock } = this.#context;
    const known = this.#known(sink);
    return this.#inPieces(known, meant, async (letters) => {
      const told = (events: readonly number[]) => changed('outbox.retried', clock(), { sink, events, by });
      const events = await store.retryDeliveries(letters, told);
      this.#followers.get(known)?.retried(events);
      return events.length;
    });
  }

  /**
   * Never sends dead letters, or the one message that is named, dead or not.
   *
   * @returns how many that were
   * @throws Problem `no-delivery`
   */
  async drop(sink: string, meant: Meant, by: Decider): Promise<number> {
    const { store, clock } = this.#context;
    const known = this.#known(sink);
    return this.#inPieces(known, meant, async (letters) => {
      const told = (events: readonly number[]) => changed('outbox.dropped', clock(), { sink, events, by });
      const events = await store.dropDeliveries(letters, told);
      this.#followers.get(known)?.dropped(events);
      return events.length;
    });
  }

  /**
   * Forgets a sink that nobody sends to any more, with all that waits for it.
   *
   * @returns how many messages there were
   * @throws Problem `no-delivery`, `sink-in-use`
   */
  forget(sink: string, by: Decider): Promise<number> {
    const { store, clock } = this.#context;
    const known = this.#known(sink);
    return this.#inTurn(async () => {
      if (this.#followers.has(known)) {
        throw new Problem('sink-in-use', `${sink} stands in the configuration`);
      }
      const { waiting = 0, dead = 0 } = this.standings().find((standing) => standing.sink === sink) ?? {};
      const event = changed('outbox.dropped', clock(), { sink, forgotten: waiting + dead, by });
      while (!(await store.forgetSink(known, LETTERS, event)));
      return waiting + dead;
    });
  }

  async #use(senders: readonly Sender[]): Promise<void> {
    const { store, log } = this.#context;
    const sinks = new Map(senders.map((sender) => [sender.sink, sender]));
    for (const sink of sinks.keys()) {
      if (store.sinks().has(sink)) continue;
      await store.followLog(sink);
      log.info({ event: 'sink-added', sink, after: store.sinks().get(sink)?.position });
    }
    for (const [sink, follower] of this.#followers) {
      if (sinks.has(sink)) continue;
      this.#followers.delete(sink);
      await follower.stop();
    }
    for (const [sink, sender] of sinks) {
      const follower = this.#followers.get(sink);
      if (follower === undefined) this.#followers.set(sink, this.#followerOf(sender));
      else follower.use(sender);
    }
    if (this.#isStopped) await this.stop();
    this.tick();
  }

  #followerOf(sender: Sender): Follower {
    const { store, clock, random, log, count } = this.#context;
    return new Follower(sender, {
      store,
      clock,
      random,
      onTried: ({ event, sink, attempts }, sent, isDead) => {
        count(sink, sent.outcome);
        if (sent.outcome === 'taken') return;
        const { outcome, why } = sent;
        log.warn({
          event: isDead ? 'dead-letter' : 'send-failed',
          sink,
          seq: event,
          attempt: attempts + 1,
          outcome,
          why,
        });
      },
      onError: (err) => log.error({ err, sink: sender.sink }, 'cannot record what was sent'),
    });
  }

  /** @throws Problem `no-delivery` */
  #known(sink: string): Sink {
    const known = [...this.#context.store.sinks().keys()].find((name) => name === sink);
    if (known === undefined) throw new Problem('no-delivery', `nothing is sent to ${sink}`);
    return known;
  }

  /** One event, or those that were dead at this time: what dies meanwhile is for another decision. */
  async #inPieces(
    sink: Sink,
    meant: Meant,
    change: (letters: DeadLetters) => Promise<number>,
  ): Promise<number> {
    if ('event' in meant) {
      const { event } = meant;
      const count = await change({ sink, event });
      if (count === 0) throw new Problem('no-delivery', `the event ${event} does not wait for ${sink}`);
      return count;
    }
    const before = this.#context.clock();
    let sum = 0;
    for (;;) {
      const count = await change({ sink, before, limit: LETTERS });
      sum += count;
      if (count < LETTERS) return sum;
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

const changed = (
  kind: 'outbox.retried' | 'outbox.dropped',
  at: EpochMs,
  body: { readonly sink: string; readonly by: Decider } & (
    | { readonly events: readonly number[] }
    | { readonly forgotten: number }
  ),
): NewEvent => ({ kind, at, body });
