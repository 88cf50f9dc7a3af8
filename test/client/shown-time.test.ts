import { describe, expect, test } from 'vitest';
import { localZone, relativeTime, shownTime, zonedTime } from '../../src/client/shown-time.js';

const at = (text: string): number => Date.parse(text);

describe('a time for a reader', () => {
  test.each([
    ['2026-11-22T04:10:33Z', 'Europe/Berlin', '2026-11-22 05:10:33 CET'],
    ['2026-07-22T04:10:33Z', 'Europe/Berlin', '2026-07-22 06:10:33 CEST'],
    ['2026-07-22T04:10:33Z', 'Europe/London', '2026-07-22 05:10:33 BST'],
    ['2026-11-22T04:10:33Z', 'America/New_York', '2026-11-21 23:10:33 EST'],
    ['2026-11-22T04:10:33Z', 'Asia/Kolkata', '2026-11-22 09:40:33 +05:30'],
    ['2026-11-22T04:10:33Z', 'America/Sao_Paulo', '2026-11-22 01:10:33 -03:00'],
    ['2026-11-22T23:30:00Z', 'Asia/Kathmandu', '2026-11-23 05:15:00 +05:45'],
    ['2026-12-31T23:59:59Z', 'Asia/Tokyo', '2027-01-01 08:59:59 +09:00'],
    ['2026-11-22T00:00:00Z', 'Europe/London', '2026-11-22 00:00:00 GMT'],
  ])('%s in %s is %s', (time, zone, shown) => {
    expect(zonedTime(at(time), zone)).toBe(shown);
  });

  test('in UTC is written as it is signed', () => {
    expect(zonedTime(at('2026-11-22T04:10:33Z') + 999, 'UTC')).toBe('2026-11-22T04:10:33Z');
  });

  test('names the zone, so that the hour which comes twice is not the same time twice', () => {
    expect(zonedTime(at('2026-10-25T00:30:00Z'), 'Europe/Berlin')).toBe('2026-10-25 02:30:00 CEST');
    expect(zonedTime(at('2026-10-25T01:30:00Z'), 'Europe/Berlin')).toBe('2026-10-25 02:30:00 CET');
  });

  test('jumps over the hour that does not come', () => {
    expect(zonedTime(at('2026-03-29T00:59:59Z'), 'Europe/Berlin')).toBe('2026-03-29 01:59:59 CET');
    expect(zonedTime(at('2026-03-29T01:00:00Z'), 'Europe/Berlin')).toBe('2026-03-29 03:00:00 CEST');
  });

  test.each([
    [0, 'now'],
    [999, 'now'],
    [-999, 'now'],
    [1000, '1s ago'],
    [125_000, '2m ago'],
    [-240_000, 'in 4m'],
    [3 * 3_600_000, '3h ago'],
    [-3 * 86_400_000, 'in 3d'],
  ])('%i ms before now is %s', (age, words) => {
    expect(relativeTime(10_000_000_000 - age, 10_000_000_000)).toBe(words);
  });

  test('carries its age', () => {
    const now = at('2026-11-22T04:12:40Z');
    expect(shownTime(at('2026-11-22T04:10:33Z'), { zone: 'Europe/Berlin', now })).toBe(
      '2026-11-22 05:10:33 CET (2m ago)',
    );
  });
});

test('the zone of this machine is one that times can be shown in', () => {
  expect(zonedTime(0, localZone())).toMatch(/^19(?:70|69)-/);
});
