import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isName, type Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import {
  checkSignerAt,
  formatSignersFile,
  parseSignersFile,
  type Signer,
} from '../../src/ssh/signers-file.js';
import {
  generateKey,
  readPublicLine,
  signWithOpenSsh,
  temporaryDirectory,
  verifiesWithOpenSsh,
} from './openssh.js';
import { codeOf } from './problem.js';
import { makeSoftwareKey } from './software-keys.js';

const VECTORS = new URL('../fixtures/vectors/ssh/signers/', import.meta.url);
const NAMESPACES = 'namespaces="decision@countersign"';
const readVector = (file: string): string => readFileSync(new URL(file, VECTORS), 'utf8');
const vectors = readVector('expected.tsv')
  .trimEnd()
  .split('\n')
  .map((row) => row.split('\t') as [file: string, verdict: string, line: string]);
const lines = Array.from({ length: 4 }, () => makeSoftwareKey('ssh-ed25519').line);
const keys = lines.map(parsePublicKeyLine);

function problemOf(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('every vector has its row', () => {
  const files = readdirSync(VECTORS).filter((file) => file.endsWith('.txt'));
  expect(vectors.map(([file]) => file).sort()).toEqual(files.sort());
  expect(vectors.every(([file, verdict]) => file.startsWith(`${verdict}-`))).toBe(true);
});

test.each(vectors.filter(([, verdict]) => verdict === 'ok'))(
  'A57 %s is taken, and written again says the same',
  (file) => {
    const signers = parseSignersFile(readVector(file));
    expect(signers.length).toBeGreaterThan(0);
    expect(parseSignersFile(formatSignersFile(signers))).toEqual(signers);
  },
);

test.each(vectors.filter(([, verdict]) => verdict === 'bad'))(
  'A57 %s is refused with its line number',
  (file, _, line) => {
    const problem = problemOf(() => parseSignersFile(readVector(file)));
    expect(problem.code).toBe('malformed-signers-file');
    expect(problem.message).toMatch(new RegExp(`^line ${line}: [\\x20-\\x7e]+$`));
  },
);

test('the reasons say which rule was broken', () => {
  const reasons = [
    'bad-crlf',
    'bad-no-final-newline',
    'bad-key-of-two-people',
    'bad-principals-differ',
    'bad-name-is-an-earlier-alias',
    'bad-key-rsa-1024',
    'bad-cert-authority',
  ].map((file) => problemOf(() => parseSignersFile(readVector(`${file}.txt`))).message);
  expect(reasons).toEqual([
    'line 1: a byte is not printable ASCII (lines end with LF alone)',
    'line 1: the line does not end with LF',
    'line 3: the key stands in line 1 already',
    'line 3: the principals of bob differ from line 1',
    'line 2: ann belongs to bob already',
    'line 1: an RSA key has 2048 to 16384 bits, this one 1024',
    'line 1: the options are not namespaces="decision@countersign"[,valid-after="T"][,valid-before="T"]',
  ]);
});

test('A63 all lines of a person make one signer with all keys', () => {
  const [first = '', second = '', third = ''] = lines;
  const text = [
    `bob,robert,bob@example.com,group:oncall,group:db ${NAMESPACES} ${first}`,
    `# in between`,
    `ann ${NAMESPACES},valid-after="20240229000000Z",valid-before="20300101000000Z" ${second}`,
    `bob,robert,bob@example.com,group:oncall,group:db ${NAMESPACES} ${third}`,
    '',
  ].join('\n');
  expect(parseSignersFile(text)).toEqual([
    {
      name: 'bob',
      aliases: ['robert', 'bob@example.com'],
      groups: ['oncall', 'db'],
      keys: [
        { key: keys[0], validAfter: null, validBefore: null },
        { key: keys[2], validAfter: null, validBefore: null },
      ],
    },
    {
      name: 'ann',
      aliases: [],
      groups: [],
      keys: [
        {
          key: keys[1],
          validAfter: new Date('2024-02-29T00:00:00Z'),
          validBefore: new Date('2030-01-01T00:00:00Z'),
        },
      ],
    },
  ]);
});

describe('what is written', () => {
  const name = fc
    .string({ unit: fc.constantFrom(...'abcxyz0129._@:+-'), minLength: 1, maxLength: 12 })
    .filter((text): text is Name => isName(text));
  const seconds = fc.option(
    fc.integer({ min: 946684800, max: 7258118400 }).map((second) => new Date(second * 1000)),
  );
  const signers = fc
    .record({
      names: fc.uniqueArray(name, { minLength: 4, maxLength: 8 }),
      groups: fc.uniqueArray(name, { maxLength: 3 }),
      keyOwners: fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
      times: fc.array(fc.tuple(seconds, seconds), { minLength: 4, maxLength: 4 }),
    })
    .map(({ names, groups, keyOwners, times }) =>
      [0, 1, 2].flatMap((person): Signer[] => {
        const owned = keys.flatMap((key, index) => {
          if (keyOwners[index] !== person) return [];
          const [a = null, b = null] = times[index] ?? [];
          const [validAfter, validBefore] = a && b && b <= a ? [a, null] : [a, b];
          return [{ key, validAfter, validBefore }];
        });
        const [own = names[0] as Name] = names.slice(person);
        const aliases = person === 2 ? names.slice(3) : [];
        return owned.length === 0 ? [] : [{ name: own, aliases, groups, keys: owned }];
      }),
    );

  test('is read back as it was', () => {
    fc.assert(
      fc.property(signers, (people) => {
        expect(parseSignersFile(formatSignersFile(people))).toEqual(people);
      }),
    );
  });

  test('A57 and then mutated, is refused or has one meaning', () => {
    fc.assert(
      fc.property(
        signers,
        fc.nat(),
        fc.nat(3),
        fc.string({ unit: 'binary-ascii', maxLength: 2 }),
        (people, at, cut, inserted) => {
          const text = formatSignersFile(people);
          const start = at % text.length;
          const mutated = text.slice(0, start) + inserted + text.slice(start + cut);
          const code = codeOf(() => {
            const parsed = parseSignersFile(mutated);
            expect(parseSignersFile(formatSignersFile(parsed))).toEqual(parsed);
          });
          expect([null, 'malformed-signers-file']).toContain(code);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('never breaks a rule of the file', () => {
    const signerKey = { key: keys[0] ?? parsePublicKeyLine(''), validAfter: null, validBefore: null };
    const bob: Signer = { name: 'bob' as Name, aliases: [], groups: [], keys: [signerKey] };
    for (const people of [
      [],
      [{ ...bob, keys: [] }],
      [bob, bob],
      [{ ...bob, name: 'Bob' as Name }],
      [
        { ...bob, aliases: ['group:root'] },
        { ...bob, name: 'ann' as Name },
      ],
      [{ ...bob, groups: ['db\nmallory namespaces="*"'] }],
      [{ ...bob, keys: [{ ...signerKey, validAfter: new Date(0) }] }],
    ])
      expect(codeOf(() => formatSignersFile(people))).toBe('malformed-signers-file');
  });
});

describe('the time of a key', () => {
  const now = Date.parse('2026-01-31T23:00:00Z');
  const signerKey = (validAfter: number | null, validBefore: number | null) => ({
    key: keys[0] ?? parsePublicKeyLine(''),
    validAfter: validAfter === null ? null : new Date(now + validAfter * 1000),
    validBefore: validBefore === null ? null : new Date(now + validBefore * 1000),
  });

  test.each([
    [null, null, null],
    [0, null, null],
    [1, null, 'key-not-yet-valid'],
    [null, 0, null],
    [null, -1, 'key-expired'],
    [-1, 1, null],
    [1, 2, 'key-not-yet-valid'],
    [-2, -1, 'key-expired'],
  ])('valid after %s s and before %s s: %s', (validAfter, validBefore, code) => {
    expect(codeOf(() => checkSignerAt(signerKey(validAfter, validBefore), now))).toBe(code);
    expect(codeOf(() => checkSignerAt(signerKey(validAfter, validBefore), now + 999))).toBe(code);
  });

  test('a clock that is no number keeps a limited key shut', () => {
    expect(codeOf(() => checkSignerAt(signerKey(0, null), Number.NaN))).toBe('key-not-yet-valid');
    expect(codeOf(() => checkSignerAt(signerKey(null, 0), Number.NaN))).toBe('key-expired');
  });

  test('ssh-keygen draws the same lines, to the second', () => {
    const file = generateKey(temporaryDirectory(), 'key', '-t', 'ed25519');
    const keyLine = readPublicLine(file).split(' ').slice(0, 2).join(' ');
    const armor = signWithOpenSsh(file, 'text', '-n', 'decision@countersign');
    const signerOptions = `${NAMESPACES},valid-after="20260131230000Z",valid-before="20260131230010Z"`;
    const [key] = parseSignersFile(`bob ${signerOptions} ${keyLine}\n`)[0]?.keys ?? [];
    for (const [second, isValid] of [
      [-1, false],
      [0, true],
      [10, true],
      [11, false],
    ] as const) {
      const time = now + second * 1000;
      const verifyTime = new Date(time).toISOString().slice(0, 19).replace(/\D/g, '');
      expect(codeOf(() => key && checkSignerAt(key, time)) === null).toBe(isValid);
      expect(
        verifiesWithOpenSsh({ keyLine, message: 'text', armor, signerOptions, verifyTime: `${verifyTime}Z` }),
      ).toBe(isValid);
    }
  });
});

test('A57 ssh-keygen itself takes files that are refused here', () => {
  const file = generateKey(temporaryDirectory(), 'key', '-t', 'ed25519');
  const keyLine = readPublicLine(file);
  const armor = signWithOpenSsh(file, 'text', '-n', 'decision@countersign');
  for (const signerOptions of [
    'namespaces="*"',
    'namespaces="decision@*"',
    `${NAMESPACES},valid-before="20990230000000Z"`,
  ]) {
    expect(verifiesWithOpenSsh({ keyLine, message: 'text', armor, signerOptions })).toBe(true);
    expect(codeOf(() => parseSignersFile(`bob ${signerOptions} ${keyLine}\n`))).toBe(
      'malformed-signers-file',
    );
  }
});
