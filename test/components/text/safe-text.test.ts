import * as fc from 'fast-check';
import { renderToString, Text } from 'ink';
import { createElement } from 'react';
import stringWidth from 'string-width';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ASCII_GLYPHS } from '../../../components/text/ascii-glyphs.js';
import { setRepertoire } from '../../../components/text/repertoire.js';
import { inAscii, label, type Reading, safeText } from '../../../components/text/safe-text.js';
import { atoms, textWidth } from '../../../components/text/text-width.js';
import { hostileText } from '../hostile-text.js';

const READINGS: readonly Reading[] = ['exact', 'prose'];
const show = (raw: string, reading: Reading = 'exact'): string => safeText(raw, { reading });

const CONTROL_NAMES =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US';

/** Reads the raw text back from what is shown: only possible if nothing was lost. */
function readBack(shown: string): string {
  return shown.replaceAll(/⟨([^⟩]*)⟩/gu, (_, inside: string) => {
    const [, name = '', count = '1'] = /^(U\+[0-9A-F]+|[A-Z0-9]+)(?:×(\d+))?$/.exec(inside) ?? [];
    if (name === '') return inside.slice(inside.indexOf(' ') + 1);
    if (name.startsWith('U+')) return toText(Number.parseInt(name.slice(2), 16)).repeat(Number(count));
    const code = name === 'SP' ? 0x20 : name === 'DEL' ? 0x7f : CONTROL_NAMES.split(' ').indexOf(name);
    return toText(code).repeat(Number(count));
  });
}

const toText = (code: number): string =>
  code >= 0xd800 && code <= 0xdfff ? String.fromCharCode(code) : String.fromCodePoint(code);

describe.each(READINGS)('safe text, read as %s', (reading) => {
  test('loses nothing: the raw text can be read back, so distinct texts are shown distinct (A1)', () => {
    fc.assert(
      fc.property(hostileText, (raw) => {
        expect(readBack(show(raw, reading))).toBe(raw);
      }),
      { numRuns: 2000 },
    );
  });

  test('holds nothing that hides, reorders, overwrites or moves the cursor', () => {
    fc.assert(
      fc.property(hostileText, (raw) => {
        expect(show(raw, reading)).not.toMatch(
          /[\p{C}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Variation_Selector}\p{Zl}\p{Zp}]/u,
        );
        expect(show(raw, reading)).not.toMatch(/^ | {2}| $|(?! )\p{Zs}/u);
        expect(show(raw, reading)).not.toMatch(/\p{Emoji_Presentation}/u);
      }),
      { numRuns: 2000 },
    );
  });

  test('takes as many columns as its characters do one by one, for us and for Ink', () => {
    fc.assert(
      fc.property(hostileText, (raw) => {
        const text = safeText(raw, { reading });
        const sum = atoms(text).reduce((width, atom) => width + textWidth(atom), 0);
        expect(stringWidth(text)).toBe(sum);
        const drawn = renderToString(createElement(Text, { wrap: 'truncate-end' }, `${text}|`), {
          columns: sum + 1,
        });
        expect(drawn).toBe(`${text}|`);
      }),
      { numRuns: 500 },
    );
  });
});

