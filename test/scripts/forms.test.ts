import { describe, expect, test } from 'vitest';
import {
  isBearerToken,
  isDigest,
  isFingerprint,
  isName,
  isNonce,
  isRequestId,
} from '../../src/protocol/names.js';
import { formatTime, parseTime } from '../../src/protocol/time.js';
import { inDoor, lines, seeded } from './door-shell.js';

const FORMS: Record<string, (text: string) => boolean> = {
  is_name: isName,
  is_digest: isDigest,
  is_hex128: isNonce,
  is_fingerprint: isFingerprint,
  is_request_id: isRequestId,
  is_bearer_token: isBearerToken,
};

const GOOD = [
  'alice',
  'a'.repeat(128),
  'uid:1000',
  '-ox',
  `sha256:${'0123456789abcdef'.repeat(4)}`,
  '0123456789abcdef'.repeat(2),
  `SHA256:${'a'.repeat(42)}A`,
  '01J00000000000000000000000',
  `${'_-aZ9'.repeat(8)}abc`,
];

/** One character changed, added or taken away, at every place. */
function* neighbours(text: string): Generator<string> {
  const characters = [
    'é',
    ' ',
    '\n',
    '/',
    '%',
    '$',
    '*',
    'G',
    'g',
    'U',
    '8',
    '=',
    '-',
    '_',
    '+',
    ':',
    '\u0001',
  ];
  for (const at of [0, 1, 3, 6, 7, 8, text.length - 1, text.length]) {
    yield text.slice(0, at) + text.slice(at + 1);
    for (const character of characters) {
      yield text.slice(0, at) + character + text.slice(at + 1);
      yield text.slice(0, at) + character + text.slice(at);
    }
  }
}

describe('the forms of values', () => {
  for (const [name, isForm] of Object.entries(FORMS)) {
    test(`${name} takes what the protocol takes, and nothing else`, () => {
      const values = [
        '',
        '-',
        'group:x',
        'group:',
        ...GOOD,
        ...GOOD.flatMap((text) => [...neighbours(text)]),
      ];
      const result = inDoor(
        `while IFS= read -r -d '' text; do ${name} "$text" && echo yes || echo no; done`,
        {
          input: values.map((value) => `${value}\0`).join(''),
        },
      );
      // A shell counts bytes; whatever is not ASCII is in none of the forms.
      expect(lines(result)).toEqual(values.map((value) => (isForm(value) ? 'yes' : 'no')));
    });
  }

  test('counts have no sign, no leading zero, no other base and at most nine digits', () => {
    const bad = [
      '',
      '-1',
      '+1',
      '00',
      '08',
      '0x1',
      '1e3',
      '1.0',
      ' 1',
      '1 ',
      '1000000000',
      '2#1',
      'a',
      '1\n',
      '٣',
    ];
    const good = ['0', '1', '8', '10', '999999999'];
    const result = inDoor(`while IFS= read -r -d '' text; do is_count "$text" && echo yes || echo no; done`, {
      input: [...good, ...bad].map((value) => `${value}\0`).join(''),
    });
    expect(lines(result)).toEqual([...good.map(() => 'yes'), ...bad.map(() => 'no')]);
  });

  test('times are the seconds that the protocol says', () => {
    const random = seeded(1);
    const texts = [
      '1970-01-01T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '0000-02-29T23:59:59Z',
      '9999-12-31T23:59:59Z',
      '2024-02-29T08:09:08Z',
      '2026-02-29T00:00:00Z',
      '2100-02-29T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '2026-00-01T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-00T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01T00:60:00Z',
      '2026-12-31T23:59:60Z',
      '2026-01-01t00:00:00Z',
      '2026-01-01T00:00:00z',
      '2026-01-01 00:00:00Z',
      '2026-1-01T00:00:00Z',
      'tomorrow',
      '-',
      '2026-01-01T00:00:00Z + 10 years',
      ...Array.from({ length: 500 }, () => formatTime(Math.floor(random() * 253402300800 * 1000))),
    ];
    const result = inDoor(
      'while IFS= read -r text; do parse_time "$text" && echo "$epoch" || echo bad; done',
      {
        input: texts.map((text) => `${text}\n`).join(''),
      },
    );
    const expected = texts.map((text) => {
      const time = parseTime(text);
      return time === null ? 'bad' : String(time / 1000);
    });
    expect(lines(result)).toEqual(expected);
  });

  test('random digits are six, of which every one can be any, and values above 999999 are drawn again', () => {
    const result = inDoor('for i in {1..300}; do random_digits x; echo "$x"; done');
    const found = lines(result);
    expect(found.filter((text) => !/^[0-9]{6}$/.test(text))).toEqual([]);
    expect(new Set(found).size).toBeGreaterThan(290);
    for (const at of [0, 5]) expect(new Set(found.map((text) => text[at])).size).toBe(10);
    // Bits whose first five hex digits are 1,000,000, the first value that is too large; the next five are 42.
    const drawn =
      'random_hex128() { printf -v "$1" %s f42400002a0000000000000000000000; }; random_digits x; echo "$x"';
    expect(lines(inDoor(drawn))).toEqual(['000042']);
  });

  test('random bits are 128 and never the same', () => {
    const result = inDoor('for i in {1..200}; do random_hex128 x; is_hex128 "$x" && echo "$x"; done');
    expect(new Set(lines(result)).size).toBe(200);
  });
});
