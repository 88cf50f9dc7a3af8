import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Problem, type ProblemCode } from '../../src/protocol/problems.js';
import { parseReceipt, parseReceipts } from '../../src/protocol/receipt.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { parseSignersFile } from '../../src/ssh/signers-file.js';
import { codeOf } from '../ssh/problem.js';

const folder = new URL('../fixtures/vectors/protocol/receipts/', import.meta.url);
/** latin1 keeps every byte apart; what is not ASCII is refused anyway. */
const read = (file: string): string => readFileSync(new URL(file, folder), 'latin1');
const rows = read('expected.tsv')
  .trimEnd()
  .split('\n')
  .map((row) => row.split('\t') as [file: string, verdict: 'ok' | ProblemCode]);
const good = rows.filter(([, verdict]) => verdict === 'ok').map(([file]) => file);
const bad = rows.filter(([, verdict]) => verdict !== 'ok');
const signers = parseSignersFile(read('signers.txt'));

/** Parses the receipt, then holds it against the signers file. */
function check(text: string): void {
  const { statement, armor } = parseReceipt(text);
  const { key } = verifySignature(statement, armor, 'decision@countersign');
  if (signers.some(({ keys }) => keys.some((signer) => signer.key.base64 === key.base64))) return;
  throw new Problem('unknown-key', 'not a key of the signers file');
}

test('every receipt vector has its row, and is named after its verdict', () => {
  const files = readdirSync(folder).filter((file) => /^(ok|bad)-.*\.txt$/.test(file));
  expect(rows.map(([file]) => file).sort()).toEqual(files.sort());
  expect(good.every((file) => file.startsWith('ok-'))).toBe(true);
  expect(bad.every(([file]) => file.startsWith('bad-'))).toBe(true);
});

test.each(good)('%s is a receipt, and one receipt of a reply', (file) => {
  const text = read(file);
  check(text);
  expect(parseReceipts(text)).toEqual([parseReceipt(text)]);
  expect(parseReceipts(text + text)).toHaveLength(2);
});

test.each(bad)('A59 %s is refused: %s', (file, verdict) => {
  expect(codeOf(() => check(read(file)))).toBe(verdict);
});

test.each(
  bad.filter(([, verdict]) => verdict.startsWith('malformed-r') || verdict === 'malformed-statement'),
)('A59 %s is not the one receipt of a reply either', (file) => {
  const text = read(file);
  const found = codeOf(() => parseReceipts(text));
  // Nothing at all, and two whole receipts, are good replies; neither is one receipt.
  if (found === null) expect(parseReceipts(text)).not.toHaveLength(1);
  else expect(['malformed-receipt', 'malformed-statement']).toContain(found);
});
