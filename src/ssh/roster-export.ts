import type { Name } from '../protocol/names.js';
import type { Person } from '../protocol/roster-messages.js';
import type { EpochMs } from '../protocol/time.js';
import { parsePublicKeyLine } from './public-key.js';
import { formatSignersFile, type Signer } from './signers-file.js';

/**
 * The signers file of a roster. Equal rosters give equal bytes, so that a digest tells whether a door has this one.
 *
 * @param door named in the first line; null leaves that line out
 */
export function exportSigners(people: readonly Person[], door: Name | null): string {
  const text = formatSignersFile(people.map(toSigner));
  return door === null ? text : signersHeading(door) + text;
}

/** The first line of a file that was exported for one door. */
export const signersHeading = (door: Name): string => `# signers of ${door}\n`;

function toSigner({ name, aliases, groups, keys }: Person): Signer {
  const date = (time: EpochMs | null): Date | null => (time === null ? null : new Date(time));
  return {
    name,
    aliases,
    groups,
    keys: keys.map(({ key, validAfter, validBefore }) => ({
      key: parsePublicKeyLine(key),
      validAfter: date(validAfter),
      validBefore: date(validBefore),
    })),
  };
}
