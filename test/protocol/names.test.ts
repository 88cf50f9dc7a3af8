import { describe, expect, test } from 'vitest';
import {
  isBearerToken,
  isClaim,
  isDigest,
  isFingerprint,
  isName,
  isNonce,
  isRequestId,
  parseName,
  parseRequestId,
} from '../../src/protocol/names.js';
import { codeOf } from '../ssh/problem.js';

const HEX = '0123456789abcdef';
const ULID = '01JH0000000000000000000000';
const FINGERPRINT = 'SHA256:jD8kIYzFGbVYWV8u2Cg1+9zdA2Xk0FVB0ov2AAm4xRo';

/** For each form: what has it, and what is near it without having it. */
const forms: readonly [string, (text: unknown) => boolean, readonly string[], readonly string[]][] = [
  [
    'name',
    isName,
    ['a', '0', '-', '...', '__proto__', 'alice@example.com', 'host:web-1', 'groups:db', 'a'.repeat(128)],
    ['', 'A', 'a'.repeat(129), 'group:db', 'group:', 'a b', 'a/b', 'é', 'а', 'a*', 'a,b', 'a"', '!a', 'ａ'],
  ],
  [
    'digest',
    isDigest,
    [`sha256:${HEX.repeat(4)}`],
    [
      HEX.repeat(4),
      `sha256:${HEX.repeat(4).toUpperCase()}`,
      `sha256:${HEX.repeat(4)}0`,
      'sha256:',
      `sha512:${HEX.repeat(4)}`,
    ],
  ],
  [
    'request id',
    isRequestId,
    [ULID, `7${'Z'.repeat(25)}`],
    [
      ULID.toLowerCase(),
      ULID.slice(1),
      `${ULID}0`,
      `8${'0'.repeat(25)}`,
      ULID.replace('J', 'I'),
      ULID.replace('J', 'L'),
      ULID.replace('J', 'O'),
      ULID.replace('J', 'U'),
      '-',
    ],
  ],
  [
    'nonce',
    isNonce,
    [HEX.repeat(2)],
    [HEX, `${HEX.repeat(2)}0`, HEX.repeat(2).toUpperCase(), 'g'.repeat(32), ''],
  ],
  [
    'claim',
    isClaim,
    [HEX.repeat(2)],
    [HEX, `${HEX.repeat(2)}0`, HEX.repeat(2).toUpperCase(), 'g'.repeat(32), ''],
  ],
  [
    'fingerprint',
    isFingerprint,
    [FINGERPRINT],
    [
      FINGERPRINT.slice(7),
      `${FINGERPRINT}=`,
      FINGERPRINT.slice(0, -1),
      FINGERPRINT.replace('+', '-'),
      FINGERPRINT.replace(/o$/, 'p'),
      FINGERPRINT.toLowerCase(),
      'MD5:00:00',
    ],
  ],
  [
    'bearer token',
    isBearerToken,
    ['A'.repeat(43), `-_${'a'.repeat(41)}`],
    ['A'.repeat(42), 'A'.repeat(44), `+${'A'.repeat(42)}`, `${'A'.repeat(42)}=`, ''],
  ],
];

describe.each(forms)('a %s', (_form, is, good, bad) => {
  test.each(good)('%s is one', (text) => {
    expect(is(text)).toBe(true);
  });

  test.each(bad)('%s is none', (text) => {
    expect(is(text)).toBe(false);
  });

  test('is the whole text: nothing before, nothing after, no line end', () => {
    for (const text of good)
      for (const other of [
        `${text}\n`,
        `\n${text}`,
        `${text} `,
        ` ${text}`,
        `${text}\0`,
        `${text}\r`,
        `${text}\u2028`,
      ])
        expect([other, is(other)]).toEqual([other, false]);
  });

  test('is a text', () => {
    for (const value of [undefined, null, 0, true, {}, [good[0]], { toString: () => good[0] }])
      expect(is(value)).toBe(false);
  });
});

test('what the command line was given is said to be no name', () => {
  expect(parseName('alice', 'the requester')).toBe('alice');
  expect(() => parseName('Alice', 'the requester')).toThrow('the requester is not a name');
  expect(codeOf(() => parseName('Alice', 'the requester'))).toBe('usage');
  expect(parseRequestId(ULID)).toBe(ULID);
  expect(codeOf(() => parseRequestId('1'))).toBe('usage');
});
