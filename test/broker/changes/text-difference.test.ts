import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDifference, differenceOf } from '../../../broker/changes/text-difference.js';

describe('the difference of two texts', () => {
  test('is shown as diff -u shows it, with three lines around it', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\n';
    const after = before.replace('b', 'B').replace('l\n', '').replace('m', 'm\nn');
    expect(differenceOf(before, after)).toEqual([
      '@@ -1,5 +1,5 @@',
      ' a',
      '-b',
      '+B',
      ' c',
      ' d',
      ' e',
      '@@ -9,6 +9,6 @@',
      ' i',
      ' j',
      ' k',
      '-l',
      ' m',
      '+n',
      ' ',
    ]);
  });

  test('is nothing for equal texts', () => expect(differenceOf('a\n', 'a\n')).toEqual([]));

  test('shows a carriage return and a newline at the end that come or go', () => {
    expect(differenceOf('a\n', 'a\r\n')).toEqual(['@@ -1,2 +1,2 @@', '-a', '+a\r', ' ']);
    expect(differenceOf('a\n', 'a')).toEqual(['@@ -1,2 +1,1 @@', ' a', '-']);
  });

  const text = fc
    .array(fc.constantFrom('', 'a', 'b', 'c', '-a', '+b', ' c', '@@ -1,1 +1,1 @@'), { maxLength: 40 })
    .map((lines) => lines.join('\n'));

  test('makes exactly the new text out of the old one, and names no more lines than there are', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const difference = differenceOf(before, after);
        expect(applyDifference(before, difference)).toBe(after);
        expect(differenceOf(before, before)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('of two long texts with nothing in common replaces all of it', () => {
    const lines = (word: string) => Array.from({ length: 3000 }, (_, at) => `${word} ${at}`).join('\n');
    const difference = differenceOf(lines('old'), lines('new'));
    expect(difference).toHaveLength(6001);
    expect(applyDifference(lines('old'), difference)).toBe(lines('new'));
  });

  test('is not applied to another text than that it was made from', () => {
    const difference = differenceOf('a\nb\nc', 'a\nx\nc');
    expect(() => applyDifference('a\nB\nc', difference)).toThrow('changed since this was asked');
  });
});
