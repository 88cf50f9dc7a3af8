import { stat } from 'node:fs/promises';
import { Problem, type ProblemCode } from '../protocol/problems.js';
import { shellQuote } from '../protocol/shell-quote.js';

/**
 * Refuses a file or directory that somebody else than its user, or root, can write.
 *
 * @param code of the problem that is thrown
 * @throws Problem whose hint mends it
 */
export async function checkWritableByOwnerOnly(path: string, code: ProblemCode): Promise<void> {
  const { mode, uid } = await stat(path);
  const refused = (message: string, hint: string): Problem => new Problem(code, message, { hint });
  if (uid !== 0 && uid !== process.getuid?.()) {
    throw refused(`${path} belongs to another user`, `chown "$(id -un)" ${shellQuote(path)}`);
  }
  if ((mode & 0o022) !== 0) {
    throw refused(`${path} may be written by others`, `chmod go-w ${shellQuote(path)}`);
  }
}
