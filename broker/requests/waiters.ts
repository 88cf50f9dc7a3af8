import type { EpochMs } from '../../src/protocol/time.js';
import { Deadlines } from './deadlines.js';

interface Waiter {
  /** What it waits for: any of these. */
  readonly keys: readonly string[];
  readonly wake: () => void;
}

/** Woken in one turn of the event loop; more would hold everybody else up. */
const CHUNK = 200;

/** Everybody who waits for a request to move. Thousands of them share one timer, and are woken in chunks. */
export class Waiters {
  readonly #byKey = new Map<string, Set<Waiter>>();
  readonly #deadlines = new Deadlines<Waiter>();
  #waking: Waiter[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Whether somebody waits for this. */
  waitsFor(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Resolves when one of these moved, at `until`, or when the waiter hangs up. It says not which: look again. */
  wait(keys: readonly string[], until: EpochMs, hangUp: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leave = (): void => this.#wake([waiter]);
      const wake = (): void => {
        hangUp.removeEventListener('abort', leave);
        resolve();
      };
      const waiter: Waiter = { keys, wake };
      this.#add(waiter, until);
      hangUp.addEventListener('abort', leave, { once: true });
      if (hangUp.aborted) leave();
    });
  }

  /** Wakes all who wait for this. */
  release(key: string): void {
    const waiters = this.#byKey.get(key);
    if (waiters !== undefined) this.#wake([...waiters]);
  }

  /** Wakes everybody. */
  releaseAll(): void {
    for (const key of [...this.#byKey.keys()]) this.release(key);
  }

  /** Wakes those whose time is up. */
  tick(now: EpochMs): void {
    this.#wake(this.#deadlines.take(now));
  }

  #add(waiter: Waiter, until: EpochMs): void {
    for (const key of waiter.keys) {
      const waiters = this.#byKey.get(key);
      if (waiters === undefined) this.#byKey.set(key, new Set([waiter]));
      else waiters.add(waiter);
    }
    this.#deadlines.set(waiter, until);
    this.#count += 1;
  }

  #wake(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) {
      if (!this.#forget(waiter)) continue;
      this.#deadlines.set(waiter, null);
      this.#count -= 1;
      this.#waking.push(waiter);
      if (this.#waking.length === 1) setImmediate(() => this.#wakeChunk());
    }
  }

  /** False where it was forgotten before. */
  #forget(waiter: Waiter): boolean {
    let wasWaiting = false;
    for (const key of waiter.keys) {
      const others = this.#byKey.get(key);
      if (others?.delete(waiter)) wasWaiting = true;
      if (others?.size === 0) this.#byKey.delete(key);
    }
    return wasWaiting;
  }

  #wakeChunk(): void {
    const chunk = this.#waking.slice(0, CHUNK);
    this.#waking = this.#waking.slice(CHUNK);
    for (const { wake } of chunk) wake();
    if (this.#waking.length > 0) setImmediate(() => this.#wakeChunk());
  }
}
