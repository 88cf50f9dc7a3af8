import { expect, test } from 'vitest';
import { isQuiet, parseQuietHours } from '../../src/client/alerts.js';

const at = (time: string): number => Date.parse(`2026-11-22T${time}Z`);

test.each([
  '',
  '22-7',
  '22:00',
  '24:00-07:00',
  '22:60-07:00',
  '07:00-07:00',
  ' 22:00-07:00',
  '22:00-07:00\n',
  '9:00-10:00',
])('%j are no quiet hours', (text) => expect(parseQuietHours(text)).toBeNull());

test('quiet hours over midnight hold from their first minute to before their last', () => {
  const hours = parseQuietHours('22:00-07:30');
  expect(hours).toEqual({ from: 1320, to: 450 });
  if (hours === null) return;
  const told = ['21:59:59', '22:00:00', '23:59:59', '00:00:00', '07:29:59', '07:30:00', '12:00:00'];
  expect(told.map((time) => isQuiet(hours, at(time), 'UTC'))).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('quiet hours within a day go by the clock of the reader', () => {
  const hours = { from: 12 * 60, to: 13 * 60 };
  expect(isQuiet(hours, at('11:30:00'), 'UTC')).toBe(false);
  expect(isQuiet(hours, at('11:30:00'), 'Europe/Berlin')).toBe(true);
  expect(isQuiet(hours, at('12:30:00'), 'Europe/Berlin')).toBe(false);
});
