import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { verifySignature } from '../../src/ssh/signature.js';
import { parseSignersFile } from '../../src/ssh/signers-file.js';
import { codeOf } from './problem.js';

const VECTORS = new URL('../fixtures/vectors/ssh/signatures/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, VECTORS), 'latin1');
const message = read('message.txt');
const signers = parseSignersFile(read('signers.txt'));
const rows = read('expected.tsv')
  .trimEnd()
  .split('\n')
  .map((row) => row.split('\t') as [file: string, verdict: string, name: string, presence: string]);

test('every signature vector has its row', () => {
  const files = readdirSync(VECTORS).filter((file) => file.endsWith('.armor'));
  expect(rows.map(([file]) => file).sort()).toEqual(files.sort());
});

test.each(rows.filter(([, verdict]) => verdict === 'ok'))(
  '%s is %s, by %s, presence %s',
  (file, _, name, presence) => {
    const { key, userPresent } = verifySignature(message, read(file), 'decision@countersign');
    const owner = signers.find(({ keys }) => keys.some((signer) => signer.key.base64 === key.base64));
    expect(owner?.name).toBe(name);
    expect(userPresent).toBe(presence === '-' ? null : presence === '1');
  },
);

test.each(rows.filter(([, verdict]) => verdict !== 'ok'))('A59 %s is %s', (file, verdict) => {
  expect(codeOf(() => verifySignature(message, read(file), 'decision@countersign'))).toBe(verdict);
});
