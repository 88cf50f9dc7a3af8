import * as z from 'zod';
import type { AuditHead } from '../protocol/audit-head.js';
import { type ChainHead, follows, holds, type LogEntry } from '../protocol/event-log.js';
import type { LogFork } from './kept-heads.js';

/** Where entries of a broker's log are read from. */
export interface LogSource {
  /** Entries after a number, in order, without bodies where they hold without; at most a page of them. */
  links(after: number, limit: number): Promise<readonly LogEntry[]>;
  /** One whole entry; null where the log does not go so far. */
  entry(seq: number): Promise<LogEntry | null>;
}

/** What becomes of a head beside those that were kept. */
export type Comparison =
  /** It says of the same log that it is as long, or longer, or had been shorter. */
  | { readonly fits: true /** Whether every entry between was looked at. */; readonly linked: boolean }
  | ({ readonly fits: false } & Pick<LogFork, 'reason' | 'from' | 'through' | 'restored'>);

/** Over a longer way only the entries that the heads name are looked at. */
export const MOST_LINKS = 100_000;
/** The most that `GET /v1/events` gives at once. */
const PAGE = 1000;

/**
 * Compares the log that a broker shows now with what was kept of it, by recomputing the chain between the newest kept head
 * and the offered one.
 *
 * @param kept heads of this broker, by rising numbers, all of one chain
 * @param offered whose signature was verified
 * @throws Problem of the source: then nothing was found out
 */
export async function compareLog(
  kept: readonly AuditHead[],
  offered: AuditHead,
  source: LogSource,
): Promise<Comparison> {
  const newest = kept.at(-1);
  if (newest === undefined) return { fits: true, linked: true };
  // Another console may have kept a newer one meanwhile.
  const [lower, upper] = newest.seq <= offered.seq ? [newest, offered] : [offered, newest];
  if (upper.seq - lower.seq > MOST_LINKS) {
    const both = [await isAt(lower, source), await isAt(upper, source)];
    return both.every(Boolean) ? { fits: true, linked: false } : locate(kept, offered, source);
  }
  const way = await follow(chainHead(lower), chainHead(upper), source);
  if (way === null) return locate(kept, offered, source);
  if (lower.epoch !== upper.epoch && !way.restores) {
    const { seq } = upper;
    return {
      fits: false,
      reason: 'epoch',
      from: Math.min(lower.seq + 1, seq),
      through: seq,
      restored: false,
    };
  }
  return { fits: true, linked: true };
}

/** The way from one head to the other, entry by entry; null where it does not lead there. */
async function follow(
  lower: ChainHead,
  upper: ChainHead,
  source: LogSource,
): Promise<{ readonly restores: boolean } | null> {
  let last = lower;
  let restores = false;
  while (last.seq < upper.seq) {
    const page = await source.links(last.seq, Math.min(PAGE, upper.seq - last.seq));
    if (page.length === 0) return null;
    for (const entry of page) {
      if (entry.seq > upper.seq || !follows(last, entry)) return null;
      restores ||= entry.kind === 'store.restored';
      last = entry;
    }
  }
  return last.hash === upper.hash ? { restores } : null;
}

/** Finds, as far as kept heads can tell, the first entry that is not what it was. */
async function locate(
  kept: readonly AuditHead[],
  offered: AuditHead,
  source: LogSource,
): Promise<Comparison & { readonly fits: false }> {
  // Two logs that were the same up to a number were the same before it too.
  let [same, other] = [-1, kept.length];
  while (other - same > 1) {
    const middle = (same + other) >> 1;
    if (await isAt(kept[middle] as AuditHead, source)) same = middle;
    else other = middle;
  }
  const before = kept[same]?.seq ?? 0;
  const first = kept[other];
  // Everything kept is still there: what the broker signed now is not what it shows.
  if (first === undefined) {
    const through = Math.max(offered.seq, before + 1);
    return { fits: false, reason: 'other', from: before + 1, through, restored: false };
  }
  const restoredAt =
    offered.epoch === kept.at(-1)?.epoch ? null : await findRestore(kept, before, first.seq, source);
  const isThere = (await source.links(first.seq - 1, 1)).length > 0;
  return {
    fits: false,
    reason: isThere ? 'other' : 'shorter',
    from: restoredAt ?? before + 1,
    through: restoredAt ?? first.seq,
    restored: restoredAt !== null,
  };
}

/**
 * The entry that says that the log goes on from a back-up, in a life of the database that no kept head is of. So says the
 * broker: who may write there may have invented it.
 */
async function findRestore(
  kept: readonly AuditHead[],
  after: number,
  through: number,
  source: LogSource,
): Promise<number | null> {
  const known = new Set(kept.map(({ epoch }) => epoch));
  for (let last = after; last < Math.min(through, after + MOST_LINKS); ) {
    const page = await source.links(last, Math.min(PAGE, through - last));
    for (const { kind, seq } of page) {
      if (kind !== 'store.restored') continue;
      const entry = await source.entry(seq);
      const epoch = entry === null ? null : epochOfRestored(entry);
      if (epoch !== null && !known.has(epoch)) return seq;
    }
    const end = page.at(-1)?.seq ?? 0;
    if (end <= last) return null;
    last = end;
  }
  return null;
}

const isAt = async (head: AuditHead, source: LogSource): Promise<boolean> => {
  const [entry] = await source.links(head.seq - 1, 1);
  return entry !== undefined && entry.seq === head.seq && entry.hash === chainHead(head).hash && holds(entry);
};

const restoredBody = z.object({ epoch: z.string() });

function epochOfRestored({ kind, body }: LogEntry): string | null {
  if (kind !== 'store.restored' || body === null) return null;
  try {
    return restoredBody.parse(JSON.parse(body)).epoch;
  } catch {
    return null;
  }
}

const chainHead = ({ seq, hash }: AuditHead): ChainHead => ({ seq, hash: hash.slice('sha256:'.length) });
