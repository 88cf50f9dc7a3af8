import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../src/protocol/problems.js';
import { parseSignersFile } from '../../src/ssh/signers-file.js';
import { inDoor, lines, seeded, VECTORS } from './door-shell.js';

const FOLDER = `${VECTORS}/ssh/signers`;
const EXPECTED = readFileSync(`${FOLDER}/expected.tsv`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));

/** `FILE` to `ok` or the number of the first bad line, for many files in one shell. */
function verdicts(files: readonly string[], knownKeys = ''): string[] {
  const script = `known_keys_file=$1
while IFS= read -r file; do parse_signers "$file" && echo ok || echo "$bad_line"; done 2>/dev/null`;
  return lines(inDoor(script, { input: `${files.join('\n')}\n`, args: [knownKeys] }));
}

function verdictOfTypeScript(text: string): string {
  try {
    parseSignersFile(text);
    return 'ok';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return /^line (\d+):/.exec(error.message)?.[1] ?? error.message;
  }
}

describe('signers files in the shell', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'signers-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('every shared vector has its verdict and its line (A57)', () => {
    const found = verdicts(
      EXPECTED.map(([file]) => join(FOLDER, file ?? '')),
      join(directory, 'known-keys'),
    );
    const named = EXPECTED.map(([file], index) => [file, found[index]]);
    expect(named).toEqual(EXPECTED.map(([file, verdict, line]) => [file, verdict === 'ok' ? 'ok' : line]));
  });

  test('mutated files have the same verdict and line as in TypeScript (A57)', () => {
    const random = seeded(57);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
    const good = EXPECTED.filter(([, verdict]) => verdict === 'ok').map(([file]) =>
      readFileSync(join(FOLDER, file ?? ''), 'latin1'),
    );
    const pieces = [
      ',',
      ' ',
      '"',
      '\n',
      '\r',
      '#',
      '!',
      '*',
      'group:',
      'A',
      '=',
      'é',
      '\t',
      '+',
      '\0',
      'valid-after="',
    ];
    const mutated = Array.from({ length: 250 }, () => {
      const text = pick(good);
      const at = Math.floor(random() * text.length);
      const rows = text.split('\n');
      switch (Math.floor(random() * 5)) {
        case 0:
          return text.slice(0, at) + pick(pieces) + text.slice(at);
        case 1:
          return text.slice(0, at) + pick(pieces) + text.slice(at + 1);
        case 2:
          return text.slice(0, at) + text.slice(at + 1);
        case 3:
          return [...rows.slice(0, 1), pick(pick(good).split('\n')), ...rows.slice(1)].join('\n');
        default:
          return text.slice(0, at) + pick(text.split('')) + text.slice(at + 1);
      }
    });
    const files = mutated.map((text, index) => {
      const file = join(directory, `mutated-${index}`);
      writeFileSync(file, text, 'latin1');
      return file;
    });
    const found = verdicts(files, join(directory, 'known-keys'));
    const expected = mutated.map((text) => verdictOfTypeScript(Buffer.from(text, 'latin1').toString('utf8')));
    mutated.forEach((text, index) => {
      expect([text, found[index]]).toEqual([text, expected[index]]);
    });
    // Both kinds are there, or nothing was compared.
    expect(new Set(expected).size).toBeGreaterThan(3);
  });

  test('a line that was checked once is known, and one that only looks like it is not', () => {
    const known = join(directory, 'known');
    const good = join(FOLDER, 'ok-minimal.txt');
    const bad = join(FOLDER, 'bad-key-ed25519-order-8.txt');
    const line = readFileSync(good, 'utf8').trimEnd();
    writeFileSync(known, `${line}AAAA\nx${line}\n${readFileSync(bad, 'utf8').trimEnd()} \n`);
    expect(verdicts([good, good], known)).toEqual(['ok', 'ok']);
    expect(
      readFileSync(known, 'utf8')
        .split('\n')
        .filter((text) => text === line),
    ).toHaveLength(1);
    expect(verdicts([bad], known)).toEqual(['1']);
  });
});
