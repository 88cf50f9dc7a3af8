/** Ceiling of the first wait and of every later one, in ms. */
const FIRST = 500;
const LONGEST = 30_000;

/**
 * How long to wait before the next attempt: exponential with full jitter, so that a thousand consoles do not come back
 * in the same second after a restart.
 *
 * @param failures attempts that failed in a row, 0 for none yet
 * @param random from 0 to below 1
 * @returns ms
 */
export function backoff(failures: number, random: () => number): number {
  return Math.floor(random() * Math.min(LONGEST, FIRST * 2 ** failures));
}
