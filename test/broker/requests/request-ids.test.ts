import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { requestIds } from '../../../broker/requests/request-ids.js';
import { isRequestId } from '../../../src/protocol/names.js';
import { NOON } from './world.js';

test('ids are ULIDs that rise, also within one millisecond and when the clock goes back', () => {
  let now = NOON;
  const next = requestIds(() => now, randomBytes);
  const ids: string[] = [];
  for (const step of [0, 0, 1, 0, -3_600_000, 0, 1000, 7_200_000]) {
    now += step;
    for (let count = 0; count < 200; count += 1) ids.push(next());
  }
  expect(ids.every(isRequestId)).toBe(true);
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
});

test('two brokers of one moment make different ids', () => {
  const ids = Array.from({ length: 100 }, () => requestIds(() => NOON, randomBytes)());
  expect(new Set(ids).size).toBe(100);
});
