import { eventsReply, type LogEntry } from '../protocol/event-log.js';
import type { CallAs } from './http-client.js';
import type { LogSource } from './log-comparison.js';

/** The log of a broker, read over HTTP by an approver. */
export function logSource(call: CallAs): LogSource {
  const read = async (query: string): Promise<readonly LogEntry[]> => {
    const path = `/v1/events?${query}`;
    return (await call(eventsReply, { method: 'GET', path })).events;
  };
  return {
    links: (after, limit) => read(`links=only&after=${after}&limit=${limit}`),
    async entry(seq) {
      const [entry] = await read(`after=${seq - 1}&limit=1`);
      return entry?.seq === seq ? entry : null;
    },
  };
}
