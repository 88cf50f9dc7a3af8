import type { Database } from 'better-sqlite3';
import { type ChainHead, GENESIS, type LogEntry, verifyChain } from '../../../src/protocol/event-log.js';
import { Problem } from '../../../src/protocol/problems.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import { EVENT_COLUMNS, type EventRow, entryFromRow } from './event-rows.js';

/** What a database holds. */
export interface Inspection {
  readonly epoch: string;
  readonly requests: number;
  /** Those that are pending, approved and unused, or grants in use. */
  readonly live: number;
  /** The newest event, and its time. */
  readonly head: ChainHead;
  readonly headAt: EpochMs;
  /** When the copy was made; null for a database that is none, or a copy of before there was this mark. */
  readonly copiedAt: EpochMs | null;
}

/**
 * Looks whether a database is whole: SQLite's own check, and the chain of its last events.
 *
 * @param events how many events, from the newest back, are hashed again
 * @throws Problem `storage-failed` where it is damaged
 */
export function inspect(database: Database, { events }: { readonly events: number }): Inspection {
  const damage = database.pragma('integrity_check(1)', { simple: true });
  if (damage !== 'ok') throw damaged(database, String(damage));
  const head = newestEvent(database);
  if (head === null) throw damaged(database, 'it has no events');
  const broken = verifyChain(...chainAfter(database, Math.max(0, head.seq - events)));
  if (broken !== null) throw damaged(database, `the chain of events does not hold at number ${broken}`);
  const store = database.prepare('SELECT * FROM store').get() as { epoch: string; copied?: number | null };
  return {
    epoch: store.epoch,
    requests: count(database, 'SELECT count(*) FROM requests'),
    live: count(database, "SELECT count(*) FROM requests WHERE state IN ('pending', 'approved', 'active')"),
    head: { seq: head.seq, hash: head.hash },
    headAt: head.at,
    copiedAt: store.copied ?? null,
  };
}

/** Null for an empty log. */
export function newestEvent(database: Database): (ChainHead & { readonly at: EpochMs }) | null {
  const row = database
    .prepare<[], { readonly seq: number; readonly at: EpochMs; readonly hash: Buffer }>(
      'SELECT seq, at, hash FROM events ORDER BY seq DESC LIMIT 1',
    )
    .get();
  return row === undefined ? null : { ...row, hash: row.hash.toString('hex') };
}

/** The hash of one event, null if there is none of this number. */
export function hashAt(database: Database, seq: number): string | null {
  const row = database
    .prepare<[number], { readonly hash: Buffer }>('SELECT hash FROM events WHERE seq = ?')
    .get(seq);
  return row?.hash.toString('hex') ?? null;
}

function chainAfter(database: Database, seq: number): [Iterable<LogEntry>, ChainHead] {
  const hash = seq === 0 ? GENESIS.hash : (hashAt(database, seq) ?? '');
  return [entriesAfter(database, seq, hash), { seq, hash }];
}

function* entriesAfter(database: Database, after: number, hash: string): Generator<LogEntry> {
  const rows = database.prepare<[number], EventRow>(
    `SELECT ${EVENT_COLUMNS} FROM events WHERE seq > ? ORDER BY seq`,
  );
  let previous = hash;
  for (const row of rows.iterate(after)) {
    const entry = entryFromRow(row, previous);
    yield entry;
    previous = entry.hash;
  }
}

const count = (database: Database, sql: string): number => Number(database.prepare(sql).pluck().get());

const damaged = (database: Database, how: string): Problem =>
  new Problem('storage-failed', `${database.name} is damaged: ${how}`, {
    hint: 'use another back-up; sqlite3 FILE "PRAGMA integrity_check" says more',
  });
