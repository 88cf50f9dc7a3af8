import type { Name, RequestId } from '../../src/protocol/names.js';
import { type Request, requestIsLive } from '../requests/request.js';
import { restorationOnWire, viewOnWire } from '../requests/view.js';
import type { Committed, Store } from '../store/store.js';
import { encode, type RingOf } from './event-message.js';

/** The queue as of the newest entry that consoles were told of. The store is ahead of it between a commit and its publication. */
export class QueuePicture {
  readonly #store: Store;
  readonly #ringOf: RingOf;
  readonly #mostEnded: number;
  readonly #live: Map<RequestId, Request>;
  #ended: readonly Request[];
  #seq: number;
  /** The snapshot as of now, made for the first console that asks. */
  #snapshot: Buffer | null = null;

  /** @param ended the newest requests that have ended, oldest first; no more than `mostEnded` are kept */
  constructor(store: Store, ringOf: RingOf, ended: readonly Request[], mostEnded: number) {
    this.#store = store;
    this.#ringOf = ringOf;
    this.#mostEnded = mostEnded;
    this.#seq = store.seq;
    this.#live = new Map(store.live().map((request) => [request.id, request]));
    this.#ended = ended;
  }

  get seq(): number {
    return this.#seq;
  }

  isLive(id: RequestId): boolean {
    return this.#live.has(id);
  }

  take({ seq, request }: Committed): void {
    this.#snapshot = null;
    this.#seq = seq;
    if (request === null) return;
    if (requestIsLive(request)) {
      this.#live.set(request.id, request);
      return;
    }
    this.#live.delete(request.id);
    const others = this.#ended.filter(({ id }) => id !== request.id);
    this.#ended = [...others, request].slice(-this.#mostEnded);
  }

  takeAskers(id: RequestId, askers: number): void {
    this.#snapshot = null;
    const known = this.#live.get(id);
    if (known !== undefined) this.#live.set(id, { ...known, askers });
  }

  /** Others are rung than before. */
  takeRinging(): void {
    this.#snapshot = null;
  }

  forget(ids: readonly RequestId[]): void {
    this.#snapshot = null;
    this.#ended = this.#ended.filter(({ id }) => !ids.includes(id));
  }

  snapshot(): Buffer {
    this.#snapshot ??= encode({
      type: 'snapshot',
      epoch: this.#store.epoch,
      seq: this.#seq,
      requests: [...this.#ended, ...this.#live.values()].map((request) =>
        viewOnWire(request, this.#ringOf(request)),
      ),
      restoration: restorationOnWire(this.#store.restoration()),
    });
    return this.#snapshot;
  }

  /** What goes before the messages that a console has missed: whatever of the queue is not in the log. */
  resumed(missed: number): Buffer {
    const waiting = Object.fromEntries([...this.#live.values()].map(({ id, askers }) => [id, askers]));
    const rings: Record<RequestId, readonly Name[]> = Object.fromEntries(
      [...this.#live.values()].flatMap((request) => {
        const ring = this.#ringOf(request);
        return ring === null ? [] : [[request.id, ring]];
      }),
    );
    return encode({ type: 'resumed', epoch: this.#store.epoch, seq: this.#seq - missed, waiting, rings });
  }
}