describe('safe text', () => {
  test.each([
    ['carriage return and escape sequence', 'ok\r\u001b[31mred', 'ok⟨CR⟩⟨ESC⟩[31mred'],
    ['backspaces', 'root\b\b\b\balice', 'root⟨BS×4⟩alice'],
    ['a C1 control', '\u009b2J', '⟨U+009B⟩2J'],
    ['a newline', 'one\ntwo', 'one⟨LF⟩two'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a⟨U+2028⟩b⟨U+2029⟩c'],
    ['a bidi override', 'user\u202etxt.exe', 'user⟨U+202E⟩txt.exe'],
    ['zero width', 'ad\u200bmin', 'ad⟨U+200B⟩min'],
    ['tag characters', 'a\u{e0041}\u{e0042}', 'a⟨U+E0041⟩⟨U+E0042⟩'],
    ['private use', '\ue000', '⟨U+E000⟩'],
    ['a noncharacter', '\ufffe', '⟨U+FFFE⟩'],
    ['a lone surrogate', 'a\ud800b', 'a⟨U+D800⟩b'],
    ['an emoji with a selector', '\u2601\ufe0f', '⟨U+2601⟩⟨U+FE0F⟩'],
    ['the mark itself', '⟨U+202E⟩', '⟨U+27E8⟩U+202E⟨U+27E9⟩'],
    ['many spaces', 'ls        -la', 'ls⟨SP×8⟩-la'],
    ['spaces at the edges', ' x ', '⟨SP⟩x⟨SP⟩'],
    ['a space that is none', 'rm\u00a0-rf', 'rm⟨U+00A0⟩-rf'],
    ['a frame', '│ approved', '⟨U+2502⟩ approved'],
  ])('marks %s', (_, raw, shown) => {
    expect(show(raw)).toBe(shown);
  });

  test('tells look-alike names apart and says why (A37)', () => {
    expect(show('w\u0435b-1')).toBe('w⟨Cyrillic \u0435⟩b-1');
    expect(show('\u0430\u0440\u0440\u04cf\u0435')).toBe('⟨Cyrillic \u0430\u0440\u0440\u04cf\u0435⟩');
    expect(show('\u0391dmin')).toBe('⟨Greek \u0391⟩dmin');
    expect(show('\uff52oot')).toBe('⟨U+FF52⟩oot');
    expect(show('a\u2044b')).toBe('a⟨U+2044⟩b');
    expect(show('web\u20111')).toBe('web⟨U+2011⟩1');
    expect(show('caf\u00e9')).not.toBe(show('cafe\u0301'));
  });

  test('leaves no two names that Unicode normalisation would make one (A37)', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (a, b) => {
        fc.pre(a !== b);
        expect(show(a).normalize('NFKC')).not.toBe(show(b).normalize('NFKC'));
      }),
    );
    expect(show('\u00e9').normalize('NFKC')).not.toBe(show('e\u0301').normalize('NFKC'));
  });

  test('shows ASCII as it is', () => {
    const plain = 'sudo systemctl restart nginx; echo "$?" <a> {b} \\n ~';
    for (const reading of READINGS) expect(show(plain, reading)).toBe(plain);
  });

  test('shows honest prose as it is, in any one script a word', () => {
    for (const reason of [
      'Störung behoben, später prüfen',
      'перезапуск nginx',
      '本番DBを再起動',
      'Tiếng Việt',
      '½ done…',
    ]) {
      expect(show(reason, 'prose')).toBe(reason);
    }
  });

  test('marks a word of prose that mixes scripts (A37)', () => {
    expect(show('login at p\u0430ypal now', 'prose')).toBe('login at p⟨Cyrillic \u0430⟩ypal now');
  });

  test('lets a letter carry two accents and marks the rest', () => {
    expect(show('e\u0301\u0302\u0303\u0303', 'prose')).toBe('e\u0301\u0302⟨U+0303×2⟩');
    expect(show('\u0301x', 'prose')).toBe('⟨U+0301⟩x');
  });

  test('is put into fixed text only as safe text or a number', () => {
    expect(label`${safeText('a\nb', { reading: 'exact' })} has ${3}`).toBe('a⟨LF⟩b has 3');
    // @ts-expect-error a raw text is no safe text
    expect(label`${'raw'}`).toBe('raw');
  });
});

describe.each(READINGS)('safe text in ASCII alone, read as %s', (reading) => {
  beforeEach(() => setRepertoire('ascii'));
  afterEach(() => setRepertoire('unicode'));

  const drawn = (raw: string): string => inAscii(safeText(raw, { reading }));
  /** `<` stands in a text for the beginning of a mark and for nothing else. */
  const readMarks = (shown: string): string =>
    shown.replaceAll(/<([^<>]*)>/g, (_, inside: string) => {
      const [, name = '', count = '1'] = /^(U\+[0-9A-F]{4,6}|[A-Z0-9]+?)(?:x(\d+))?$/.exec(inside) ?? [];
      if (name === 'LT') return '<'.repeat(Number(count));
      return readBack(`⟨${name}×${count}⟩`);
    });

  test('loses nothing: no text can imitate a mark (A1)', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.stringMatching(/^[<>LTUx+0-9 é]{0,20}$/)), (raw) => {
        expect(readMarks(drawn(raw))).toBe(raw);
      }),
      { numRuns: 2000 },
    );
  });

  test('is printable ASCII, as wide as it was measured', () => {
    fc.assert(
      fc.property(hostileText, (raw) => {
        expect(drawn(raw)).toMatch(/^[ -~]*$/);
        expect(drawn(raw)).toHaveLength(textWidth(safeText(raw, { reading })));
      }),
      { numRuns: 2000 },
    );
  });

  test('marks what cannot be shown, and the sign that begins a mark', () => {
    expect(drawn('a < b && caf\u00e9\u202e')).toBe('a <LT> b && caf<U+00E9><U+202E>');
    expect(drawn('<U+202E>')).toBe('<LT>U+202E>');
    expect(drawn('plain')).toBe('plain');
  });
});

test('each symbol of the interface has one column in ASCII too', () => {
  for (const [symbol, ascii] of Object.entries(ASCII_GLYPHS)) {
    expect(ascii).toMatch(/^[!-~]$/);
    expect([symbol, stringWidth(symbol)]).toEqual([symbol, 1]);
  }
});
