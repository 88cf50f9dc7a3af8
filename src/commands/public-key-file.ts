import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { readIfThere } from '../client/private-file.js';
import { Problem } from '../protocol/problems.js';
import { type PublicKey, parsePublicKeyLine } from '../ssh/public-key.js';

/**
 * Reads one public key to enrol: from a `.pub` file, from stdin (`-`), or the one beside a private key that was named by
 * mistake.
 *
 * @throws Problem `malformed-key`, `unsupported-key`, `no-key`
 */
export async function readPublicKey(option: string | undefined): Promise<PublicKey> {
  if (option === undefined)
    throw new Problem('usage', '--key is missing: the file of a public key, or - for stdin');
  const text = option === '-' ? await readStream(process.stdin) : await readFile(option, 'utf8');
  if (!text.startsWith('-----BEGIN ')) return parsePublicKeyLine(text.trimEnd());
  const beside = option === '-' ? null : await readIfThere(`${option}.pub`);
  if (beside !== null) return parsePublicKeyLine(beside.trimEnd());
  throw new Problem('no-key', 'that is a private key; it stays where it is', {
    hint: 'give its public half: ssh-keygen -y -f KEY > KEY.pub',
  });
}
