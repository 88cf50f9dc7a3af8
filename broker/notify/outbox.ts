import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { Deadlines } from '../requests/deadlines.js';
import type { Request } from '../requests/request.js';
import type { Committed, Delivery, NextTry, Sink, Store } from '../store/store.js';

/** Most messages of one sink that are on their way at once. */
const AT_ONCE = 4;
/** Pauses between tries: doubled from the first to the longest, less up to a quarter so that they spread. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;

/** What has become of a delivery that was due. */
export type Attempt =
  /** Not its turn: it is looked at again then. */
  | { readonly held: EpochMs }
  | {
      /** What is written of it; null where it needs telling no more. */
      readonly next: NextTry | null;
      /** Others that were told with it. */
      readonly told: readonly { readonly id: RequestId; readonly next: NextTry | null }[];
      /** Called once all of that is written, or could not be. */
      readonly settled?: () => void;
    };

export interface OutboxContext {
  readonly store: Store;
  readonly sink: Sink;
  readonly clock: () => EpochMs;
  /** Sends one message; never rejects. */
  readonly attempt: (delivery: Delivery, request: Request, abort: AbortSignal) => Promise<Attempt>;
  /** Called where the store could not write what has become of a message, which is then sent again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Sends what the store keeps for one sink, while its request is pending: at least once, in the order in which it is due within
 * a request, a few at a time. It learns of new messages from commits, and of due ones from the broker's one timer.
 */
export class Outbox {
  readonly #context: OutboxContext;
  /** What is left of each request, the first that is due first; that one is due, running or waits. */
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

  /** What of a request is due next; null for nothing. */
  first(id: RequestId): Delivery | null {
    return this.#lines.get(id)?.[0] ?? null;
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
    this.#setLine(delivery.request, [...line, delivery]);
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
    const { store, attempt } = this.#context;
    const delivery = this.first(id);
    if (delivery === null) return;
    const request = await store.find({ id });
    if (request?.state !== 'pending') return this.#drop(id);
    const made = await attempt(delivery, request, this.#abort.signal);
    if (this.#abort.signal.aborted) return;
    if ('held' in made) {
      if (this.first(id) === delivery) this.#deadlines.set(id, made.held);
      return;
    }
    try {
      await this.#settle(delivery, made.next);
      for (const other of made.told) {
        const told = this.first(other.id);
        if (told !== null) await this.#settle(told, other.next);
      }
    } finally {
      made.settled?.();
    }
  }

  async #settle(delivery: Delivery, next: NextTry | null): Promise<void> {
    const id = delivery.request;
    // It may have been dropped meanwhile: then there is nothing left to write.
    if (this.#lines.get(id)?.includes(delivery) !== true) return;
    await this.#context.store.settleDelivery(delivery, next);
    const line = this.#lines.get(id) ?? [];
    if (!line.includes(delivery)) return;
    const rest = line.filter((other) => other !== delivery);
    this.#deadlines.set(id, null);
    this.#setLine(id, next === null ? rest : [{ ...delivery, ...next }, ...rest]);
  }

  #setLine(id: RequestId, line: Delivery[]): void {
    const sorted = line.toSorted((a, b) => a.due - b.due || a.event - b.event);
    const [first] = sorted;
    if (first === undefined) {
      this.#lines.delete(id);
    } else {
      this.#lines.set(id, sorted);
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
