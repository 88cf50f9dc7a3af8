import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import * as z from 'zod';
import { canonicalJson } from '../../../src/protocol/canonical.js';
import { appendEntry, type ChainHead } from '../../../src/protocol/event-log.js';
import { Problem } from '../../../src/protocol/problems.js';
import { type Restoration, restorationSchema } from '../../../src/protocol/restoration.js';
import { type EpochMs, formatTime } from '../../../src/protocol/time.js';
import { taken } from './copy.js';
import { EventInsertion } from './event-rows.js';
import { type Inspection, inspect, newestEvent } from './inspection.js';
import { checkNothingElse, checkSchema, migrate } from './migrations.js';
import { giveToOwner, syncDirectory } from './private-files.js';

/** Where a back-up is made ready, inside the data directory; what a killed restore left there is thrown away. */
const SCRATCH = 'restoring';

/**
 * Copies a back-up into a scratch directory, and checks all of the copy: what is used is what was checked.
 *
 * @throws Problem `usage` for a database in use, `newer-store`, `storage-failed` for what is damaged or not ours
 */
export function takeCopy(
  file: string,
  directory: string,
): { readonly scratch: string; readonly backup: Inspection } {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0) {
    throw new Problem('usage', `${file} is a database in use, not a back-up of it`, {
      hint: 'make one with: countersign backup FILE',
    });
  }
  dropScratch(directory);
  const scratch = join(directory, SCRATCH);
  mkdirSync(scratch, { mode: 0o700 });
  giveToOwner(scratch);
  const copy = join(scratch, 'broker.db');
  copyFileSync(file, copy);
  // With the content came mode and owner.
  chmodSync(copy, 0o600);
  giveToOwner(copy);
  const backup = opened(copy, file, (database) => {
    checkSchema(database);
    checkNothingElse(database);
    const inspection = inspect(database, { events: Number.POSITIVE_INFINITY });
    migrate(database);
    return inspection;
  });
  return { scratch, backup };
}

export function dropScratch(directory: string): void {
  rmSync(join(directory, SCRATCH), { recursive: true, force: true });
}

export interface Beginning {
  readonly epoch: string;
  readonly at: EpochMs;
  readonly backup: Inspection;
  /** What the restored database takes the place of; null where there was none, or none that can be read. */
  readonly replaced: ChainHead | null;
}

/**
 * Begins another life of a copied database: a new epoch, nobody signed in, and an event that says so. Nobody is rung for what
 * was pending then; who follows the log goes on where the back-up was, and may be told some of it again, by the same names.
 */
export function beginEpoch(scratch: string, { epoch, at, backup, replaced }: Beginning): Restoration {
  const backupAt = backup.copiedAt ?? backup.headAt;
  const restoration: Restoration = { backupAt, restoredAt: at, ended: backup.live };
  const event = appendEntry(backup.head, {
    at,
    kind: 'store.restored',
    request: null,
    body: canonicalJson({
      epoch,
      backup: { at: formatTime(backupAt), epoch: backup.epoch, ...backup.head },
      replaced: replaced === null ? null : { seq: replaced.seq, hash: replaced.hash },
      ended: backup.live,
    }),
  });
  opened(join(scratch, 'broker.db'), scratch, (database) => {
    database
      .transaction(() => {
        database.exec("DELETE FROM sessions; DELETE FROM outbox WHERE sink = 'command'");
        new EventInsertion(database).run(event);
        database.prepare('INSERT INTO epochs (first, epoch) VALUES (?, ?)').run(event.seq, epoch);
        database
          .prepare('UPDATE store SET epoch = ?, copied = NULL, restored = ?')
          .run(epoch, JSON.stringify(z.encode(restorationSchema, restoration)));
      })
      .immediate();
  });
  return restoration;
}

/**
 * Writes the log of a database that nobody has open into it, so that it is one file.
 *
 * @returns its newest event; null where there is no database, or none that can be read
 */
export function settle(directory: string): ChainHead | null {
  const file = join(directory, 'broker.db');
  if (!existsSync(file)) return null;
  try {
    return opened(file, file, (database) => {
      checkSchema(database);
      database.pragma('wal_checkpoint(TRUNCATE)');
      return newestEvent(database);
    });
  } catch (error) {
    // A database that is damaged is a reason to restore another one, not to refuse it.
    if (error instanceof Problem) return null;
    throw error;
  }
}

/**
 * Puts the database of the scratch directory in its place. The one that stood there gets another name and is never
 * deleted; at each moment there is one database under the right name, unless the old one was damaged.
 *
 * @returns the path of the old one, null where there was none
 */
export function putInPlace(scratch: string, directory: string, at: EpochMs): string | null {
  const file = join(directory, 'broker.db');
  const aside = existsSync(file) ? `${file}.before-restore-${formatTime(at).replace(/[-:]/g, '')}` : null;
  if (aside !== null) {
    if (existsSync(aside)) throw taken(aside);
    linkSync(file, aside);
    // Only that of a damaged database is left. It belongs to that one alone.
    if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${aside}-wal`);
    rmSync(`${file}-shm`, { force: true });
  }
  renameSync(join(scratch, 'broker.db'), file);
  syncDirectory(directory);
  return aside;
}

function opened<Result>(file: string, named: string, use: (database: Database) => Result): Result {
  let database: Database | null = null;
  try {
    database = new SqliteDatabase(file, { fileMustExist: true });
    database.pragma('synchronous = FULL');
    return use(database);
  } catch (cause) {
    if (cause instanceof Problem) {
      throw new Problem(cause.code, cause.message.replace(file, named), { hint: cause.hint, cause });
    }
    if (!(cause instanceof SqliteDatabase.SqliteError)) throw cause;
    throw new Problem('storage-failed', `${named} cannot be used: ${cause.message}`, {
      hint: 'give a file that countersign backup has made',
      cause,
    });
  } finally {
    database?.close();
  }
}
