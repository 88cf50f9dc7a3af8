import { hash as sha256 } from 'node:crypto';
import * as z from 'zod';

const hex256 = z.string().regex(/^[0-9a-f]{64}$/, 'not 64 lower-case hex digits');

/**
 * One entry of the event log as it is exported: `GET /v1/events`, and a line of an export. Each is linked to the one
 * before by its hash. `hash` covers the digest of the body and not the body itself, so that a body can go when it has
 * been kept long enough, and the chain still holds. Entries of before that was so have no digest; theirs covers the body.
 */
export const eventSchema = z.object({
  seq: z.int().min(1),
  /** In ms since 1970, by the broker's clock. */
  at: z.int(),
  kind: z.string(),
  request: z.nullable(z.string()),
  /** Canonical JSON; null once it was erased. */
  body: z.nullable(z.string()),
  /** SHA-256 of the body; null for an entry whose hash covers the body. */
  digest: z.nullable(hex256).default(null),
  /** The hash of the entry before. */
  previous: hex256,
  hash: hex256,
});
export type LogEntry = z.output<typeof eventSchema>;

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

/** SHA-256, in hex, over the canonical JSON of {seq, at, kind, request, digest, previous}, or with body instead of digest. */
export function hashEntry({
  seq,
  at,
  kind,
  request,
  body,
  digest,
  previous,
}: Omit<LogEntry, 'hash'>): string {
  const rest = `"kind":${json(kind)},"previous":${json(previous)},"request":${json(request)},"seq":${seq}}`;
  const text =
    digest === null
      ? `{"at":${at},"body":${json(body)},${rest}`
      : `{"at":${at},"digest":${json(digest)},${rest}`;
  return sha256('sha256', text, 'hex');
}

/** SHA-256 of a body, in hex. */
export const hashBody = (body: string): string => sha256('sha256', body, 'hex');

/** The entry that follows `head`, linked to it. */
export function appendEntry(
  head: ChainHead,
  { at, kind, request, body }: Pick<LogEntry, 'at' | 'kind' | 'request'> & { readonly body: string },
): LogEntry {
  const linked = { seq: head.seq + 1, at, kind, request, body, digest: hashBody(body), previous: head.hash };
  return { ...linked, hash: hashEntry(linked) };
}

/** Whether an entry holds by itself: its hash is over its fields, and its body, where it is still there, has its digest. */
export function holds(entry: LogEntry): boolean {
  const { body, digest, hash } = entry;
  if (hash !== hashEntry(entry)) return false;
  return digest === null ? body !== null : body === null || hashBody(body) === digest;
}

/** Whether an entry holds, and is the one that follows `head`. */
export const follows = ({ seq, hash }: ChainHead, entry: LogEntry): boolean =>
  entry.seq === seq + 1 && entry.previous === hash && holds(entry);

/**
 * Checks entries that should follow `head` without a gap. An edited, deleted, inserted or moved entry is found at the
 * number that should have stood there. What a chain alone cannot show is a missing end: compare its head with one
 * that was kept elsewhere.
 *
 * @returns the first number at which the chain does not hold, null if it holds
 */
export function verifyChain(entries: Iterable<LogEntry>, head: ChainHead = GENESIS): number | null {
  let last = head;
  for (const entry of entries) {
    if (!follows(last, entry)) return last.seq + 1;
    last = entry;
  }
  return null;
}

/** `GET /v1/events` */
export const eventsReply = z.object({ events: z.array(eventSchema), next: z.nullable(z.int()) });
export type EventsReply = z.output<typeof eventsReply>;
