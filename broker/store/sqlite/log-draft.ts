import { appendEntry, type ChainHead, type LogEntry } from '../../../src/protocol/event-log.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import type { NewEvent, Request } from '../../requests/request.js';
import type { Committed } from '../store.js';
import type { LiveState } from './live-state.js';

/** What one commit appends to the log, and what is known by its newest entries. */
export class LogDraft {
  readonly entries: LogEntry[] = [];
  /** The same entries as they are told. */
  readonly committed: Committed[] = [];
  head: ChainHead;
  unapproved: EpochMs | null;
  brokerKey: string | null;
  #size = 0;

  constructor({ head, unapproved, brokerKey }: LiveState) {
    this.head = head;
    this.unapproved = unapproved;
    this.brokerKey = brokerKey;
  }

  /** Text in it, in UTF-16 units. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param bodies in canonical form, one an event
   * @param request as it stands after them; null where they are about none
   */
  append(events: readonly NewEvent[], bodies: readonly string[], request: Request | null): void {
    events.forEach(({ kind, at, body: { without, key } }, index) => {
      const body = bodies[index] ?? '';
      if (without === 'approval') this.unapproved = at;
      if (kind === 'broker.key') this.brokerKey = String(key);
      const entry = appendEntry(this.head, { at, kind, request: request?.id ?? null, body });
      this.head = entry;
      this.entries.push(entry);
      this.committed.push({
        seq: entry.seq,
        kind,
        at,
        request: kind.startsWith('request.') ? request : null,
      });
      this.#size += body.length;
    });
  }
}
