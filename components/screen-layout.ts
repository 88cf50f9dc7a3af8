import { bannerLines } from './banner-lines.js';
import { confirmLines } from './confirm-lines.js';
import type { ConsoleState } from './console-state.js';
import { DETAIL_HEAD_ROWS } from './detail-window.js';

/** The header and the rule below it. */
const HEADER_ROWS = 2;
/** The status line and the keys. */
const FOOTER_ROWS = 2;

/** Rows between the header with its banner and the footer. */
export function bodyRows(state: ConsoleState): number {
  return Math.max(1, state.size.rows - HEADER_ROWS - bannerLines(state).length - FOOTER_ROWS);
}

/** Rows in which the opened request scrolls: the confirm step takes its own from below. */
export function detailRows(state: ConsoleState): number {
  return Math.max(1, bodyRows(state) - DETAIL_HEAD_ROWS - confirmLines(state).length);
}
