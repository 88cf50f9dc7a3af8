import { type FilterLine, FULL_LINE, insertIntoFilter, leftWith, readFilter } from '../filter/filter-line.js';
import type { MatchedAction } from '../keys/key-table.js';
import type { Press } from '../keys/press.js';
import { brokerNow, type ConsoleState } from '../state/console-state.js';
import { editLine, type TextLine } from '../text/text-line.js';
import { fittingRows, type QueueFilter } from './queue-filter.js';

/** Goes to the filter line. */
export const writeQueueFilter = (state: ConsoleState): ConsoleState =>
  withFilter(state, { ...leftWith(state.queueFilter.inForce?.text ?? ''), isWriting: true });

/** Shows all again; the cursor stays where it is. */
export const clearQueueFilter = (state: ConsoleState): ConsoleState => putInForce(state, null);

/** A key in the filter line. */
export function stepQueueFilter(
  state: ConsoleState,
  matched: MatchedAction | null,
  press: Press,
): ConsoleState {
  const { line, inForce } = state.queueFilter;
  if (matched?.action === 'find') return enter(state);
  if (matched?.action === 'back') return withFilter(state, leftWith(inForce?.text ?? ''));
  if ('text' in press) return typeIntoQueueFilter(state, press.text);
  const edited = editLine(line, press);
  return edited === null ? state : withLine(state, edited);
}

/** Text that is typed or pasted into the filter line. */
export function typeIntoQueueFilter(state: ConsoleState, text: string): ConsoleState {
  const line = insertIntoFilter(state.queueFilter.line, text);
  return line === null ? { ...state, notice: FULL_LINE } : withLine(state, line);
}

function enter(state: ConsoleState): ConsoleState {
  const { line } = state.queueFilter;
  const read = readFilter(line, brokerNow(state));
  if ('refusal' in read) return withFilter(state, read);
  const { filter } = read;
  return putInForce(state, filter.terms.length === 0 ? null : { text: line.text, filter });
}

/** The cursor stays with its request where that is shown; else it goes to the first that is. */
function putInForce(state: ConsoleState, inForce: QueueFilter['inForce']): ConsoleState {
  const { allRows } = state;
  const queueFilter = { ...leftWith(inForce?.text ?? ''), inForce, kept: null };
  const rows = inForce === null ? allRows : fittingRows(allRows, inForce.filter);
  const isShown = state.selected !== null && rows.indexOf.has(state.selected);
  const selected = isShown ? state.selected : (rows.rows[0]?.request.id ?? null);
  return { ...state, queueFilter, rows, selected };
}

const withLine = (state: ConsoleState, line: TextLine): ConsoleState =>
  withFilter(state, { line, refusal: null });

const withFilter = (state: ConsoleState, change: Partial<FilterLine>): ConsoleState => ({
  ...state,
  queueFilter: { ...state.queueFilter, ...change },
});
