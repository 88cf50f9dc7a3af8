import type { Store } from '../store/store.js';
import { presentExport } from './signers-chain.js';

/**
 * Keeps each signers file that the roster exports from now on, so that a step can begin with it: doors got it by hand,
 * perhaps.
 *
 * @param onFailed hears why one could not be kept while the broker runs
 * @returns once the present one is kept
 */
export async function keepSignersFiles(store: Store, onFailed: (error: unknown) => void): Promise<void> {
  const keep = (): Promise<void> => store.keepSignersFile(presentExport(store.directory()).text);
  store.onCommitted((entries) => {
    if (!entries.some(({ kind }) => kind === 'roster.changed')) return;
    keep().catch(onFailed);
  });
  await keep();
}
