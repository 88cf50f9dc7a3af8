import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, sha256Digest } from '../../src/protocol/canonical.js';
import {
  type BoundDocument,
  MAX_DOCUMENT_BYTES,
  parseDocument,
  type RequestDocument,
  scopeOf,
} from '../../src/protocol/document.js';
import { Problem } from '../../src/protocol/problems.js';
import { type JsonObject, type JsonValue, parseStrictJson } from '../../src/protocol/strict-json.js';
import { codeOf } from '../ssh/problem.js';
import { documentFields } from './arbitraries.js';
import { spelling } from './spelling.js';

const FIELDS = [
  'action',
  'context',
  'details',
  'door',
  'duration',
  'nonce',
  'requester',
  'resource',
  'version',
] as const;
const SCOPE_FIELDS: readonly string[] = ['action', 'details', 'door', 'requester', 'resource'];

const asJson = (fields: RequestDocument): JsonObject => ({ ...fields });
const bind = (fields: RequestDocument): BoundDocument =>
  parseDocument(parseStrictJson(JSON.stringify(fields)));
const plain: RequestDocument = bind({
  version: 1,
  action: 'ssh.login',
  door: 'host:web-1',
  requester: 'alice',
  resource: 'web-1',
  details: { argv: ['uname', '-a'], user: 'alice' },
  context: {},
  duration: 0,
  nonce: '0'.repeat(32),
} as unknown as RequestDocument).document;

describe('one digest, one meaning (A7)', () => {
  test('every spelling of a document has the one canonical text, digest and scope', () => {
    fc.assert(
      fc.property(documentFields, spelling, (fields, spell) => {
        const bound = parseDocument(parseStrictJson(spell(asJson(fields))));
        expect(bound.canonical).toBe(canonicalJson(asJson(fields)));
        expect(bound.digest).toBe(sha256Digest(bound.canonical));
        expect(bound).toEqual(bind(fields));
      }),
    );
  });

  test('the canonical text says all of the document and nothing else', () => {
    fc.assert(
      fc.property(documentFields, (fields) => {
        const { canonical, document } = bind(fields);
        expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(fields)));
        expect(canonicalJson(asJson(document))).toBe(canonical);
        expect(bind(document).digest).toBe(sha256Digest(canonical));
      }),
    );
  });

  test('two documents share a digest if and only if they say the same', () => {
    fc.assert(
      fc.property(documentFields, documentFields, fc.subarray([...FIELDS]), (one, other, taken) => {
        const mixed = { ...one };
        for (const field of taken) Object.assign(mixed, { [field]: other[field] });
        const same = meaningOf(asJson(one)) === meaningOf(asJson(mixed));
        expect(bind(one).digest === bind(mixed).digest).toBe(same);
      }),
    );
  });

  test('equal values in other places are other documents', () => {
    const details: JsonObject[] = [
      { a: 'b c' },
      { a: ['b', 'c'] },
      { a: ['b c'] },
      { a: { b: 'c' } },
      { 'a b': 'c' },
      { a: 'b', c: '' },
      { a: null },
      { a: 'null' },
      {},
      { a: {} },
      { a: [] },
      { a: '' },
      { a: false },
      { a: 0 },
      { a: '0' },
    ];
    expect(new Set(details.map((value) => bind({ ...plain, details: value }).digest)).size).toBe(
      details.length,
    );
    expect(new Set(details.map((value) => bind({ ...plain, details: value }).scope)).size).toBe(
      details.length,
    );
  });
});

