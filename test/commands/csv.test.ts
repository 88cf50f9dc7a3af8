import { expect, test } from 'vitest';
import { formatCsv } from '../../src/commands/csv.js';

test('CSV quotes what RFC 4180 says, and ends each line with CRLF', () => {
  expect(
    formatCsv([
      ['a', 'b'],
      ['say "hi"', 'x,y'],
    ]),
  ).toBe('a,b\r\n"say ""hi""","x,y"\r\n');
});

test('CSV has no cell that a spreadsheet runs, whatever a requester wrote', () => {
  expect(formatCsv([['=1+1', '+1', '-1', '@a', '\t=1', '\r=1']])).toBe("'=1+1,'+1,'-1,'@a,' =1,' =1\r\n");
});

test('CSV has no formula behind a semicolon either, where some spreadsheets part cells', () => {
  expect(formatCsv([['a;=1+1', 'a;"=1', 'a; b;-c', 'a;b']])).toBe(`a;'=1+1,"a;'""=1",a; b;'-c,a;b\r\n`);
});

test('CSV keeps one row on one line, without bytes that a terminal acts on', () => {
  expect(formatCsv([['a\nb', '\u001b[31mred', '\u009bx']])).toBe('a b, [31mred, x\r\n');
});
