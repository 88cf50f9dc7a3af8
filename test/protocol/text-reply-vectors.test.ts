import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ProblemCode } from '../../src/protocol/problems.js';
import { formatTextReply, parseTextReply } from '../../src/protocol/text-reply.js';
import { codeOf } from '../ssh/problem.js';

const folder = new URL('../fixtures/vectors/protocol/replies/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), 'latin1');
const rows = read('expected.tsv')
  .trimEnd()
  .split('\n')
  .map((row) => row.split('\t') as [file: string, verdict: 'ok' | ProblemCode]);

test('every reply vector has its row, and is named after its verdict', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
  expect(rows.map(([file]) => file).sort()).toEqual(files.sort());
  for (const [file, verdict] of rows) expect(file.startsWith('ok-')).toBe(verdict === 'ok');
});

test.each(rows.filter(([, verdict]) => verdict === 'ok'))(
  '%s is %s, and is written as it was read',
  (file) => {
    const text = read(file);
    expect(formatTextReply(parseTextReply(text))).toBe(text);
  },
);

test.each(rows.filter(([, verdict]) => verdict !== 'ok'))('A52 A59 %s is refused: %s', (file, verdict) => {
  expect(codeOf(() => parseTextReply(read(file)))).toBe(verdict);
});
