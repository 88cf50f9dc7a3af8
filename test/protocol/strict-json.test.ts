import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/protocol/canonical.js';
import { Problem } from '../../src/protocol/problems.js';
import {
  isJsonObject,
  type JsonValue,
  MAX_DEPTH,
  MAX_STRING_BYTES,
  parseStrictJson,
} from '../../src/protocol/strict-json.js';
import { codeOf } from '../ssh/problem.js';
import { json } from './arbitraries.js';
import { spelling } from './spelling.js';

/** What it says, free of prototypes; null where it is refused. */
function meaning(input: string | Uint8Array): string | null {
  try {
    return canonicalJson(parseStrictJson(input));
  } catch (error) {
    if (error instanceof Problem && error.code === 'malformed-json') return null;
    throw error;
  }
}

const nested = (levels: number, inside = ''): string => '['.repeat(levels) + inside + ']'.repeat(levels);

describe('one meaning (A7)', () => {
  test('whatever JSON.parse reads of a value, strict reading reads too, however it is spelled', () => {
    fc.assert(
      fc.property(json.value, spelling, (value, spell) => {
        expect(meaning(spell(value))).toBe(canonicalJson(value));
        expect(meaning(JSON.stringify(value))).toBe(canonicalJson(value));
      }),
    );
  });

  test('bytes and text are read alike', () => {
    fc.assert(
      fc.property(json.value, spelling, (value, spell) => {
        const text = spell(value);
        expect(meaning(Buffer.from(text))).toBe(meaning(text));
      }),
    );
  });

  test('a changed text is refused, or means what JSON.parse makes of it', () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.nat({ max: 3 }),
      fc.oneof(fc.constantFrom(...'{}[]":,\\0-+.eEtfnu1 \n\t\u0000\ufeff', ''), fc.string({ maxLength: 2 })),
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        json.value,
        spelling,
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        (value, spell, edits) => {
          let text = spell(value);
          for (const [where, removed, inserted] of edits) {
            const at = where % (text.length + 1);
            text = text.slice(0, at) + inserted + text.slice(at + removed);
          }
          const strict = meaning(text);
          if (strict === null) return;
          accepted += 1;
          expect(strict).toBe(canonicalJson(JSON.parse(text)));
        },
      ),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  test('what is refused as a number is refused in every place', () => {
    const places = (number: string) => [number, `[${number}]`, `{"a":${number}}`, ` ${number} `];
    for (const number of ['-0', '1.0', '1e2', '1e400', '9007199254740992', '01', '-1', '+1', '1_0', 'NaN'])
      for (const text of places(number)) expect([text, meaning(text)]).toEqual([text, null]);
    for (const number of ['0', '7', '9007199254740991'])
      for (const text of places(number)) expect(meaning(text)).toContain(number);
  });

  test('a key that a prototype has is a key like any other', () => {
    const value = parseStrictJson('{"__proto__":{"admin":true},"constructor":1,"toString":2}');
    expect(isJsonObject(value) && Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(isJsonObject(value) && value.admin).toBe(undefined);
    expect(({} as Record<string, unknown>).admin).toBe(undefined);
  });

  test('a key that only a prototype has is not there', () => {
    const value = parseStrictJson('{}');
    expect(Object.getPrototypeOf(value)).toBe(null);
    expect(isJsonObject(value) && value.toString).toBe(undefined);
  });

  test.each(['a', '', '__proto__', 'constructor', '\u0000', '😀', 'é'])('the key %j stands once', (key) => {
    const plain = JSON.stringify(key);
    const escaped = `"${[...key]
      .flatMap((character) => character.split(''))
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')}"`;
    for (const first of [plain, escaped])
      for (const second of [plain, escaped]) expect(meaning(`{${first}:1,"other":0,${second}:1}`)).toBe(null);
    expect(meaning(`[{${plain}:1},{${plain}:1}]`)).not.toBe(null);
  });

  test('Unicode forms are kept apart', () => {
    const forms = ['é', 'e\u0301', 'Å', 'A\u030a', '\u212b', 'ﬁ', 'fi', 'a', 'а', 'ａ'];
    expect(new Set(forms.map((form) => meaning(JSON.stringify(form)))).size).toBe(forms.length);
    const object = `{${forms.map((form) => `${JSON.stringify(form)}:0`).join()}}`;
    expect(Object.keys(parseStrictJson(object) as object)).toHaveLength(forms.length);
  });

  test('every UTF-16 unit alone: surrogates and noncharacters are refused, all others are read', () => {
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      const written = `"\\u${unit.toString(16).padStart(4, '0')}"`;
      const isRefused =
        (unit >= 0xd800 && unit <= 0xdfff) || (unit >= 0xfdd0 && unit <= 0xfdef) || unit >= 0xfffe;
      if ((meaning(written) === null) !== isRefused) expect.fail(`${written} is read wrongly`);
    }
  });

  test('the noncharacters at the end of every plane are refused, raw and escaped', () => {
    for (let plane = 0; plane <= 16; plane += 1) {
      for (const end of [0xfffe, 0xffff]) {
        const character = String.fromCodePoint(plane * 0x10000 + end);
        const escaped = character
          .split('')
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16)}`)
          .join('');
        expect(meaning(`"${character}"`)).toBe(null);
        expect(meaning(`"${escaped}"`)).toBe(null);
      }
    }
  });

  test('random bytes are refused, or mean what a strict UTF-8 reader and JSON.parse make of them', () => {
    const bytes = fc.array(fc.oneof(fc.constantFrom(...Buffer.from('{}[]":,0\\é😀')), fc.nat({ max: 255 })));
    fc.assert(
      fc.property(bytes, (array) => {
        const input = Buffer.from([0x22, ...array, 0x22]);
        const strict = meaning(input);
        if (strict === null) return;
        expect(Buffer.from(input.toString()).equals(input)).toBe(true);
        expect(strict).toBe(canonicalJson(JSON.parse(input.toString())));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('limits', () => {
  test.each([
    ['ASCII', 'a', 1],
    ['two bytes', 'é', 2],
    ['three bytes', '東', 3],
    ['four bytes', '😀', 4],
  ])('a string has at most 16 KiB of UTF-8: %s', (_title, character, bytes) => {
    const most = Math.floor(MAX_STRING_BYTES / bytes);
    const fill = 'a'.repeat(MAX_STRING_BYTES - most * bytes);
    const longest = JSON.stringify(character.repeat(most) + fill);
    const longer = JSON.stringify(`${character.repeat(most)}${fill}a`);
    expect(MAX_STRING_BYTES).toBe(16_384);
    expect(meaning(longest)).toBe(longest);
    expect(meaning(longer)).toBe(null);
    expect(meaning(`{${longest}:0}`)).not.toBe(null);
    expect(meaning(`{${longer}:0}`)).toBe(null);
  });

  test('bytes are counted after escapes are read', () => {
    expect(meaning(`"${'\\u0061'.repeat(MAX_STRING_BYTES)}"`)).not.toBe(null);
    expect(meaning(`"${'\\u0061'.repeat(MAX_STRING_BYTES)}b"`)).toBe(null);
  });

  test('a reader may set another limit for strings', () => {
    expect(codeOf(() => parseStrictJson('"abcd"', { maxStringBytes: 4 }))).toBe(null);
    expect(codeOf(() => parseStrictJson('"abcde"', { maxStringBytes: 4 }))).toBe('malformed-json');
  });

  test(`a value stands at most ${MAX_DEPTH} levels deep`, () => {
    expect(meaning(nested(MAX_DEPTH, '0'))).not.toBe(null);
    expect(meaning(nested(MAX_DEPTH + 1, '0'))).toBe(null);
    expect(meaning(`${'{"a":'.repeat(MAX_DEPTH)}0${'}'.repeat(MAX_DEPTH)}`)).not.toBe(null);
    expect(meaning(`${'{"a":'.repeat(MAX_DEPTH + 1)}0${'}'.repeat(MAX_DEPTH + 1)}`)).toBe(null);
  });

  test('nesting without end is refused before the stack is full', () => {
    expect(meaning('['.repeat(1_000_000))).toBe(null);
    expect(meaning('{"a":'.repeat(1_000_000))).toBe(null);
    expect(meaning(nested(100_000))).toBe(null);
  });
});

describe('what is said of the offence', () => {
  test.each([
    ['{"a":1,"a":2}', 'duplicate key "a" at offset 10'],
    ['[1,-0]', 'numbers are plain integers from 0 to 2^53-1 at offset 3'],
    ['["\\ud800"]', 'lone surrogate at offset 1'],
    ['{"a":1}}', 'text after the value at offset 7'],
    ['\ufeff{}', 'expected a value at offset 0'],
    ['"a\nb"', 'raw control character at offset 2'],
    ['"ab', 'unfinished string at offset 3'],
  ])('%j: %s', (input, message) => {
    expect(() => parseStrictJson(input)).toThrow(new Problem('malformed-json', message));
  });

  test('a byte that is not UTF-8', () => {
    expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not valid UTF-8');
  });
});

describe('what is an object', () => {
  test.each<[JsonValue | undefined, boolean]>([
    [{}, true],
    [[], false],
    [null, false],
    ['{}', false],
    [undefined, false],
    [1, false],
  ])('%j: %s', (value, expected) => {
    expect(isJsonObject(value)).toBe(expected);
  });
});
