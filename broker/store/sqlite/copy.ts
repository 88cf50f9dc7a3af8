import { chmodSync, closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import { Problem } from '../../../src/protocol/problems.js';
import { createPrivateFile, syncDirectory } from './private-files.js';

export interface CopyOptions {
  /** Whether a file that stands under the name already gives way. */
  readonly replaces: boolean;
  /** Called with the path of the copy before it gets its name; where it throws, there is no copy. */
  readonly check?: (unfinished: string) => void;
}

/**
 * Copies a database as of one moment, in one read that holds nobody up. The copy stands under its name only once it is
 * whole, checked and on the disk, with mode 0600.
 *
 * @throws Problem `usage` where the file exists and may not give way
 */
export function copyDatabase(database: Database, file: string, { replaces, check }: CopyOptions): void {
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true });
  // VACUUM INTO takes an empty file that exists, and keeps its mode.
  createPrivateFile(unfinished);
  try {
    database.prepare('VACUUM INTO ?').run(unfinished);
    chmodSync(unfinished, 0o600);
    check?.(unfinished);
    syncFile(unfinished);
    if (replaces) renameSync(unfinished, file);
    else linkSync(unfinished, file);
    syncDirectory(dirname(file));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw taken(file);
    throw cause;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

export const taken = (file: string): Problem =>
  new Problem('usage', `${file} exists already`, { hint: 'choose another name: nothing is overwritten' });

export function syncFile(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
