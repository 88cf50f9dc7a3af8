import { type EventsReply, eventsReply, type LogEntry } from '../protocol/event-log.js';
import type { BearerToken, RequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { EpochMs } from '../protocol/time.js';
import type { HttpClient } from './http-client.js';

/** A broker, and an approver's session with it. */
export interface LogAccess {
  readonly client: HttpClient;
  readonly token: BearerToken;
}

/**
 * Reads the log page by page, in order, to its end.
 *
 * @param after number of the last entry that is left out
 * @param request only entries about this one
 * @throws Problem of the broker, or of reaching it; `broker-reply` for entries of another request, or in another order
 */
export async function* readEvents(
  { client, token }: LogAccess,
  { after = 0, request = null }: { readonly after?: number; readonly request?: RequestId | null } = {},
): AsyncGenerator<LogEntry> {
  const about = request === null ? '' : `&request=${request}`;
  let last = after;
  for (let next: number | null = after; next !== null; ) {
    const path: string = `/v1/events?after=${next}${about}`;
    const page: EventsReply = await client.call(eventsReply, { method: 'GET', path, token });
    for (const entry of page.events) {
      if (entry.seq <= last || (request !== null && entry.request !== request)) {
        throw new Problem(
          'broker-reply',
          `the broker gives entry ${entry.seq} of its log, which was not asked for`,
        );
      }
      last = entry.seq;
      yield entry;
    }
    if (page.next !== null && page.next <= next) {
      throw new Problem('broker-reply', 'the log of the broker does not get any further');
    }
    next = page.next;
  }
}

/**
 * The number of the last entry before a time, 0 for none: found by halving, because entries come in the order of time. Where
 * the broker's clock was set back there may be later entries of an earlier time.
 */
export async function lastBefore(access: LogAccess, time: EpochMs): Promise<number> {
  const isBefore = async (seq: number): Promise<boolean> => {
    const entry = await entryAt(access, seq);
    return entry !== null && entry.at < time;
  };
  let before = 0;
  let step = 1;
  while (await isBefore(before + step)) {
    before += step;
    step *= 2;
  }
  for (; step >= 1; step /= 2) if (await isBefore(before + step)) before += step;
  return before;
}

async function entryAt({ client, token }: LogAccess, seq: number): Promise<LogEntry | null> {
  const path = `/v1/events?after=${seq - 1}&limit=1`;
  const { events } = await client.call(eventsReply, { method: 'GET', path, token });
  return events[0] ?? null;
}
