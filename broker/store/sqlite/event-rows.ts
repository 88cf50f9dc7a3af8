import type { Database, Statement } from 'better-sqlite3';
import type { LogEntry } from '../../../src/protocol/event-log.js';
import { bytesOf } from './rows.js';

/** A row of the table `events`. An erased body is '': no canonical JSON is. */
export interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly request: string | null;
  readonly body: string;
  readonly digest: Buffer | null;
  readonly hash: Buffer;
}

/** The columns of {@link EventRow}. */
export const EVENT_COLUMNS = 'seq, at, kind, request, body, digest, hash';

/** The same without the bodies of entries that hold without them: nothing has to be read of those. */
export const LINK_COLUMNS = "seq, at, kind, request, iif(digest IS NULL, body, '') AS body, digest, hash";

export const linkOf = (row: EventRow): EventRow => (row.digest === null ? row : { ...row, body: '' });

/** `previous` is what the entry before hashes to in the same database, missing or not. */
export function entryFromRow(row: EventRow, previous: string): LogEntry {
  return {
    ...row,
    body: row.body === '' ? null : row.body,
    digest: row.digest?.toString('hex') ?? null,
    previous,
    hash: row.hash.toString('hex'),
  };
}

/** Appends entries to the table. */
export class EventInsertion {
  readonly #insert: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare(`INSERT INTO events (${EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  }

  run({ seq, at, kind, request, body, digest, hash }: LogEntry): void {
    const digestBytes = digest === null ? null : bytesOf(digest);
    this.#insert.run(seq, at, kind, request, body ?? '', digestBytes, bytesOf(hash));
  }
}
