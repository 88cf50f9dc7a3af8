import { CANARY_DAYS, type CanariesReply, canariesReply } from '../protocol/canary.js';
import type { CallAs } from './http-client.js';
import { zonedTime } from './shown-time.js';

/**
 * How the signed-in approver decided on canaries.
 *
 * @throws any problem of the broker. The reason of `signal` where that was aborted.
 */
export const fetchCanaries = (call: CallAs, signal?: AbortSignal): Promise<CanariesReply> =>
  call(canariesReply, { method: 'GET', path: '/v1/canaries', signal });

/**
 * How many of them one caught, and since when those count; null where there were none.
 *
 * @param zone in which times are shown, an IANA name
 */
export function caughtWords({ caught, missedCount, searchedTo }: CanariesReply, zone: string): string | null {
  const all = caught + missedCount;
  if (all === 0) return null;
  const period = searchedTo === null ? `in ${CANARY_DAYS} days` : `since ${zonedTime(searchedTo, zone)}`;
  if (missedCount === 0) return `you caught ${all === 1 ? 'the one' : `all ${all}`} ${period}`;
  return `you caught ${caught} of ${all} ${period}`;
}

/** What is said before those that one approved: nobody came to harm, and what to look for. */
export const MISSED_WORDS = 'you approved these; nobody needed them, and nothing was opened:';
