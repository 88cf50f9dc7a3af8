import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chatLine, plainLine } from '../../../broker/webhooks/plain-line.js';

const LIMIT = 10_000;

describe('a plain line', () => {
  test.each([
    ['INC-4312 restart nginx', 'INC-4312 restart nginx'],
    ['Zähler prüfen, größer als 3', 'Zähler prüfen, größer als 3'],
    ['сервер перезапустить', 'сервер перезапустить'],
    ['サーバー再起動', 'サーバー再起動'],
    ['two\nlines\r\nand a tab\t', 'two⟨U+000A⟩lines⟨U+000D⟩⟨U+000A⟩and a tab⟨U+0009⟩'],
    ['\u001b[31mred\u001b[0m', '⟨U+001B⟩[31mred⟨U+001B⟩[0m'],
    ['safe\u202eevil', 'safe⟨U+202E⟩evil'],
    ['zero\u200bwidth\u2060', 'zero⟨U+200B⟩width⟨U+2060⟩'],
    ['p\u0430ypal', 'p⟨U+0430⟩ypal'],
    ['ｆｕｌｌ', '⟨U+FF46⟩⟨U+FF55⟩⟨U+FF4C⟩⟨U+FF4C⟩'],
    ['\u115f\u3164', '⟨U+115F⟩⟨U+3164⟩'],
    ['שלום', '⟨U+05E9⟩⟨U+05DC⟩⟨U+05D5⟩⟨U+05DD⟩'],
    ['\ud800 lone', '⟨U+D800⟩ lone'],
    ['\u{e0041}tag', '⟨U+E0041⟩tag'],
    ['a  b ', 'a ⟨U+0020⟩b '],
    ['⟨LF⟩', '⟨U+27E8⟩LF⟨U+27E9⟩'],
  ])('of %j is %j', (raw, shown) => {
    expect(plainLine(raw, LIMIT)).toBe(shown);
  });

  test('is cut visibly, and never within what is written out', () => {
    expect(plainLine('abcdef', 6)).toBe('abcdef');
    expect(plainLine('abcdefg', 6)).toBe('abcde…');
    expect(plainLine('abc\u202efg', 10)).toBe('abc…');
  });

  test('has no character that hides, reorders or ends it, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        const line = plainLine(raw, LIMIT);
        expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{M}]/u);
        expect([...plainLine(raw, 20)].length).toBeLessThanOrEqual(20);
      }),
      { numRuns: 40 },
    );
  });
});

/** What chats, issue trackers and mail clients make something of, each with what must not be left of it. */
const HOSTILE: readonly (readonly [string, RegExp])[] = [
  ['*bold* _it_ ~gone~ `code` ```block```', /[*_~`]/],
  ['||spoiler|| $math$ ^up^ \\*', /[|$^\\]/],
  ['<!channel> <@U012AB3CD> <#C024BE7LR> <https://evil.example|harmless>', /[<>#@|]\w|:\/|[<>]/],
  ['<b>html</b> <script>alert(1)</script> &lt;b&gt; &#64;here', /[<>&]/],
  ['@everyone @here @channel @alice', /@\w/],
  ['＠everyone', /＠/],
  ['<@&1234> <@!1234> <t:1618953630:R>', /[<>&]/],
  ['see #123, org/repo#45, GH-26 and gh-7', /#\d|GH-\d/i],
  ['![picture](https://evil.example/p.png) [text](http://evil.example) [ref][1]', /[[\]]|:\/\//],
  ['https://evil.example/x?a=b HTTP://EVIL.EXAMPLE ftp://h', /:\/\//],
  ['evil.com www.evil.com sudo.run web-1.example.com a.b.c', /[\p{L}\p{N}]\.[\p{L}\p{N}]/u],
  ['evil\u3002com evil．com evil｡com', /[\u3002\uff0e\uff61]/],
  ['пример.рф 例え.jp', /[\p{L}\p{N}]\.[\p{L}\p{N}]/u],
  ['someone@evil.com mailto:someone@evil.com', /@\w|mailto:\w/],
  ['javascript:alert(1) slack://open data:text/html,x tel:+1', /:[\w/+]/],
  [':skull: :+1: :white_check_mark:', /:[\w+-]+:/],
  ['/giphy cat /etc/passwd', /(?:^|\s)\/\w/],
  ['//evil.example/x', /\/\//],
  ['{color:red}red{color} {{injected}} ${x} %{y}', /[{}$]/],
  ['# heading\n> quote\n- item\n1. item\n\n---\n', /\n|^#|>/],
  ['203.0.113.9:8080 [::1]:80', /\d\.\d|[[\]]/],
];

describe('A38: a line for chats', () => {
  test.each(HOSTILE)('makes nothing of %j', (raw, active) => {
    expect(raw).toMatch(active);
    expect(chatLine(raw, LIMIT)).not.toMatch(active);
  });

  test('reads as a sentence where it is one, and shows what it has defused', () => {
    expect(chatLine('INC-4312: restart nginx, then look. Both (see runbook)!', LIMIT)).toBe(
      'INC-4312: restart nginx, then look. Both (see runbook)!',
    );
    expect(chatLine('web-1.example.com', LIMIT)).toBe('web-1⟨.⟩example⟨.⟩com');
    expect(chatLine('prod/db', LIMIT)).toBe('prod/db');
    expect(chatLine('*now*', LIMIT)).toBe('⟨U+002A⟩now⟨U+002A⟩');
  });

  test('has nothing active, whatever it is made of', () => {
    const letters = [...'ab1GH-.:/@#*_~`|<>[]\\&${}^ \n\u3002＠'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...letters)), (characters) => {
        const line = `Asked: ${chatLine(characters.join(''), LIMIT)}`;
        expect(line).not.toMatch(/[*_~`|<>[\]\\&${}^\n\u3002＠]/u);
        expect(line).not.toMatch(/[@#]\w|\w\.\w|:[^ ⟩]|(?:^|[^\w])\/\w|GH-\d/i);
      }),
    );
  });

  test('is short however long the text is', () => {
    expect([...chatLine('*'.repeat(1_000_000), 150)].length).toBeLessThanOrEqual(150);
  });
});
