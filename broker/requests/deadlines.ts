import type { EpochMs } from '../../src/protocol/time.js';

/**
 * Remembers when each of many things is due, in buckets of one second, so that one timer serves them all: setting,
 * moving and forgetting cost the same however many there are.
 */
export class Deadlines<Key> {
  readonly #buckets = new Map<number, Set<Key>>();
  readonly #seconds = new Map<Key, number>();

  /** Sets or moves a deadline; null forgets it. It is due in the first second that has wholly passed. */
  set(key: Key, at: EpochMs | null): void {
    this.#forget(key);
    if (at === null) return;
    const second = Math.ceil(at / 1000);
    const bucket = this.#buckets.get(second);
    if (bucket === undefined) this.#buckets.set(second, new Set([key]));
    else bucket.add(key);
    this.#seconds.set(key, second);
  }

  /** Takes out what is due at `now`. */
  take(now: EpochMs): Key[] {
    const due: Key[] = [];
    for (const [second, keys] of this.#buckets) {
      if (second * 1000 > now) continue;
      due.push(...keys);
      this.#buckets.delete(second);
    }
    for (const key of due) this.#seconds.delete(key);
    return due;
  }

  #forget(key: Key): void {
    const second = this.#seconds.get(key);
    if (second === undefined) return;
    this.#seconds.delete(key);
    const bucket = this.#buckets.get(second);
    bucket?.delete(key);
    if (bucket?.size === 0) this.#buckets.delete(second);
  }
}
