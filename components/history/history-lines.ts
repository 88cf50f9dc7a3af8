import { zonedTime } from '../../src/client/shown-time.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { filterLines } from '../filter/filter-lines.js';
import type { Action } from '../keys/key-row.js';
import { LEAD, type RowFrame, requestHeading, requestLines, rowColumns } from '../queue/row-lines.js';
import { pastLines } from '../queue/short-rows.js';
import { NARROW_COLUMNS, TABLE_COLUMNS } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { BLANK, fitLine, type Line, span } from '../text/line.js';
import { placardLines } from '../text/line-wrapping.js';
import { label, type SafeText, safeText, sliceText } from '../text/safe-text.js';
import { type HistorySearch, selectedIndex } from './history-state.js';

const ITEM_ROWS = 2;

/** How many requests are on the screen at once, below the names of the columns. */
export const historyCapacity = (state: ConsoleState): number =>
  Math.max(1, Math.floor((bodyRows(state) - headLines(state).length - (isTable(state) ? 1 : 0)) / ITEM_ROWS));

const isTable = ({ size }: ConsoleState): boolean => size.columns >= TABLE_COLUMNS;

/** The filter line, and what was found with it, the newest first. */
export function historyLines(state: ConsoleState, height: number): readonly Line[] {
  const { search } = state.history;
  const head = headLines(state);
  if (search === null || search.requests.length === 0) {
    return [...head, ...nothingLines(state, search, height - head.length)];
  }
  const shown = search.requests.slice(search.top, search.top + historyCapacity(state));
  const common = { approver: state.identity.approver, now: brokerNow(state), selected: search.selected };
  if (!isTable(state)) {
    const place = { ...common, width: state.size.columns };
    return [
      ...head,
      ...shown.flatMap((found) =>
        pastLines(newest(state, found), shortTime(state, found.submittedAt), place),
      ),
    ];
  }
  const columns = rowColumns(state.size.columns);
  const frame: RowFrame = { ...common, columns };
  return [
    ...head,
    requestHeading([span(label`Asked at`, 'muted')], columns),
    ...shown.flatMap((request) => foundLines(state, request, frame)),
  ];
}

/** How the request stands now, where the queue still has it. */
const newest = ({ queue }: ConsoleState, found: RequestView): RequestView =>
  queue.requests.get(found.id) ?? found;

function foundLines(state: ConsoleState, found: RequestView, frame: RowFrame): readonly Line[] {
  const request = newest(state, found);
  const isSelected = found.id === frame.selected;
  const lead = fitLine([span(timeText(state, request.submittedAt), 'muted')], LEAD);
  return requestLines(request, { lead, tone: isSelected ? 'strong' : 'text', count: 1 }, frame);
}

const headLines = ({ history, size }: ConsoleState): readonly Line[] =>
  filterLines(
    history,
    size.columns,
    size.columns < NARROW_COLUMNS ? label`none: / writes one` : label`none: all requests (/ to write one)`,
  );

/** No rows yet, or none at all: what is going on, and what can be done. */
function nothingLines(state: ConsoleState, search: HistorySearch | null, height: number): readonly Line[] {
  const { columns } = state.size;
  return placardLines(nothingWords(state, search), columns, height);
}

function nothingWords(state: ConsoleState, search: HistorySearch | null): readonly Line[] {
  if (search === null || search.isWaiting) {
    return [[span(label`Searching…`, 'strong')], ...searchedBack(state, search)];
  }
  if (search.failure !== null) {
    const { message, hint } = search.failure;
    return [
      [span(label`✗ ${message}`, 'danger')],
      [span(hint)],
      BLANK,
      [span(label`j tries again.`, 'muted')],
    ];
  }
  if (search.next !== null && !isLiveLink(state)) {
    return [[span(label`Not connected: the search goes on when the broker is back.`, 'warning')]];
  }
  const isFiltered = search.query !== '';
  return [
    [span(label`Nothing found.`, 'strong')],
    BLANK,
    [
      span(
        isFiltered
          ? label`No request fits the filter; / changes it.`
          : label`This broker keeps no request of anybody.`,
      ),
    ],
  ];
}

const searchedBack = (state: ConsoleState, search: HistorySearch | null): readonly Line[] =>
  search === null || search.searchedTo === null
    ? []
    : [BLANK, [span(label`looked back to ${timeText(state, search.searchedTo)}`, 'muted')]];

/** How much was found, and how far back it was looked for. */
export function historyStatus(state: ConsoleState): Line {
  const { search } = state.history;
  if (search === null || search.requests.length === 0) return [];
  const { requests, letGo, next, isWaiting, failure, searchedTo } = search;
  if (failure !== null) return [span(label`✗ ${failure.message} (j tries again)`, 'danger')];
  const found = label`${letGo + requests.length} found`;
  if (next === null) return [span(label`${found}, that is all`, 'muted')];
  const back = searchedTo === null ? label`` : label` back to ${timeText(state, searchedTo)}`;
  return [span(isWaiting ? label`${found}${back}, searching…` : label`${found}${back}, more below`, 'muted')];
}

/** The place of the selected request among all that were found so far. */
export function historyPosition({ history: { search } }: ConsoleState): SafeText {
  if (search === null || search.requests.length === 0) return label``;
  const total = search.letGo + search.requests.length;
  const more = search.next === null ? label`` : label`+`;
  return label`${search.letGo + selectedIndex(search) + 1} of ${total}${more}`;
}

export function hiddenInHistory({ history }: ConsoleState): readonly Action[] {
  const isEmpty = history.search === null || history.search.requests.length === 0;
  return isEmpty && !history.isWriting ? ['down', 'up', 'pageDown', 'open', 'copyId'] : [];
}

/** `2026-01-31 23:00`, without what makes a moment of it: the request itself tells that. */
function timeText({ display }: ConsoleState, time: EpochMs): SafeText {
  const shown = zonedTime(time, display.zone).replace('T', ' ');
  return safeText(shown.slice(0, '2026-01-31 23:00'.length), { reading: 'exact' });
}

/** The same without a year that is the present one. */
function shortTime(state: ConsoleState, time: EpochMs): SafeText {
  const [asked, now] = [timeText(state, time), timeText(state, brokerNow(state))];
  const year = '2026-'.length;
  return asked.slice(0, year) === now.slice(0, year) ? sliceText(asked, year) : asked;
}
