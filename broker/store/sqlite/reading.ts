import type { Database } from 'better-sqlite3';
import { Problem } from '../../../src/protocol/problems.js';

/**
 * Reads from a database.
 *
 * @throws Problem `storage-failed`, or `draining` once it is closed
 */
export function reading<Value>(database: Database, read: () => Value): Value {
  if (!database.open) throw new Problem('draining', 'the store is closed');
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem('storage-failed', 'the database cannot be read', { cause });
  }
}
