import { open } from 'node:fs/promises';
import { Problem } from '../protocol/problems.js';

/**
 * Reads a file with one secret in it, without the white space around.
 *
 * @throws Problem `unsafe-file` where others than its owner may read it
 */
export async function readSecretFile(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new Problem('unsafe-file', `others may read ${path}: chmod 600 ${path}`);
    }
    return (await file.readFile('utf8')).trim();
  } finally {
    await file.close();
  }
}
