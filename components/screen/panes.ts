import type { ConsoleState } from '../state/console-state.js';
import { isUnbroken } from '../text/unbroken.js';

/** Columns of the list of requests and of the one request that is read. */
export interface Panes {
  /** Whether the two stand side by side, with a rule of one column between them; else each takes the whole width, one at a time. */
  readonly isSplit: boolean;
  readonly list: number;
  readonly detail: number;
}

/** Below so many columns, words that only explain give way to names. */
export const NARROW_COLUMNS = 60;

/** On a narrower terminal the columns of a list are too narrow to be read: its rows are short sentences. */
export const TABLE_COLUMNS = 72;

/** With so few rows, all but what is asked gives way while a request is open. */
export const isShort = ({ size }: Pick<ConsoleState, 'size'>): boolean => size.rows < 15;

/** From so many columns on there is room for both. */
const SPLIT = 120;
/** Of the columns this part is for the request: 74 of 120. */
const DETAIL_PART = 0.62;
/** Longer lines are hard to follow with the eye. */
const WIDEST_DETAIL = 120;
const RULE = 1;

/**
 * How the width of the terminal is shared out. What must be read is counted at the width of `detail`, so that depends on nothing that
 * opening a request, or a key while it is open, would change.
 */
export function panesOf({ size: { columns }, screen }: Pick<ConsoleState, 'size' | 'screen'>): Panes {
  const isOne = screen !== 'queue' || columns < SPLIT || isUnbroken(columns);
  if (isOne) return { isSplit: false, list: columns, detail: columns };
  const detail = Math.min(WIDEST_DETAIL, Math.floor(columns * DETAIL_PART));
  return { isSplit: true, list: columns - RULE - detail, detail };
}
