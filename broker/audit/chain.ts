import { hash as sha256 } from 'node:crypto';
import type { EventsReply } from '../../src/protocol/messages.js';

/** One entry of the event log as it is exported. `body` is canonical JSON text, `previous` the hash of `seq - 1`. */
export type LogEntry = EventsReply['events'][number];

/** Where a chain has got to: the number and hash of its newest entry. */
export interface ChainHead {
  readonly seq: number;
  /** 64 lower-case hex digits. */
  readonly hash: string;
}

/** The head of an empty log. */
export const GENESIS: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** RFC 8785 writes strings and null as ECMAScript does. */
const json = (value: string | null): string => JSON.stringify(value);

/** SHA-256, in hex, over the canonical JSON of {seq, at, kind, request, body, previous}. */
export function hashEntry({ seq, at, kind, request, body, previous }: Omit<LogEntry, 'hash'>): string {
  const text = `{"at":${at},"body":${json(body)},"kind":${json(kind)},"previous":${json(previous)},"request":${json(request)},"seq":${seq}}`;
  return sha256('sha256', text, 'hex');
}

/** The entry that follows `head`, linked to it. */
export function appendEntry(
  head: ChainHead,
  entry: Pick<LogEntry, 'at' | 'kind' | 'request' | 'body'>,
): LogEntry {
  const linked = { ...entry, seq: head.seq + 1, previous: head.hash };
  return { ...linked, hash: hashEntry(linked) };
}

/**
 * Checks entries that should follow `head` without a gap. An edited, deleted, inserted or moved entry is found at the
 * number that should have stood there. What a chain alone cannot show is a missing end: compare its head with one
 * that was kept elsewhere.
 *
 * @returns the first number at which the chain does not hold, null if it holds
 */
export function verifyChain(entries: Iterable<LogEntry>, head: ChainHead = GENESIS): number | null {
  let { seq, hash } = head;
  for (const entry of entries) {
    seq += 1;
    if (entry.seq !== seq || entry.previous !== hash || entry.hash !== hashEntry(entry)) return seq;
    hash = entry.hash;
  }
  return null;
}