describe('the scope (A2)', () => {
  test('the scope changes if and only if action, details, door, requester or resource changes', () => {
    fc.assert(
      fc.property(documentFields, documentFields, fc.constantFrom(...FIELDS), (one, other, field) => {
        const changed = { ...one, [field]: other[field] };
        const before = bind(one);
        const after = bind(changed);
        const differs = meaningOf(asJson(one)[field] ?? '') !== meaningOf(asJson(other)[field] ?? '');
        expect(after.digest !== before.digest).toBe(differs);
        expect(after.scope !== before.scope).toBe(differs && SCOPE_FIELDS.includes(field));
      }),
    );
  });

  test('any change inside details, however deep, is another scope', () => {
    const paths = [
      { argv: ['uname', '-a'], user: 'alice' },
      { argv: ['uname', '-A'], user: 'alice' },
      { argv: ['-a', 'uname'], user: 'alice' },
      { argv: ['uname', '-a', ''], user: 'alice' },
      { argv: ['uname -a'], user: 'alice' },
      { argv: ['uname', '-a'], user: 'alice ' },
      { argv: ['uname', '-a'], user: 'alice', env: {} },
      { argv: ['sh', '-c', 'uname -a'], user: 'alice' },
      { argv: ['env', 'uname', '-a'], user: 'alice' },
      { argv: [['uname', '-a']], user: 'alice' },
    ];
    expect(new Set(paths.map((details) => bind({ ...plain, details }).scope)).size).toBe(paths.length);
  });

  test('the scope is the digest of the five fields and of nothing that the requester says beside them', () => {
    const { action, details, door, requester, resource } = plain;
    const five = canonicalJson({ action, details, door, requester, resource });
    expect(scopeOf(plain)).toBe(sha256Digest(five));
    expect(scopeOf({ ...plain, extra: 'x' } as RequestDocument)).toBe(sha256Digest(five));
  });
});

describe('limits', () => {
  /** A document of exactly so many canonical bytes. */
  const ofSize = (bytes: number): JsonObject => {
    const empty = canonicalJson({ ...plain, details: { a: '', b: '', c: '', d: '', e: '' } });
    const details: Record<string, JsonValue> = {};
    let left = bytes - empty.length;
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      details[key] = 'x'.repeat(Math.min(left, 16_384));
      left -= (details[key] as string).length;
    }
    return { ...plain, details };
  };

  test('a document has at most 64 KiB in its canonical form', () => {
    expect(MAX_DOCUMENT_BYTES).toBe(65_536);
    expect(Buffer.byteLength(parseDocument(ofSize(65_536)).canonical)).toBe(65_536);
    expect(codeOf(() => parseDocument(ofSize(65_537)))).toBe('body-too-large');
  });

  test('bytes are counted, not characters', () => {
    const details = { a: 'é'.repeat(8192), b: 'é'.repeat(8192), c: 'é'.repeat(8192), d: 'é'.repeat(8192) };
    expect(canonicalJson({ ...plain, details }).length).toBeLessThan(MAX_DOCUMENT_BYTES);
    expect(codeOf(() => bind({ ...plain, details }))).toBe('body-too-large');
  });

  test('control characters count as the escapes that they become', () => {
    const details = { a: '\u0001'.repeat(11_000) };
    expect(codeOf(() => bind({ ...plain, details }))).toBe('body-too-large');
  });
});

describe('what is said of the offence', () => {
  test.each<[JsonObject, string]>([
    [{ ...plain, colour: 'red' }, '"colour" is not a field of a document'],
    [{ ...plain, version: 2 }, 'version is not 1'],
    [
      { ...plain, action: 'Ssh' },
      'action is not a name: 1 to 128 of a-z 0-9 . _ @ : + -, not starting with group:',
    ],
    [{ ...plain, resource: 'a\nb' }, 'resource is not a text without control characters'],
    [{ ...plain, resource: 'a'.repeat(1025) }, 'resource is longer than 1024 bytes'],
    [{ ...plain, details: [] }, 'details is not a JSON object; write {} for none'],
    [{ ...plain, duration: 2_678_401 }, 'duration is not a number of seconds from 0 to 2678400'],
    [{ ...plain, nonce: 'A'.repeat(32) }, 'nonce is not 32 lower-case hex digits'],
  ])('%#: %s', (value, message) => {
    expect(() => parseDocument(value)).toThrow(new Problem('malformed-document', message));
  });

  test('a field that is named with escape sequences is quoted', () => {
    expect(() => parseDocument({ ...plain, '\u001b[2J\n': 1 })).toThrow('"\\u001b[2J\\n" is not a field');
  });
});

/** Equal for values that say the same, whatever the order of their keys. */
function meaningOf(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(meaningOf)}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${meaningOf(item)}`);
  return `{${members.sort()}}`;
}
