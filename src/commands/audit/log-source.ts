import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ExportHeader,
  type ExportLine,
  parseExportHeader,
  parseExportLine,
} from '../../protocol/audit-export.js';
import { Problem } from '../../protocol/problems.js';
import { readLines } from './export-file.js';

/** A log to be read: an export, or a database of the broker. */
export interface LogSource {
  readonly kind: 'export' | 'database' | 'copy';
  /** Of an export. */
  readonly header: ExportHeader | null;
  /** Null for what is no line of an export. @returns whether the last line has no end */
  lines(): Generator<ExportLine | null, boolean>;
  close(): void;
}

const SQLITE = 'SQLite format 3\0';

/**
 * Opens an export, a database, or the database of a data directory; reads only, also while a broker has it open.
 *
 * @throws Problem `malformed-export`, `storage-failed`, `newer-store`, `usage`
 */
export async function openLogSource(path: string): Promise<LogSource> {
  const file = statSync(path).isDirectory() ? join(path, 'broker.db') : path;
  if (!existsSync(file))
    throw new Problem('usage', `there is no database in ${path}`, { hint: 'name a data directory' });
  return beginning(file) === SQLITE ? openDatabase(file) : openExport(file);
}

function openExport(file: string): LogSource {
  const lines = readLines(file);
  const first = lines.next();
  if (first.done === true) throw new Problem('malformed-export', 'the file is empty');
  return {
    kind: 'export',
    header: parseExportHeader(first.value),
    *lines() {
      for (;;) {
        const next = lines.next();
        if (next.done === true) return next.value;
        yield lineOf(next.value);
      }
    },
    close: () => void lines.return(false),
  };
}

async function openDatabase(file: string): Promise<LogSource> {
  const { openToRead } = await import('../../../broker/store/sqlite/backup.js');
  const { auditLines, isCopy } = await import('../../../broker/store/sqlite/audit-lines.js');
  const database = openToRead(file);
  return {
    kind: isCopy(database) ? 'copy' : 'database',
    header: null,
    *lines() {
      yield* auditLines(database);
      return false;
    },
    close: () => void database.close(),
  };
}

function lineOf(text: string): ExportLine | null {
  try {
    return parseExportLine(text);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function beginning(file: string): string {
  const bytes = Buffer.alloc(SQLITE.length);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, bytes, 0, bytes.length, 0);
    return bytes.toString('latin1');
  } finally {
    closeSync(descriptor);
  }
}

/** The key of a data directory, TYPE BASE64; null beside any other log. */
export function keyBeside(path: string): string | null {
  const file = join(path, 'broker.key.pub');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').slice(0, 2).join(' ') : null;
}
