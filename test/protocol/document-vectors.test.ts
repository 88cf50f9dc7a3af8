import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDocument } from '../../src/protocol/document.js';
import { parseStrictJson } from '../../src/protocol/strict-json.js';
import { codeOf } from '../ssh/problem.js';

/** See test/fixtures/vectors/protocol/README.md. */
interface Vector {
  readonly name: string;
  /** The document as text, or as bytes where it is no text. */
  readonly input?: string;
  readonly base64?: string;
  readonly canonical?: string;
  readonly digest?: string;
  readonly scope?: string;
  readonly problem?: string;
}

const file = new URL('../fixtures/vectors/protocol/documents.json', import.meta.url);
const vectors: readonly Vector[] = JSON.parse(readFileSync(file, 'utf8'));
const bytesOf = ({ input, base64 = '' }: Vector): Buffer =>
  input === undefined ? Buffer.from(base64, 'base64') : Buffer.from(input);
const read = (vector: Vector) => parseDocument(parseStrictJson(bytesOf(vector)));

const good = vectors.filter(({ problem }) => problem === undefined);
const bad = vectors.filter(({ problem }) => problem !== undefined);

test.each(good)('A7 $name: one canonical text, digest and scope', (vector) => {
  const { canonical, digest, scope } = read(vector);
  expect({ canonical, digest, scope }).toEqual({
    canonical: vector.canonical,
    digest: vector.digest,
    scope: vector.scope,
  });
});

test.each(good)('$name: the canonical text stands for itself', (vector) => {
  const again = read({ name: vector.name, input: vector.canonical ?? '' });
  expect(again).toEqual(read(vector));
});

test.each(bad)('A7 $name: $problem', (vector) => {
  expect(codeOf(() => read(vector))).toBe(vector.problem);
});

test('each name stands once, and both outcomes are there', () => {
  expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
  expect(good.length).toBeGreaterThan(70);
  expect(bad.length).toBeGreaterThan(150);
});

test('no two good vectors share a digest, except where their canonical text is the same', () => {
  const texts = new Map(good.map(({ digest, canonical }) => [digest, canonical]));
  for (const { digest, canonical } of good) expect(texts.get(digest)).toBe(canonical);
  expect(texts.size).toBe(new Set(good.map(({ canonical }) => canonical)).size);
});
