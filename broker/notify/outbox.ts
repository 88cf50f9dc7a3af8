import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { Deadlines } from '../requests/deadlines.js';
import type { Request } from '../requests/request.js';
import type { Committed, Delivery, Sink, Store } from '../store/store.js';
import type { Sent } from './command.js';

/** Most messages of one sink that are on their way at once. */
const AT_ONCE = 4;
/** Pauses between tries: doubled from the first to the longest, less up to a quarter so that they spread. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;

export interface OutboxContext {
  readonly store: Store;
  readonly sink: Sink;
  readonly clock: () => EpochMs;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Sends one message; never rejects. */
  readonly send: (delivery: Delivery, request: Request, abort: AbortSignal) => Promise<Sent>;
  readonly onSent: (delivery: Delivery, sent: Sent) => void;
  /** Called where the store could not write what has become of a message, which is then sent again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Sends what the store keeps for one sink, while its request is pending: at least once, in the order of events within a
 * request, a few at a time. It learns of new messages from commits, and of due ones from the broker's one timer.
 */
export class Outbox {
  readonly #context: OutboxContext;
  /** What is left of each request, oldest first; the first is due, running or waits. */
  readonly #lines = new Map<RequestId, Delivery[]>();
  readonly #deadlines = new Deadlines<RequestId>();
  /** Due, in the order in which they became so. */
  readonly #due = new Set<RequestId>();
  readonly #running = new Set<RequestId>();
  readonly #abort = new AbortController();

  constructor(context: OutboxContext) {
    this.#context = context;
    const { store, sink } = context;
    for (const delivery of store.deliveries()) if (delivery.sink === sink) this.#add(delivery);
    store.onCommitted((entries) => this.#committed(entries));
  }

  /** Messages that have not got through. */
  get waiting(): number {
    let count = 0;
    for (const line of this.#lines.values()) count += line.length;
    return count;
  }

  /** Once a second. */
  tick(now: EpochMs): void {
    for (const id of this.#deadlines.take(now)) this.#due.add(id);
    this.#sendDue();
  }

  /** Ends what is under way; it stays in the store and is sent again at the next start. */
  stop(): void {
    this.#abort.abort();
  }

  #committed(entries: readonly Committed[]): void {
    const { store, sink } = this.#context;
    for (const { seq, request } of entries) {
      if (request !== null && request.state !== 'pending') this.#drop(request.id);
      const delivery = store.findDelivery({ event: seq, sink });
      if (delivery !== null) this.#add(delivery);
    }
    this.#sendDue();
  }

  #add(delivery: Delivery): void {
    const line = this.#lines.get(delivery.request) ?? [];
    this.#lines.set(delivery.request, [...line, delivery]);
    if (line.length === 0) this.#schedule(delivery);
  }

  #schedule({ request, due }: Delivery): void {
    if (due <= this.#context.clock()) this.#due.add(request);
    else this.#deadlines.set(request, due);
  }

  #sendDue(): void {
    for (const id of this.#due) {
      if (this.#running.size >= AT_ONCE || this.#abort.signal.aborted) return;
      this.#due.delete(id);
      if (this.#running.has(id)) continue;
      this.#running.add(id);
      this.#sendFirst(id)
        .catch((error: unknown) => {
          this.#context.onError(error);
          if (this.#lines.has(id)) this.#deadlines.set(id, this.#context.clock() + FIRST_PAUSE);
        })
        .finally(() => {
          this.#running.delete(id);
          this.#sendDue();
        });
    }
  }

  async #sendFirst(id: RequestId): Promise<void> {
    const { store, send, onSent, clock, random } = this.#context;
    const delivery = this.#lines.get(id)?.[0];
    if (delivery === undefined) return;
    const request = await store.find({ id });
    if (request?.state !== 'pending') return this.#drop(id);
    const sent = await send(delivery, request, this.#abort.signal);
    if (this.#abort.signal.aborted) return;
    onSent(delivery, sent);
    const attempts = delivery.attempts + 1;
    const next = sent.ok ? null : { attempts, due: clock() + pauseBefore(attempts, random()) };
    // It may have been dropped meanwhile: then there is nothing left to write.
    if (this.#lines.get(id)?.[0] !== delivery) return;
    await store.settleDelivery(delivery, next);
    const [, ...rest] = this.#lines.get(id) ?? [];
    this.#setLine(id, next === null ? rest : [{ ...delivery, ...next }, ...rest]);
  }

  #setLine(id: RequestId, line: Delivery[]): void {
    const [first] = line;
    if (first === undefined) {
      this.#lines.delete(id);
    } else {
      this.#lines.set(id, line);
      this.#schedule(first);
    }
  }

  /** Nobody needs to hear of a request that has ended. */
  #drop(id: RequestId): void {
    const line = this.#lines.get(id);
    if (line === undefined) return;
    this.#lines.delete(id);
    this.#due.delete(id);
    this.#deadlines.set(id, null);
    const { store, onError } = this.#context;
    // What cannot be removed now is dropped at the next start.
    for (const delivery of line) store.settleDelivery(delivery, null).catch(onError);
  }
}

/** In whole ms. */
export const pauseBefore = (attempts: number, random: number): number =>
  Math.round(Math.min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE) * (1 - random / 4));
