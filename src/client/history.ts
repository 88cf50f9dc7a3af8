import { matchesFilter, subjectOf } from '../protocol/filter.js';
import { parseFilter } from '../protocol/filter-text.js';
import { listReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import type { RequestView } from '../protocol/request-view.js';
import type { EpochMs } from '../protocol/time.js';
import type { CallAs } from './http-client.js';

/** Most requests that one page of a search has. */
export const HISTORY_PAGE = 50;

/** Most that a broker sends at once. */
const LONGEST_PAGE = 100;

/** Which requests are searched for, and from where on. */
export interface HistoryQuery {
  /** As `formatFilter` writes it, so that every page is about the same span of time. */
  readonly filter: string;
  /** Where the page before ended; null for the first one. */
  readonly cursor: string | null;
}

/** One page of a search, the newest request first. It may be empty before the end: the broker looks for a short time only. */
export interface HistoryPage {
  readonly requests: readonly RequestView[];
  /** Where to go on; null at the end. */
  readonly next: string | null;
  /** Everything that was asked later has been looked at; null where all has. */
  readonly searchedTo: EpochMs | null;
}

/** Requests of the past, as approvers may read them. */
export interface History {
  /**
   * @throws Problem `usage` where the broker refuses the filter; any problem of the broker. The reason of `signal` where that
   * was aborted.
   */
  search(query: HistoryQuery, signal: AbortSignal): Promise<HistoryPage>;
}

/** The history of a broker, for whom `call` is made. */
export const brokerHistory = (call: CallAs): History => ({
  search: (query, signal) => fetchPage(call, query, HISTORY_PAGE, signal),
});

/**
 * The newest ones that fit, page by page until there are enough or everything has been looked through.
 *
 * @throws Problem of the broker
 */
export async function searchHistory(
  call: CallAs,
  { filter, cursor }: HistoryQuery,
  limit: number,
): Promise<HistoryPage> {
  const found: RequestView[] = [];
  for (let from = cursor; ; ) {
    const page = await fetchPage(
      call,
      { filter, cursor: from },
      Math.min(LONGEST_PAGE, limit - found.length),
    );
    found.push(...page.requests);
    if (page.next === null || found.length >= limit) return { ...page, requests: found };
    from = page.next;
  }
}

/** What the broker sends and does not fit is left out; what leads in circles is refused. */
async function fetchPage(
  call: CallAs,
  { filter, cursor }: HistoryQuery,
  limit: number,
  signal?: AbortSignal,
): Promise<HistoryPage> {
  const query = new URLSearchParams({ filter, limit: String(limit) });
  if (cursor !== null) query.set('cursor', cursor);
  const page = await call(listReply, { method: 'GET', path: `/v1/requests?${query}`, signal });
  if (page.next !== null && cursor !== null && page.next >= cursor) {
    throw new Problem('broker-reply', 'the search does not get any further');
  }
  const wanted = parseFilter(filter, 0);
  return { ...page, requests: page.requests.filter((request) => matchesFilter(wanted, subjectOf(request))) };
}
