import type { HistoryPage } from '../../src/client/history.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { type FilterLine, LEFT_LINE } from '../filter/filter-line.js';
import type { SafeText } from '../text/safe-text.js';

/** The history: a filter line, and what was found with it. */
export interface HistoryState extends FilterLine {
  /** The newest search; null before the first. */
  readonly search: HistorySearch | null;
}

export interface Complaint {
  readonly message: SafeText;
  readonly hint: SafeText;
}

/** One search: the part of its results that is kept, and from where it goes on. */
export interface HistorySearch {
  /** Pages of searches with other numbers are nobody's. */
  readonly number: number;
  /** As it was written. */
  readonly filter: string;
  /** As it is sent. */
  readonly query: string;
  /** The newest first. */
  readonly requests: readonly RequestView[];
  /** How many newer ones were let go, so that memory has a bound. */
  readonly letGo: number;
  /** Where the next page begins; null at the end. */
  readonly next: { readonly cursor: string | null } | null;
  readonly isWaiting: boolean;
  readonly failure: Complaint | null;
  readonly searchedTo: EpochMs | null;
  readonly selected: RequestId | null;
  /** The first request that is on the screen. */
  readonly top: number;
}

export const CLOSED_HISTORY: HistoryState = { ...LEFT_LINE, search: null };

/** So many results are kept; who goes on beyond them lets go of the newest. */
export const MAX_KEPT = 2000;

/** A search that nothing was asked for yet. */
export const newSearch = (number: number, filter: string, query: string): HistorySearch => ({
  number,
  filter,
  query,
  requests: [],
  letGo: 0,
  next: { cursor: null },
  isWaiting: false,
  failure: null,
  searchedTo: null,
  selected: null,
  top: 0,
});

/** Where the selected request stands among those that are kept; 0 where none is selected. */
export function selectedIndex({ requests, selected }: HistorySearch): number {
  return Math.max(
    0,
    requests.findIndex(({ id }) => id === selected),
  );
}

/** The request under the cursor; null where nothing was found. */
export function selectedFound({ search }: HistoryState): RequestView | null {
  return search?.requests[selectedIndex(search)] ?? null;
}

/** Whether the next page should be asked for: one screen of results is kept ready below the one that is seen. */
export function wantsMore(search: HistorySearch, capacity: number): boolean {
  const { requests, next, isWaiting, failure } = search;
  if (next === null || isWaiting || failure !== null) return false;
  return requests.length - 1 - selectedIndex(search) < 2 * capacity;
}

/** Adds a page. What is on the screen stays where it is. */
export function addPage(search: HistorySearch, page: HistoryPage): HistorySearch {
  const known = new Set(search.requests.map(({ id }) => id));
  const all = [...search.requests, ...page.requests.filter(({ id }) => !known.has(id))];
  const cut = Math.min(Math.max(0, all.length - MAX_KEPT), search.top);
  return {
    ...search,
    requests: all.slice(cut),
    letGo: search.letGo + cut,
    next: page.next === null ? null : { cursor: page.next },
    isWaiting: false,
    searchedTo: page.searchedTo ?? search.searchedTo,
    selected: search.selected ?? all[0]?.id ?? null,
    top: search.top - cut,
  };
}

/** Selects the request so many rows further down, or up. Who goes down has what failed tried again. */
export function moveSelection(search: HistorySearch, count: number): HistorySearch {
  const { requests } = search;
  const wanted = selectedIndex(search) + count;
  const selected = requests[Math.max(0, Math.min(requests.length - 1, wanted))]?.id ?? null;
  return { ...search, selected, failure: count > 0 ? null : search.failure };
}

/** The smallest move of the window that brings the selected request onto the screen. */
export function followSelected(search: HistorySearch, capacity: number): HistorySearch {
  const index = selectedIndex(search);
  const last = Math.max(0, search.requests.length - capacity);
  const top = Math.min(last, index < search.top ? index : Math.max(search.top, index - capacity + 1));
  return top === search.top ? search : { ...search, top };
}
