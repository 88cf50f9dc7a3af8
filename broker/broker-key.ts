import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Problem } from '../src/protocol/problems.js';
import { type PublicKey, parsePublicKeyLine } from '../src/ssh/public-key.js';

/**
 * The key that names the broker, `broker.key` in the data directory; made on first use. It never signs a decision.
 *
 * @throws Problem `malformed-key` when the file is not an OpenSSH public key
 */
export async function loadBrokerKey(directory: string): Promise<PublicKey> {
  const file = join(directory, 'broker.key');
  if (!existsSync(file)) {
    await promisify(execFile)('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-C',
      'countersign broker',
      '-f',
      file,
    ]);
  }
  try {
    return parsePublicKeyLine((await readFile(`${file}.pub`, 'utf8')).trimEnd());
  } catch (cause) {
    throw new Problem('malformed-key', `cannot read ${file}.pub`, {
      hint: `restore it with: ssh-keygen -y -f ${file} > ${file}.pub`,
      cause,
    });
  }
}
