import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { type Line, Lines } from '../outbox/lines.js';
import type { Request } from '../requests/request.js';
import type { Delivery, NextTry, Sink } from '../store/deliveries.js';
import type { Committed, Store } from '../store/store.js';

/** Most messages of one sink that are on their way at once. */
const AT_ONCE = 4;
/** When it is tried again where the store could not be read or written, in ms. */
const STORE_PAUSE = 5_000;

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

export interface PendingOutboxContext {
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
export class PendingOutbox {
  readonly #context: PendingOutboxContext;
  readonly #lines = new Lines((a, b) => a.due - b.due || a.event - b.event);
  readonly #abort = new AbortController();

  constructor(context: PendingOutboxContext) {
    this.#context = context;
    const { store, sink, clock } = context;
    for (const delivery of store.deliveries()) if (delivery.sink === sink) this.#lines.add(delivery, clock());
    store.onCommitted((entries) => this.#committed(entries));
  }

  /** Messages that have not got through. */
  get waiting(): number {
    return this.#lines.count;
  }

  /** What of a request is due next; null for nothing. */
  first(id: RequestId): Delivery | null {
    return this.#lines.first(id);
  }

  /** Once a second. */
  tick(): void {
    this.#sendDue();
  }

  /** Ends what is under way; it stays in the store and is sent again at the next start. */
  stop(): void {
    this.#abort.abort();
  }

  #committed(entries: readonly Committed[]): void {
    const { store, sink, clock } = this.#context;
    for (const { seq, request } of entries) {
      if (request !== null && request.state !== 'pending') this.#drop(request.id);
      const delivery = store.findDelivery({ event: seq, sink });
      if (delivery !== null) this.#lines.add(delivery, clock());
    }
    this.#sendDue();
  }

  #sendDue(): void {
    const { clock, onError } = this.#context;
    while (this.#lines.underWay < AT_ONCE && !this.#abort.signal.aborted) {
      const delivery = this.#lines.take(clock());
      if (delivery === null) return;
      const line = delivery.request;
      this.#send(delivery)
        .catch((error: unknown) => {
          onError(error);
          return clock() + STORE_PAUSE;
        })
        .then((at) => {
          this.#lines.release(line, clock(), at);
          this.#sendDue();
        });
    }
  }

  /** @returns when to look at it again, where it is not its turn */
  async #send(delivery: Delivery): Promise<EpochMs | undefined> {
    const { store, attempt } = this.#context;
    const id = delivery.request;
    const request = id === null ? null : await store.find({ id });
    if (request?.state !== 'pending') {
      this.#drop(id);
      return undefined;
    }
    const made = await attempt(delivery, request, this.#abort.signal);
    if (this.#abort.signal.aborted) return undefined;
    if ('held' in made) return this.first(request.id) === delivery ? made.held : undefined;
    try {
      await this.#settle(delivery, made.next);
      for (const other of made.told) {
        const told = this.first(other.id);
        if (told !== null) await this.#settle(told, other.next);
      }
    } finally {
      made.settled?.();
    }
    return undefined;
  }

  async #settle(delivery: Delivery, next: NextTry | null): Promise<void> {
    const { store, clock } = this.#context;
    // It may have been dropped meanwhile: then there is nothing left to write.
    if (this.#lines.find(delivery.request, delivery.event) !== delivery) return;
    await store.settleDelivery(delivery, next);
    this.#lines.replace(delivery, next === null ? null : { ...delivery, ...next }, clock());
  }

  /** Nobody needs to hear of a request that has ended. */
  #drop(line: Line): void {
    const { store, onError } = this.#context;
    // What cannot be removed now is dropped at the next start.
    for (const delivery of this.#lines.remove(line)) store.settleDelivery(delivery, null).catch(onError);
  }
}
