import type { MatchedAction } from './key-table.js';

/**
 * How far a key moves the cursor or the window: rows downwards, negative upwards, without end to the top and to the end; null for
 * a key that does not move.
 *
 * @param page rows that one screen moves
 */
export function movement({ action, times }: MatchedAction, page: number): number | null {
  const half = Math.max(1, Math.floor(page / 2));
  switch (action) {
    case 'down':
      return times;
    case 'up':
      return -times;
    case 'pageDown':
      return page;
    case 'pageUp':
      return -page;
    case 'halfDown':
      return half;
    case 'halfUp':
      return -half;
    case 'first':
      return Number.NEGATIVE_INFINITY;
    case 'last':
      return Number.POSITIVE_INFINITY;
    default:
      return null;
  }
}
