import { panesOf, TABLE_COLUMNS } from '../screen/panes.js';
import type { ConsoleState } from '../state/console-state.js';

/** How the rows of the queue are drawn. */
export interface ListLayout {
  /** Under the names of columns; else as short sentences. */
  readonly isTable: boolean;
  /** Rows of the screen that one item takes. */
  readonly itemRows: 1 | 2;
  /** Rows above the items. */
  readonly headingRows: 0 | 1;
}

/** On a terminal with fewer rows more asks are worth more than more about each of them. */
const ROOMY_ROWS = 20;

/** Beside a request, and on a small terminal, the list does with less. */
export function listLayout(state: Pick<ConsoleState, 'size' | 'screen'>): ListLayout {
  const { isSplit, list } = panesOf(state);
  if (state.size.rows < ROOMY_ROWS) return { isTable: false, itemRows: 1, headingRows: 0 };
  return { isTable: !isSplit && list >= TABLE_COLUMNS, itemRows: 2, headingRows: 1 };
}
