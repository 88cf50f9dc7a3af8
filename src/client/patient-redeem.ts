import type { SubmitReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import { type Asker, hasEnded } from './ask.js';
import { backoff } from './backoff.js';
import type { Clock } from './clock.js';
import type { StandingAsk, StandingAsks } from './standing-asks.js';

export interface PatientRedeem {
  readonly asker: Asker;
  readonly asks: StandingAsks;
  readonly clock: Clock;
  /** How long to wait, in ms; without end while the broker says pending. */
  readonly patience: number;
  /** Longest that one call lets the broker hold back its answer, in seconds. */
  readonly longestCall?: number;
  /** Hears each answer that is still pending. */
  readonly onPending?: (reply: SubmitReply) => void;
  /** Called once each time when the broker is lost. */
  readonly onLost: () => void;
  readonly signal: AbortSignal;
  /** Whether to use the approval, or only to look at how the ask is answered. Default: to use it. */
  readonly how?: 'redeem' | 'look';
}

/** A broker that is away longer than this is given up, in ms. */
const LOST_AFTER = 120_000;
/** A broker that answers "pending" at once is not asked again before this, in ms. */
const SHORTEST_POLL = 1_000;

/**
 * Asks until the request is answered or the patience ends; a broker that restarts meanwhile is waited for. An ask that has
 * ended is forgotten.
 *
 * @returns the last answer, pending where the patience ended
 * @throws Problem that says how the request ended, or why that cannot be known; the reason of `signal` where it was aborted
 */
export async function redeemPatiently(ask: StandingAsk, options: PatientRedeem): Promise<SubmitReply> {
  const { asker, asks, clock, patience, signal, how = 'redeem' } = options;
  let longestCall = options.longestCall ?? Number.POSITIVE_INFINITY;
  const until = clock.now() + patience;
  let failures = 0;
  let heardAt = clock.now();
  for (;;) {
    const started = clock.now();
    const seconds = Math.max(1, Math.ceil((until - started) / 1000));
    try {
      const reply = await asker[how](ask, Math.min(seconds, longestCall), signal);
      if (reply.status.state !== 'pending' || clock.now() >= until) return reply;
      options.onPending?.(reply);
      failures = 0;
      heardAt = clock.now();
      await pause(clock, SHORTEST_POLL - (heardAt - started), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (hasEnded(error)) await asks.forget(ask);
      if (!isPassing(error) || clock.now() - heardAt > LOST_AFTER) throw error;
      longestCall = shorter(longestCall, (clock.now() - started) / 1000);
      if (failures === 0) options.onLost();
      await pause(clock, backoff(failures, Math.random), signal);
      failures += 1;
    }
  }
}

/**
 * How long calls may take after one was cut off: a proxy with a read time-out below the wait would cut off each of them,
 * and the broker would seem lost.
 *
 * @param lasted how long that one took, in seconds
 */
const shorter = (longest: number, lasted: number): number =>
  lasted < 2 ? longest : Math.min(longest, Math.floor(lasted / 2));

const isPassing = (error: unknown): boolean =>
  error instanceof Problem && ['broker-unreachable', 'draining', 'rate-limited'].includes(error.code);

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      reject(signal.reason);
    });
  });
}
