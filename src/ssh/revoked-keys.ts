import { type Fingerprint, isFingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parsePublicKeyLine } from './public-key.js';

/** Keys that count for nothing at one door, whatever its signers file and the broker say. */
export type RevokedKeys = ReadonlySet<Fingerprint>;

const PRINTABLE_ASCII_LINES = /^(?:[\x20-\x7e]*\n)*$/;

/**
 * Parses a file of revoked keys: `TYPE BASE64 [COMMENT]` or `SHA256:…` on each line, comments begin with `#`, printable
 * ASCII, each line ended by LF. An empty file revokes nothing. The doors in shell take exactly the same files
 * (scripts/door/revoked.sh).
 *
 * @throws Problem `bad-revoked-keys` that names the first bad line
 */
export function parseRevokedKeys(text: string): RevokedKeys {
  if (!PRINTABLE_ASCII_LINES.test(text))
    throw bad('the file of revoked keys is not lines of printable ASCII that end with LF');
  const revoked = new Set<Fingerprint>();
  for (const [index, line] of text.split('\n').slice(0, -1).entries()) {
    if (!line.startsWith('#')) revoked.add(parseLine(line, index + 1));
  }
  return revoked;
}

function parseLine(line: string, number: number): Fingerprint {
  if (isFingerprint(line)) return line;
  try {
    return parsePublicKeyLine(line).fingerprint;
  } catch (cause) {
    throw bad(`revoked keys line ${number}: not TYPE BASE64 [COMMENT] or SHA256:…`, cause);
  }
}

const bad = (message: string, cause?: unknown): Problem =>
  new Problem('bad-revoked-keys', message, { cause });
