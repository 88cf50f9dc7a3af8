import fc from 'fast-check';
import type { JsonValue } from '../../src/protocol/strict-json.js';

type Choose = (choices: number) => number;

/** Ways of writing a JSON value: any order of keys, any space between tokens, any choice of escapes. */
export const spelling: fc.Arbitrary<(value: JsonValue) => string> = fc
  .array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 60 })
  .map((choices) => (value: JsonValue) => {
    let at = 0;
    return spell(value, (count) => (choices[at++ % choices.length] ?? 0) % count);
  });

function spell(value: JsonValue, choose: Choose): string {
  const space = (): string => ['', '', ' ', '\n', '\r\n\t'][choose(5)] ?? '';
  const list = (open: string, items: readonly string[], close: string): string =>
    `${space()}${open}${space()}${items.join(`${space()},${space()}`)}${space()}${close}${space()}`;
  if (typeof value === 'string') return spellString(value, choose);
  if (Array.isArray(value))
    return list(
      '[',
      value.map((item) => spell(item, choose)),
      ']',
    );
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${spellString(key, choose)}${space()}:${space()}${spell(item, choose)}`,
  );
  const turn = members.length === 0 ? 0 : choose(members.length);
  return list('{', [...members.slice(turn), ...members.slice(0, turn)].reverse(), '}');
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function spellString(text: string, choose: Choose): string {
  const characters = [...text].map((character) => {
    const hex = (upper: boolean): string =>
      character
        .split('')
        .map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'))
        .map((digits) => `\\u${upper ? digits.toUpperCase() : digits}`)
        .join('');
    const ways = [hex(false), hex(true)];
    const short = SHORT[character];
    if (short !== undefined) ways.push(short);
    if (character >= ' ' && character !== '"' && character !== '\\') ways.push(character, character);
    return ways[choose(ways.length)];
  });
  return `"${characters.join('')}"`;
}
