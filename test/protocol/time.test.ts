import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTime, parseTime } from '../../src/protocol/time.js';
import { time } from './arbitraries.js';

describe('times', () => {
  test('every second from the year 0 to 9999 is read back as it was written', () => {
    fc.assert(
      fc.property(time, (second) => {
        expect(parseTime(formatTime(second))).toBe(second);
      }),
    );
  });

  test('milliseconds are cut off, before 1970 too', () => {
    fc.assert(
      fc.property(time, fc.nat({ max: 999 }), (second, ms) => {
        expect(formatTime(second + ms)).toBe(formatTime(second));
      }),
    );
  });

  test('every date of nine years is a date of the calendar, and no other', () => {
    let days = 0;
    for (let year = 1996; year <= 2004; year += 1)
      for (let month = 0; month <= 13; month += 1)
        for (let day = 0; day <= 32; day += 1) {
          const two = (number: number): string => String(number).padStart(2, '0');
          const parsed = parseTime(`${year}-${two(month)}-${two(day)}T12:00:00Z`);
          if (parsed === null) continue;
          days += 1;
          const date = new Date(parsed);
          expect([date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]).toEqual([
            year,
            month,
            day,
          ]);
        }
    expect(days).toBe(9 * 365 + 3);
  });

  test.each([
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T23:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-01-31T23:00:00z',
    '2026-01-31t23:00:00Z',
    '2026-01-31 23:00:00Z',
    '2026-01-31T23:00:00+00:00',
    '2026-01-31T23:00:00.000Z',
    '2026-01-31T23:00:00Z\n',
    ' 2026-01-31T23:00:00Z',
    '2026-01-31T23:00:00Z + 10 years',
    '+002026-01-31T23:00:00Z',
    '-000001-01-01T00:00:00Z',
    '２026-01-31T23:00:00Z',
    'tomorrow',
    '@1769900400',
    '',
  ])('%j is no time', (text) => {
    expect(parseTime(text)).toBe(null);
  });

  test.each([undefined, null, 1769900400, {}, ['2026-01-31T23:00:00Z'], new Date(0)])(
    'what is no text is no time: %j',
    (value) => {
      expect(parseTime(value)).toBe(null);
    },
  );
});
