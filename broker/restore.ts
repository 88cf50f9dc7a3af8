import type { Restoration } from '../src/protocol/restoration.js';
import type { EpochMs } from '../src/protocol/time.js';
import { endedByRestore } from './requests/lifecycle.js';
import type { Inspection } from './store/sqlite/inspection.js';
import { lockDirectory } from './store/sqlite/lock.js';
import { openSqliteStore } from './store/sqlite/open.js';
import { ensurePrivateDirectory } from './store/sqlite/private-files.js';
import { beginEpoch, dropScratch, putInPlace, settle, takeCopy } from './store/sqlite/replacement.js';

export interface RestoreOptions {
  /** The back-up. */
  readonly file: string;
  /** The data directory; made with mode 0700 where it is missing. */
  readonly directory: string;
  readonly clock: () => EpochMs;
  readonly random: (bytes: number) => Buffer;
}

export interface Restored extends Restoration {
  readonly backup: Inspection;
  readonly epoch: string;
  /** Where the database that stood there before is now; null where there was none. */
  readonly aside: string | null;
}

/**
 * Puts a back-up in the place of the database. The chain of events goes on from where the back-up ends, in a new epoch:
 * what was pending, and what was approved and not used by then, is ended, because nobody can know what has become of it.
 * All of it is made ready beside, and takes its place in one step at the end.
 *
 * @throws Problem `broker-locked` while a broker runs there; `usage`, `newer-store`, `storage-failed`
 */
export async function restore({ file, directory, clock, random }: RestoreOptions): Promise<Restored> {
  ensurePrivateDirectory(directory);
  const lock = lockDirectory(directory);
  try {
    const { scratch, backup } = takeCopy(file, directory);
    const epoch = random(16).toString('hex');
    const replaced = settle(directory);
    const restoration = beginEpoch(scratch, { epoch, at: clock(), backup, replaced });
    const store = await openSqliteStore({ directory: scratch, clock, random });
    await Promise.all(
      store.live().map(({ id }) =>
        store.change({ id }, (current) => {
          if (current === null) throw new TypeError('a live request is gone');
          return { ...endedByRestore(current, clock()), result: null };
        }),
      ),
    );
    await store.close();
    const aside = putInPlace(scratch, directory, restoration.restoredAt);
    return { ...restoration, backup, epoch, aside };
  } finally {
    dropScratch(directory);
    lock.release();
  }
}
