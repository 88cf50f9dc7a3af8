import { join } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { canonicalJson } from '../../../src/protocol/canonical.js';
import { appendEntry, GENESIS } from '../../../src/protocol/event-log.js';
import { Problem } from '../../../src/protocol/problems.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import type { Store } from '../store.js';
import { EventInsertion } from './event-rows.js';
import { loadLiveState } from './load.js';
import { lockDirectory } from './lock.js';
import { checkSchema, migrate } from './migrations.js';
import { createPrivateFile, ensurePrivateDirectory, syncDirectory } from './private-files.js';
import { SqliteStore } from './sqlite-store.js';

export interface SqliteStoreOptions {
  /** The data directory; made with mode 0700 where it is missing. */
  readonly directory: string;
  readonly clock: () => EpochMs;
  readonly random: (bytes: number) => Buffer;
  /** Called with the path of the copy when the file was brought up to a newer schema. */
  readonly onMigrated?: (copy: string) => void;
}

/**
 * Opens `broker.db` in the data directory, or makes it, and locks the directory until the store is closed.
 *
 * @throws Problem `broker-locked` if a broker or command has it open; `newer-store` if a newer version wrote it;
 * `usage` if the directory is open to other users; `storage-failed` if the file is damaged or not ours
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { directory, clock, random, onMigrated } = options;
  ensurePrivateDirectory(directory);
  const lock = lockDirectory(directory);
  const file = join(directory, 'broker.db');
  let database: Database | null = null;
  try {
    createPrivateFile(file);
    database = new SqliteDatabase(file, { timeout: 250 });
    checkSchema(database);
    configure(database);
    const copy = migrate(database);
    if (copy !== null) onMigrated?.(copy);
    const epoch = readEpoch(database) ?? begin(database, clock(), random(16).toString('hex'));
    syncDirectory(directory);
    return new SqliteStore({ epoch, database, live: loadLiveState(database, clock()), lock, clock });
  } catch (cause) {
    database?.close();
    lock.release();
    if (cause instanceof Problem) throw cause;
    throw new Problem('storage-failed', `${file} cannot be opened`, { cause });
  }
}

function configure(database: Database): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') throw new Problem('storage-failed', `${database.name} cannot have a write-ahead log`);
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  database.pragma('trusted_schema = OFF');
  database.pragma('wal_autocheckpoint = 0');
  // What is erased, or written anew elsewhere, leaves nothing behind in the pages that it stood in.
  database.pragma('secure_delete = ON');
}

function readEpoch(database: Database): string | undefined {
  return database.prepare<[], { readonly epoch: string }>('SELECT epoch FROM store').get()?.epoch;
}

function begin(database: Database, at: EpochMs, epoch: string): string {
  const created = appendEntry(GENESIS, {
    at,
    kind: 'store.created',
    request: null,
    body: canonicalJson({ epoch }),
  });
  database
    .transaction(() => {
      database.prepare('INSERT INTO store (epoch) VALUES (?)').run(epoch);
      new EventInsertion(database).run(created);
      database.prepare('INSERT INTO epochs (first, epoch) VALUES (?, ?)').run(created.seq, epoch);
    })
    .immediate();
  return epoch;
}
