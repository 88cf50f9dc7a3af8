import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';

interface Bucket {
  tokens: number;
  at: EpochMs;
}

/** A token bucket for each principal. Full buckets are forgotten. */
export class RateLimiter {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Counts one call. @throws Problem `rate-limited` */
  charge(principal: string, now: EpochMs): void {
    const bucket = this.#buckets.get(principal) ?? { tokens: this.#burst, at: now };
    const tokens = this.#refilled(bucket, now);
    const isWithin = tokens >= 1;
    // Written down when refused too: else a clock that once ran ahead would keep a principal out until it is that late.
    this.#buckets.set(principal, { tokens: isWithin ? tokens - 1 : tokens, at: now });
    if (!isWithin)
      throw new Problem('rate-limited', `more than ${this.#perSecond} calls a second by ${principal}`);
  }

  /** Forgets principals whose bucket is full again. */
  prune(now: EpochMs): void {
    for (const [principal, bucket] of this.#buckets) {
      if (this.#refilled(bucket, now) >= this.#burst) this.#buckets.delete(principal);
    }
  }

  #refilled({ tokens, at }: Bucket, now: EpochMs): number {
    return Math.min(this.#burst, tokens + (Math.max(0, now - at) / 1000) * this.#perSecond);
  }
}
