import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Problem } from '../../../src/protocol/problems.js';
import { createPrivateFile } from './private-files.js';

/** A held lock on a data directory. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes the one lock of a data directory: an exclusive transaction on the empty SQLite file `broker.lock`. The kernel
 * lets go of it when the process ends in any way, so there is no stale lock to clean up.
 *
 * @throws Problem `broker-locked` at once if another broker or command, in this process or another, holds it
 */
export function lockDirectory(directory: string): DirectoryLock {
  const file = join(directory, 'broker.lock');
  createPrivateFile(file);
  const database = new Database(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (cause instanceof Database.SqliteError && cause.code === 'SQLITE_BUSY') {
      throw new Problem('broker-locked', `${directory} is in use`);
    }
    throw cause;
  }
  return { release: () => void database.close() };
}
