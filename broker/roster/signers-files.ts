import type { Logger } from 'pino';
import type { Store } from '../store/store.js';
import { presentExport } from './signers-chain.js';

/**
 * Keeps each signers file that the roster exports from now on, so that a step can begin with it: doors got it by hand,
 * perhaps.
 *
 * @returns once the present one is kept
 */
export async function keepSignersFiles(store: Store, log: Logger): Promise<void> {
  const keep = (): Promise<void> => store.keepSignersFile(presentExport(store.directory()).text);
  store.onCommitted((entries) => {
    if (!entries.some(({ kind }) => kind === 'roster.changed')) return;
    keep().catch((error: unknown) => log.error({ err: error }, 'cannot keep the signers file of the roster'));
  });
  await keep();
}
