import type { ConsoleState } from '../state/console-state.js';

/** Columns of the list of requests and of the one request that is read. */
export interface Panes {
  /** Whether the two stand side by side; else each takes the whole width, one at a time. */
  readonly isSplit: boolean;
  readonly list: number;
  readonly detail: number;
}

/**
 * How the width of the terminal is shared out. What must be read is counted at the width of `detail`, so that depends on nothing that
 * opening a request, or a key while it is open, would change.
 */
export function panesOf({ size: { columns } }: Pick<ConsoleState, 'size' | 'screen'>): Panes {
  return { isSplit: false, list: columns, detail: columns };
}
