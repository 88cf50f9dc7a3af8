import { type Filter, matchesFilter, subjectOf } from '../../src/protocol/filter.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { type FilterLine, LEFT_LINE } from '../filter/filter-line.js';
import { filterLines } from '../filter/filter-lines.js';
import type { ConsoleState } from '../state/console-state.js';
import { BLANK, type Line, lineWidth, span, spreadLine } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { orderedRows, type RequestRow, type RequestRows } from './request-rows.js';

/** Which requests the queue shows. */
export interface QueueFilter extends FilterLine {
  /** Null where all are shown. */
  readonly inForce: { readonly text: string; readonly filter: Filter } | null;
  /** The request whose row stays under the cursor although the filter does not fit it any more; null where none does. */
  readonly kept: RequestId | null;
}

export const NO_QUEUE_FILTER: QueueFilter = { ...LEFT_LINE, inForce: null, kept: null };

/** How many wait that the filter hides: they are counted and rung for as all others. */
export const hiddenPending = ({ allRows, rows }: ConsoleState): number => allRows.pending - rows.pending;

/**
 * Shows the rows of which a request fits the filter, in the order and with the counters that they have without it. The row under the
 * cursor stays until it is left: nothing moves under it because somebody decided (A4).
 */
export function showRows(state: ConsoleState): ConsoleState {
  const { allRows, queueFilter, selected } = state;
  const { inForce } = queueFilter;
  if (inForce === null) return { ...state, rows: allRows };
  const selectedRow = selected === null ? undefined : allRows.rows[allRows.indexOf.get(selected) ?? -1];
  const isKept = selectedRow !== undefined && !fitsRow(inForce.filter, selectedRow);
  const rows = orderedRows(allRows.rows.filter((row) => row === selectedRow || fitsRow(inForce.filter, row)));
  return { ...state, rows, queueFilter: { ...queueFilter, kept: isKept ? selected : null } };
}

/** What follows from any change: a row that was kept under the cursor goes once that has left it, and the one that it went to comes. */
export function settleQueueFilter(state: ConsoleState): ConsoleState {
  const { queueFilter, selected, rows } = state;
  const isLeft = queueFilter.kept !== null && queueFilter.kept !== selected;
  const isHidden = selected !== null && !rows.indexOf.has(selected);
  return isLeft || isHidden ? showRows(state) : state;
}

/** The rows of which a request fits. */
export const fittingRows = ({ rows }: RequestRows, filter: Filter): RequestRows =>
  orderedRows(rows.filter((row) => fitsRow(filter, row)));

const fitting = new WeakMap<Filter, WeakMap<RequestView, boolean>>();

/** Looked at once for each state of a request: most stay as they are while the queue changes. */
function fitsRow(filter: Filter, { members }: RequestRow): boolean {
  const known = fitting.get(filter) ?? new WeakMap<RequestView, boolean>();
  fitting.set(filter, known);
  return members.some((request) => {
    const fits = known.get(request) ?? matchesFilter(filter, subjectOf(request));
    known.set(request, fits);
    return fits;
  });
}

/** The line above the queue while a filter is written or in force, with what it hides. */
export function queueFilterLines(state: ConsoleState, columns: number): readonly Line[] {
  const { queueFilter, allRows } = state;
  const { isWriting, inForce } = queueFilter;
  if (!isWriting && inForce === null) return [];
  const hidden = hiddenPending(state);
  if (hidden === 0) return filterLines(queueFilter, columns, label`none`);
  const note = [span(label`${hidden} of ${allRows.pending} pending hidden `, 'warning')];
  const [first = BLANK, ...others] = filterLines(queueFilter, columns - lineWidth(note), label`none`);
  return [spreadLine(first, note, columns), ...others];
}
