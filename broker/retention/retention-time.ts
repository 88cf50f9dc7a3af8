import type { EpochMs } from '../../src/protocol/time.js';

/** How much faster than time itself it may go, to catch up. */
const PACE = 2;
/** Between two ticks, in ms. */
const TICK = 1000;

/**
 * The time by which retention goes, one tick on. It is never ahead of the clock, and follows it at twice the pace of time at
 * most: a clock that leaps a year ahead is believed after a year, so that there is time to notice and nothing is lost. It
 * stands still while the broker does not run, and catches up afterwards.
 */
export const nextRetentionTime = (time: EpochMs, clock: EpochMs): EpochMs =>
  Math.min(clock, time + PACE * TICK);
