import { listReply } from '../protocol/messages.js';
import type { RequestView } from '../protocol/request-view.js';
import type { EpochMs } from '../protocol/time.js';
import type { CallAs } from './http-client.js';

/** Most requests that one page of a search has. */
export const HISTORY_PAGE = 50;

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
  /** Nothing asked at this time or later was passed over; null where the broker does not say. */
  readonly searchedTo?: EpochMs | null;
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
export function brokerHistory(call: CallAs): History {
  return {
    async search({ filter, cursor }, signal) {
      const query = new URLSearchParams({ filter, limit: String(HISTORY_PAGE) });
      if (cursor !== null) query.set('cursor', cursor);
      return call(listReply, { method: 'GET', path: `/v1/requests?${query}`, signal });
    },
  };
}
