import { chmodSync, chownSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Problem } from '../../../src/protocol/problems.js';

/**
 * Makes a directory that only its owner can enter (0700), or checks that it is one.
 *
 * @throws Problem `usage` if it stands open to others
 */
export function ensurePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if ((statSync(directory).mode & 0o077) !== 0) {
    throw new Problem('usage', `${directory} is open to other users`, { hint: `chmod 700 '${directory}'` });
  }
}

/**
 * Makes an empty file with mode 0600 unless it exists, and closes an existing one to others. SQLite gives its journals
 * the mode of the database. An existing file is never opened here: closing it would drop the POSIX locks that SQLite
 * holds on it elsewhere in this process (fcntl(2)).
 */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
    giveToOwner(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    chmodSync(file, 0o600);
  }
}

/** What root makes in somebody's directory must not lock its owner out. */
export function giveToOwner(path: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  chownSync(path, uid, gid);
}

/** Makes the names of new files in a directory durable. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
