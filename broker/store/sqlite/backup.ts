import { existsSync, statSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { Problem } from '../../../src/protocol/problems.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import { copyDatabase, taken } from './copy.js';
import { hashAt, type Inspection, inspect, newestEvent } from './inspection.js';
import { checkSchema } from './migrations.js';

/** Events that are hashed again in a fresh copy. */
const TAIL = 10_000;

export interface Backup extends Inspection {
  readonly bytes: number;
}

/**
 * Copies a database, in use or not, and checks the copy: everything that was acknowledged before this began is in it.
 * The connection only reads, so a broker that runs commits all the while.
 *
 * @throws Problem `usage` where the file exists; `storage-failed` where the copy is not whole; `newer-store`
 */
export function backUp(source: string, file: string, now: EpochMs): Backup {
  if (existsSync(file)) throw taken(file);
  const database = openToRead(source);
  try {
    const before = newestEvent(database);
    let inspection: Inspection | null = null;
    copyDatabase(database, file, {
      replaces: false,
      check(unfinished) {
        const copy = new SqliteDatabase(unfinished, { fileMustExist: true });
        try {
          if (hasMark(copy)) copy.prepare('UPDATE store SET copied = ?').run(now);
          inspection = inspect(copy, { events: TAIL });
          if (before !== null && hashAt(copy, before.seq) !== before.hash) {
            throw new Problem('storage-failed', `the copy does not continue the log of ${source}`);
          }
        } finally {
          copy.close();
        }
      },
    });
    if (inspection === null) throw new TypeError('the copy was not looked at');
    return { ...(inspection as Inspection), bytes: statSync(file).size };
  } catch (cause) {
    if (!(cause instanceof SqliteDatabase.SqliteError)) throw cause;
    throw new Problem('storage-failed', `the copy cannot be made: ${cause.message}`, {
      hint: 'check the room and the permissions where it goes; nothing is left of it',
      cause,
    });
  } finally {
    database.close();
  }
}

/** @throws Problem `storage-failed` for what is no database of ours, `newer-store` */
export function openToRead(file: string): Database {
  let database: Database | null = null;
  try {
    database = new SqliteDatabase(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    checkSchema(database);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof Problem) throw cause;
    throw new Problem('storage-failed', `${file} cannot be read: ${(cause as Error).message}`, {
      hint: 'check that it is a database of Countersign and that you may read it',
      cause,
    });
  }
}

/** Whether its schema can say that it is a copy. */
const hasMark = (database: Database): boolean =>
  Number(database.pragma('user_version', { simple: true })) >= 2;
