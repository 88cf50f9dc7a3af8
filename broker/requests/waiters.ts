import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { Deadlines } from './deadlines.js';

interface Waiter {
  readonly id: RequestId;
  readonly wake: () => void;
}

/** Woken in one turn of the event loop; more would hold everybody else up. */
const CHUNK = 200;

/** Everybody who waits for a request to move. Thousands of them share one timer, and are woken in chunks. */
export class Waiters {
  readonly #byRequest = new Map<RequestId, Set<Waiter>>();
  readonly #deadlines = new Deadlines<Waiter>();
  #waking: Waiter[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Resolves when the request moved, at `until`, or when the waiter hangs up. It says not which: look again. */
  wait(id: RequestId, until: EpochMs, hangUp: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leave = (): void => this.#wake([waiter]);
      const wake = (): void => {
        hangUp.removeEventListener('abort', leave);
        resolve();
      };
      const waiter: Waiter = { id, wake };
      this.#add(waiter, until);
      hangUp.addEventListener('abort', leave, { once: true });
      if (hangUp.aborted) leave();
    });
  }

  /** Wakes all who wait for this request. */
  release(id: RequestId): void {
    const waiters = this.#byRequest.get(id);
    if (waiters !== undefined) this.#wake([...waiters]);
  }

  /** Wakes everybody. */
  releaseAll(): void {
    for (const id of [...this.#byRequest.keys()]) this.release(id);
  }

  /** Wakes those whose time is up. */
  tick(now: EpochMs): void {
    this.#wake(this.#deadlines.take(now));
  }

  #add(waiter: Waiter, until: EpochMs): void {
    const waiters = this.#byRequest.get(waiter.id);
    if (waiters === undefined) this.#byRequest.set(waiter.id, new Set([waiter]));
    else waiters.add(waiter);
    this.#deadlines.set(waiter, until);
    this.#count += 1;
  }

  #wake(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) {
      const others = this.#byRequest.get(waiter.id);
      if (others?.delete(waiter) !== true) continue;
      if (others.size === 0) this.#byRequest.delete(waiter.id);
      this.#deadlines.set(waiter, null);
      this.#count -= 1;
      this.#waking.push(waiter);
      if (this.#waking.length === 1) setImmediate(() => this.#wakeChunk());
    }
  }

  #wakeChunk(): void {
    const chunk = this.#waking.slice(0, CHUNK);
    this.#waking = this.#waking.slice(CHUNK);
    for (const { wake } of chunk) wake();
    if (this.#waking.length > 0) setImmediate(() => this.#wakeChunk());
  }
}
