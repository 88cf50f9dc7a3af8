import { formatFilter } from '../../src/protocol/filter-text.js';
import { openRequest } from '../detail/open-request.js';
import { FULL_LINE, insertIntoFilter, leftWith, readFilter } from '../filter/filter-line.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { Press } from '../keys/press.js';
import { type Step, stay } from '../state/console-effects.js';
import type { HistoryEvent } from '../state/console-events.js';
import { brokerNow, type ConsoleState, isLiveLink, isPainted } from '../state/console-state.js';
import { editLine, type TextLine } from '../text/text-line.js';
import { historyCapacity } from './history-lines.js';
import {
  addPage,
  followSelected,
  type HistorySearch,
  type HistoryState,
  moveSelection,
  newSearch,
  selectedIndex,
  wantsMore,
} from './history-state.js';

/** Goes to the history, where the newest are looked for if that was not done yet, or found nothing: since then some may have come. */
export function openHistory(state: ConsoleState): ConsoleState {
  const { history } = state;
  const before = history.search ?? newSearch(1, '', '');
  const hasFoundNothing = before.next === null && before.requests.length === 0;
  const search = hasFoundNothing ? newSearch(before.number + 1, before.filter, before.query) : before;
  return { ...state, screen: 'history', history: { ...history, search } };
}

/** Searches with a filter that stands in the line afterwards. */
export const searchFor = (state: ConsoleState, filter: string): ConsoleState =>
  find(withHistory(state, leftWith(filter)));

/** A key in the history, or in its filter line. */
export function stepHistory(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  if (state.history.isWriting) return stay(write(state, matched, press));
  return stay(matched === null ? state : browse(state, matched));
}

function browse(state: ConsoleState, matched: MatchedAction): ConsoleState {
  if (matched.action === 'first') return toNewest(state);
  const rows = movement(matched, historyCapacity(state));
  if (rows !== null) return moveBy(state, rows);
  switch (matched.action) {
    case 'open':
      return isPainted(state) ? read(state) : state;
    case 'filter':
      return withHistory(state, { isWriting: true });
    case 'back':
      return { ...state, screen: 'queue' };
    default:
      return state;
  }
}

function moveBy(state: ConsoleState, count: number): ConsoleState {
  return withSearch(state, (search) => moveSelection(search, count));
}

/** Where one is at the top already, or the newest were let go, they are looked for again: since then more may have come. */
function toNewest(state: ConsoleState): ConsoleState {
  return withSearch(state, (search) => {
    if (search.letGo === 0 && (search.isWaiting || selectedIndex(search) > 0))
      return moveSelection(search, Number.NEGATIVE_INFINITY);
    return newSearch(search.number + 1, search.filter, search.query);
  });
}

/** Opens the selected request to be read and for nothing else. */
function read(state: ConsoleState): ConsoleState {
  const { search } = state.history;
  const request = search?.requests[selectedIndex(search)];
  if (request === undefined) return state;
  return openRequest(state, request, true);
}

function write(state: ConsoleState, matched: MatchedAction | null, press: Press): ConsoleState {
  const { history } = state;
  if (matched?.action === 'find') return find(state);
  if (matched?.action === 'back') return withHistory(state, leftWith(history.search?.filter ?? ''));
  if ('text' in press) return typeIntoSearch(state, press.text);
  const line = editLine(history.line, press);
  return line === null ? state : withLine(state, line);
}

/** Text that is typed or pasted into the filter line. */
export function typeIntoSearch(state: ConsoleState, text: string): ConsoleState {
  const line = insertIntoFilter(state.history.line, text);
  return line === null ? { ...state, notice: FULL_LINE } : withLine(state, line);
}

const withLine = (state: ConsoleState, line: TextLine): ConsoleState =>
  withHistory(state, { line, refusal: null });

/** Searches with what is written, also where it is what was searched for before: since then more may have come. */
function find(state: ConsoleState): ConsoleState {
  const { line, search } = state.history;
  const read = readFilter(line, brokerNow(state));
  if ('refusal' in read) return withHistory(state, read);
  const number = (search?.number ?? 0) + 1;
  return withHistory(state, {
    isWriting: false,
    refusal: null,
    search: newSearch(number, line.text, formatFilter(read.filter)),
  });
}

/** Takes a page, or that there is none, over where it is still wanted. */
export function hearHistory(state: ConsoleState, event: HistoryEvent): Step {
  return stay(
    withSearch(state, (search) => {
      if (search.number !== event.search) return search;
      if (event.type === 'found') return addPage(search, event.page);
      const { message, hint } = event;
      return { ...search, isWaiting: false, failure: { message, hint } };
    }),
  );
}

/** Forgets why a search failed: the broker is back. */
export const resumeSearch = (state: ConsoleState): ConsoleState =>
  withSearch(state, (search) => (search.failure === null ? search : { ...search, failure: null }));

/** What follows from any change while the history is looked at: the window, and the next page where it is wanted. */
export function settleHistory(state: ConsoleState): Step {
  const { search } = state.history;
  if (search === null) return stay(state);
  const capacity = historyCapacity(state);
  const followed = followSelected(search, capacity);
  if (followed.next === null || !isLiveLink(state) || !wantsMore(followed, capacity)) {
    return stay(followed === search ? state : withHistory(state, { search: followed }));
  }
  const { number, query, next } = followed;
  return stay(withHistory(state, { search: { ...followed, isWaiting: true } }), {
    type: 'search',
    search: number,
    query: { filter: query, cursor: next.cursor },
  });
}

function withSearch(state: ConsoleState, change: (search: HistorySearch) => HistorySearch): ConsoleState {
  const { search } = state.history;
  if (search === null) return state;
  const changed = change(search);
  return changed === search ? state : withHistory(state, { search: changed });
}

const withHistory = (state: ConsoleState, change: Partial<HistoryState>): ConsoleState => ({
  ...state,
  history: { ...state.history, ...change },
});
