import type { EpochMs } from '../protocol/time.js';

/** Time and its alarms, passed in so that tests decide what time it is. */
export interface Clock {
  now(): EpochMs;
  /** Runs `work` once after `ms`; returns the way to call it off. */
  after(ms: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
