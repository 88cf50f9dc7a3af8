import type { Database } from 'better-sqlite3';
import type { ExportLine } from '../../../src/protocol/audit-export.js';
import { GENESIS } from '../../../src/protocol/event-log.js';
import { EVENT_COLUMNS, type EventRow, entryFromRow } from './event-rows.js';

/** Rows of one reading: none lasts long, so that a broker which runs can write its log back meanwhile. */
const PAGE = 2_000;

interface HeadRow {
  readonly seq: number;
  readonly text: string;
}

/**
 * The log of a database as an export has it: entries in the order of their numbers, each head after the entry that it
 * names, and at the end those that name an entry which is not there. Whatever is committed meanwhile comes too.
 */
export function* auditLines(database: Database): Generator<ExportLine> {
  const entries = database.prepare<[number, number], EventRow>(
    `SELECT ${EVENT_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const heads = database.prepare<[number, number], HeadRow>(
    'SELECT seq, text FROM heads WHERE seq > ? AND seq <= ? ORDER BY seq',
  );
  let [last, previous] = [0, GENESIS.hash];
  for (;;) {
    const rows = entries.all(last, PAGE);
    const through = rows.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER;
    const signed = heads.all(last, through);
    let next = 0;
    for (const row of rows) {
      for (; (signed[next]?.seq ?? row.seq) < row.seq; next += 1) yield headLine(signed[next]);
      const entry = entryFromRow(row, previous);
      yield { kind: 'entry', entry };
      for (; signed[next]?.seq === row.seq; next += 1) yield headLine(signed[next]);
      [last, previous] = [row.seq, entry.hash];
    }
    if (rows.length > 0) continue;
    for (const head of signed) yield headLine(head);
    return;
  }
}

const headLine = (row: HeadRow | undefined): ExportLine => ({ kind: 'head', text: row?.text ?? '' });

/** Whether the database is a back-up: its log ends where that was made. */
export const isCopy = (database: Database): boolean => {
  const row = database.prepare('SELECT * FROM store').get() as
    | { readonly copied?: number | null }
    | undefined;
  return typeof row?.copied === 'number';
};
