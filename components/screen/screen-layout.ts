import { confirmLines } from '../deciding/confirm-lines.js';
import type { ConsoleState } from '../state/console-state.js';
import { talkLines } from '../talk/talk-lines.js';
import { bannerLines } from './banner-lines.js';
import { isShort } from './panes.js';

/** The status line and the keys. */
const FOOTER_ROWS = 2;

/** The header, and the rule below it, which a short terminal spares while a request is open. */
export const headerRows = (state: ConsoleState): number => (isShort(state) && state.opened !== null ? 1 : 2);

/** Rows between the header with its banner and the footer. */
export function bodyRows(state: ConsoleState): number {
  return Math.max(1, state.size.rows - headerRows(state) - bannerLines(state).length - FOOTER_ROWS);
}

/** How the rows of the body are shared out while a request is open. */
export interface DetailLayout {
  /** What is asked in short, and how it stands. */
  readonly head: number;
  /** Where the request scrolls. */
  readonly request: number;
  /** The confirm step, or what is said to the others: it is never cut for the sake of the rest. */
  readonly panel: number;
}

/** What is asked in short and how it stands, above where it scrolls. */
export const headRows = (state: ConsoleState): number => (isShort(state) ? 2 : 3);

export function detailLayout(state: ConsoleState): DetailLayout {
  const body = bodyRows(state);
  const panel = Math.min(body, confirmLines(state).length + talkLines(state).length);
  const head = Math.min(headRows(state), body - panel);
  return { head, request: body - panel - head, panel };
}
