import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../src/protocol/problems.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { parseRevokedKeys } from '../../src/ssh/revoked-keys.js';
import { keys } from '../e2e/evil-broker/people.js';
import { inDoor, lines } from '../scripts/door-shell.js';
import { makeSoftwareKey } from '../ssh/software-keys.js';

const bob = keys.bob.line;
const ecdsa = keys.bobToo.line;
const token = makeSoftwareKey('sk-ssh-ed25519@openssh.com').line;
const fingerprint = (line: string): string => parsePublicKeyLine(line).fingerprint;
/** A point with which anybody can sign. */
const weak = `ssh-ed25519 ${Buffer.concat([
  Buffer.from('0000000b7373682d6564323535313900000020', 'hex'),
  Buffer.alloc(32),
]).toString('base64')}`;

/** The fingerprints that a file revokes, sorted; null for a file with a bad line. */
const FILES: Readonly<Record<string, readonly string[] | null>> = {
  '': [],
  '# nothing yet\n': [],
  [`${bob}\n`]: [fingerprint(bob)],
  [`${bob} bob@laptop, stolen\n${ecdsa} \n${token}\n`]: [bob, ecdsa, token].map(fingerprint).sort(),
  [`#${bob}\n${fingerprint(ecdsa)}\n`]: [fingerprint(ecdsa)],
  [`${fingerprint(bob)}\n${bob}\n${bob}\n`]: [fingerprint(bob)],
  '\n': null,
  [`${bob}\n\n`]: null,
  [bob]: null,
  [`${bob}\r\n`]: null,
  [` ${bob}\n`]: null,
  [`${bob.replace(' ', '  ')}\n`]: null,
  [`bob ${bob}\n`]: null,
  [`bob namespaces="decision@countersign" ${bob}\n`]: null,
  [`${bob.slice(0, -4)}\n`]: null,
  [`${bob.replace('ssh-ed25519', 'ssh-rsa')}\n`]: null,
  [`${bob.replace('ssh-ed25519', 'ssh-dss')}\n`]: null,
  [`${bob} caf\xe9\n`]: null,
  [`${weak}\n`]: null,
  [`${fingerprint(bob)} \n`]: null,
  [`${fingerprint(bob)}=\n`]: null,
  [`${fingerprint(bob).slice(0, -1)}\n`]: null,
  [`${fingerprint(bob)},${fingerprint(ecdsa)}\n`]: null,
  'MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48\n': null,
  '*\n': null,
};
const texts = Object.keys(FILES);

function revokedBy(text: string): readonly string[] | null {
  try {
    return [...parseRevokedKeys(text)].sort();
  } catch (error) {
    if (error instanceof Problem && error.code === 'bad-revoked-keys') return null;
    throw error;
  }
}

describe('files of revoked keys (A57)', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'revoked-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('revoke the keys that they name; one bad line keeps the door shut', () => {
    expect(Object.fromEntries(texts.map((text) => [text, revokedBy(text)]))).toEqual(FILES);
  });

  test('revoke the same keys in the shell', () => {
    const files = texts.map((text, index) => {
      const file = join(directory, `file-${index}`);
      writeFileSync(file, text, 'latin1');
      return `${file}\n`;
    });
    const script = `while read -r file; do
  (trap - EXIT
  load_revoked_keys "$file"
  mapfile -t sorted < <(printf '%s\\n' "\${!revoked_keys[@]}" | sort)
  echo "ok \${sorted[*]}") || echo bad
done 2>/dev/null`;
    const found = lines(inDoor(script, { input: files.join('') }));
    const verdicts = texts.map((text) => {
      const revoked = FILES[text];
      return revoked === null ? 'bad' : `ok ${revoked?.join(' ')}`;
    });
    expect(Object.fromEntries(texts.map((text, index) => [text, found[index]?.trimEnd()]))).toEqual(
      Object.fromEntries(texts.map((text, index) => [text, verdicts[index]?.trimEnd()])),
    );
  });

  test('that are missing keep the door shut', () => {
    const { stdout } = inDoor('load_revoked_keys "$1"', { args: [join(directory, 'none')] });
    expect(stdout).toBe('bad-revoked-keys: the file of revoked keys cannot be read\n');
  });
});
