import type { Store } from '../../broker/store/store.js';
import type { LogEntry } from '../../src/protocol/event-log.js';

/** Every entry of the log of a store, however many there are. */
export async function wholeLog(store: Store): Promise<LogEntry[]> {
  const log: LogEntry[] = [];
  for (;;) {
    const entries = await store.events({ after: log.length, limit: 5000 });
    if (entries.length === 0) return log;
    log.push(...entries);
  }
}
