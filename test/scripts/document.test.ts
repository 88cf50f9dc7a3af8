import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/protocol/canonical.js';
import { inDoor, seeded } from './door-shell.js';

/** `json_string` of each text of bytes; null where it is refused. */
function jsonOf(texts: readonly Buffer[], limit = 1024): (string | null)[] {
  const script = `while IFS= read -r -d '' text; do
  if json_string "$text" "$1"; then printf '%s\\0' "$json"; else printf 'refused\\0'; fi
done`;
  const input = Buffer.concat(texts.flatMap((text) => [text, Buffer.from([0])]));
  const found = inDoor(script, { input, args: [String(limit)] })
    .stdout.split('\0')
    .slice(0, -1);
  return found.map((text) => (text === 'refused' ? null : Buffer.from(text, 'latin1').toString('utf8')));
}

describe('the JSON of the door', () => {
  test('every text has its canonical form: one meaning, one digest (A7)', () => {
    const random = seeded(7);
    const alphabet = [
      'a',
      '"',
      '\\',
      '/',
      '&',
      '\n',
      '\r',
      '\t',
      '\b',
      '\f',
      '\u0001',
      '\u001f',
      '\u007f',
      'é',
      '€',
      '😀',
      '\u2028',
      '\u00ad',
      '$(x)',
      '%n',
      '\ufeff',
    ];
    const texts = [
      '',
      ...alphabet,
      ...Array.from({ length: 300 }, () =>
        Array.from(
          { length: 1 + Math.floor(random() * 12) },
          () => alphabet[Math.floor(random() * alphabet.length)],
        ).join(''),
      ),
    ];
    expect(jsonOf(texts.map((text) => Buffer.from(text)))).toEqual(texts.map((text) => canonicalJson(text)));
  });

  test('bytes that are not UTF-8 are refused', () => {
    const bad = [
      'e9',
      'c080',
      'c1bf',
      'eda080',
      'edbfbf',
      'f4908080',
      'f8888080',
      'ff',
      '61c3',
      'e282',
      '80',
      'f0808080',
      'e08080',
    ];
    const good = ['c3a9', 'e282ac', 'ed9fbf', 'ee8080', 'f09f9880', 'f48fbfbf', 'e0a080', 'f0908080'];
    const found = jsonOf([...bad, ...good].map((hex) => Buffer.from(`61${hex}7a`, 'hex')));
    expect(found.slice(0, bad.length)).toEqual(bad.map(() => null));
    expect(found.slice(bad.length)).toEqual(
      good.map((hex) => JSON.stringify(Buffer.from(`61${hex}7a`, 'hex').toString('utf8'))),
    );
  });

  test('the limit counts bytes before they are escaped', () => {
    const texts = [
      'a'.repeat(1024),
      'a'.repeat(1025),
      'é'.repeat(512),
      'é'.repeat(513),
      '"'.repeat(1024),
      '\n'.repeat(1025),
    ];
    expect(jsonOf(texts.map((text) => Buffer.from(text))).map((json) => json !== null)).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  test('no two command lines have the same array (A1)', () => {
    const lists = [
      ['a b'],
      ['a', 'b'],
      ['a', '', 'b'],
      ['a', 'b', ''],
      ['"a","b"'],
      ['a,b'],
      [''],
      ['', ''],
      ['\n'],
      ['\\n'],
      ['a"', '"b'],
    ];
    const script = `while IFS= read -r -d '' count; do
  list=()
  while ((count-- > 0)); do IFS= read -r -d '' item; list+=("$item"); done
  json_array 100 "\${list[@]}" && printf '%s\\0' "$json"
done`;
    const input = lists
      .map((list) => [String(list.length), ...list].map((text) => `${text}\0`).join(''))
      .join('');
    const found = inDoor(script, { input }).stdout.split('\0').slice(0, -1);
    expect(found).toEqual(lists.map((list) => JSON.stringify(list)));
  });
});
