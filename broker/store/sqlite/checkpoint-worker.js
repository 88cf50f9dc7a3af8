// Copies the write-ahead log into the database, on its own connection and thread, so that no writer waits for it.
// Plain JavaScript, because a worker starts from the file as it stands, before and after compilation.
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

const database = new Database(/** @type {string} */ (workerData), { fileMustExist: true, timeout: 0 });
database.pragma('synchronous = FULL');

parentPort?.on('message', (/** @type {'checkpoint' | 'truncate' | 'close'} */ message) => {
  if (message === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(checkpoint(message === 'truncate' ? 'TRUNCATE' : 'PASSIVE'));
});

/**
 * @param {'PASSIVE' | 'TRUNCATE'} mode
 * @returns {boolean} false when the disk refused; commits then say so themselves, and the next one asks again. Also when a
 * reader was in the way of TRUNCATE.
 */
function checkpoint(mode) {
  try {
    const [{ busy }] = /** @type {[{ busy: number }]} */ (database.pragma(`wal_checkpoint(${mode})`));
    return mode === 'PASSIVE' || busy === 0;
  } catch (error) {
    if (error instanceof Database.SqliteError) return false;
    throw error;
  }
}
