import { expect, test } from 'vitest';
import { ageText, leftText, lengthText, nextTick } from '../../../components/text/clock-text.js';
import { NOW } from '../sample-requests.js';

test.each([
  [-5, '0s'],
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_599_000, '59m'],
  [3_900_000, '1h 05m'],
  [200_000_000, '2d'],
])('an age of %i ms is written %s', (age, text) => expect(ageText(age)).toBe(text));

test.each([
  [-1, '0s'],
  [200, '1s'],
  [59_000, '59s'],
  [61_000, '1m 00s'],
  [199_000, '3m 10s'],
  [7_500_000, '2h 05m'],
])('%i ms that are left are written %s', (left, text) => expect(leftText(left)).toBe(text));

test.each([
  [90, '1m 30s'],
  [1800, '30m'],
  [129_600, '1d 12h'],
  [3661, '1h 1m 1s'],
])('a length of %i seconds is written %s, to the second', (seconds, text) =>
  expect(lengthText(seconds)).toBe(text),
);

test('clocks move every ten seconds, and each second where one stands below a minute', () => {
  const at = (age: number, left: number) => [{ since: NOW - age * 1000, until: NOW + left * 1000 }];
  expect(nextTick(NOW, [])).toBe(10_000);
  expect(nextTick(NOW, at(120, 180))).toBe(10_000);
  expect(nextTick(NOW, at(30, 270))).toBe(1000);
  expect(nextTick(NOW, at(250, 50))).toBe(1000);
  expect(nextTick(NOW, at(900, -600))).toBe(10_000);
});
