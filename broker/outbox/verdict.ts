import type { EpochMs } from '../../src/protocol/time.js';
import type { Delivery, DeliveryChange } from '../store/deliveries.js';
import { pauseBefore } from './backoff.js';
import type { Sent } from './sender.js';

/** Longest pause between two tries, in ms. */
export const LONGEST_PAUSE = 15 * 60_000;
/** How long a message is tried that fails again and again, in ms: three days. */
export const PATIENCE = 3 * 24 * 3600_000;
/** How often the receiver may answer that a message is not acceptable before it is given up. */
export const REFUSALS = 5;
/** Longest that is kept of why a try failed, in characters. */
const MAX_ERROR = 300;

/** What is known of the receiver when a try has ended. */
export interface Circumstances {
  readonly now: EpochMs;
  /** From 0 to below 1. */
  readonly random: number;
  /** When the receiver last answered anything, to any message; null where that is not known. */
  readonly answeredAt: EpochMs | null;
}

/**
 * What is written of a delivery after a try: null where it was taken, else when it is tried again, or that it is dead.
 *
 * Nothing dies because a receiver is away: what nobody answers is given up only where the same receiver has answered others
 * since it began to fail.
 */
export function verdictOf(
  { attempts, refusals, failingSince }: Delivery,
  sent: Sent,
  { now, random, answeredAt }: Circumstances,
): DeliveryChange | null {
  if (sent.outcome === 'taken') return null;
  const since = failingSince ?? now;
  const failed = {
    attempts: attempts + 1,
    refusals: refusals + (sent.outcome === 'refused' ? 1 : 0),
    due: now + pauseBefore(attempts + 1, random, LONGEST_PAUSE),
    failingSince: since,
    error: sent.why.slice(0, MAX_ERROR),
  };
  const isOld = now - since >= PATIENCE;
  const isItsFault = sent.outcome !== 'unreachable' || (answeredAt !== null && answeredAt > since);
  const isDead = sent.outcome === 'gone' || failed.refusals >= REFUSALS || (isOld && isItsFault);
  return isDead ? { ...failed, dead: now } : failed;
}

/** A delivery as if it had never been tried. */
export const revived = (delivery: Delivery, due: EpochMs): Delivery => ({
  ...delivery,
  due,
  attempts: 0,
  refusals: 0,
  failingSince: null,
  error: null,
  dead: null,
});
