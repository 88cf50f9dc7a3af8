const FIRST_PAUSE = 5_000;

/**
 * The pause before the next of repeated tries, in whole ms: 5 s after the first, doubled to the longest, less up to a quarter so
 * that they spread.
 *
 * @param random from 0 to below 1
 */
export const pauseBefore = (attempts: number, random: number, longest: number): number =>
  Math.round(Math.min(FIRST_PAUSE * 2 ** (attempts - 1), longest) * (1 - random / 4));
