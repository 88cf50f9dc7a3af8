import { open } from 'node:fs/promises';
import { Problem } from '../../src/protocol/problems.js';
import { MAX_POLICY_BYTES } from '../policy/yaml-source.js';

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Reads a policy file.
 *
 * @throws Problem `bad-policy` for one that cannot be read or is no text, `unsafe-file` for one that others may write
 */
export async function readPolicyText(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new Problem('bad-policy', `${file} is not a file`);
      if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) {
        throw new Problem('unsafe-file', `others may write ${file}`, {
          hint: `make it yours alone to write: chmod go-w ${file}`,
        });
      }
      if (stats.size > MAX_POLICY_BYTES) {
        throw new Problem('bad-policy', `${file} is larger than ${MAX_POLICY_BYTES} bytes`);
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    const why = (cause as NodeJS.ErrnoException).code ?? 'it is not a text';
    throw new Problem('bad-policy', `${file} cannot be read (${why})`, {
      hint: 'give the path of a policy file that the user of the broker may read',
      cause,
    });
  }
}
