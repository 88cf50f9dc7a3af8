import { describe, expect, test } from 'vitest';
import { isMatchedNumber, readTypedNumber, spacedNumber } from '../../src/protocol/matched-number.js';

describe('a number to match', () => {
  test.each(['123456', '000000', '012345'])('%s is one', (text) => {
    expect(isMatchedNumber(text)).toBe(true);
    expect(readTypedNumber(text)).toBe(text);
  });

  test.each([
    '',
    '12345',
    '1234567',
    '+12345',
    '-12345',
    '12345x',
    '1e4567',
    '٠١٢٣٤٥',
    '０１２３４５',
    '12.456',
  ])('%j is none', (text) => {
    expect(isMatchedNumber(text)).toBe(false);
    expect(readTypedNumber(text)).toBeNull();
  });

  test('is written and read with spaces', () => {
    const number = readTypedNumber(' 012\u00a0345\n');
    expect(number).toBe('012345');
    expect(number === null ? '' : spacedNumber(number)).toBe('012 345');
    expect(isMatchedNumber('012 345')).toBe(false);
  });
});
