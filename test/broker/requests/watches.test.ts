import { expect, test } from 'vitest';
import { Watches } from '../../../broker/requests/watches.js';
import type { RequestId } from '../../../src/protocol/names.js';

const [ONE, TWO] = ['01KB2X6C9V4T7M3N8QZ5R0EWHD', '01KB2X6C9V4T7M3N8QZ5R0EWHE'] as RequestId[] as [
  RequestId,
  RequestId,
];

test('tells what doors watch, the newest first, and forgets whoever does not come back in ten seconds', () => {
  const watches = new Watches();
  watches.enter(ONE);
  watches.enter(TWO);
  watches.enter(TWO);
  expect(watches.current(0)).toEqual([TWO, ONE]);
  watches.leave(TWO, 1000);
  watches.leave(ONE, 1000);
  watches.tick(10_999);
  expect(watches.current(10_999)).toEqual([TWO, ONE]);
  watches.tick(11_000);
  expect(watches.current(11_000)).toEqual([TWO]);
});

test('a door that asks again at once watches without a gap', () => {
  const watches = new Watches();
  for (let second = 0; second < 100; second += 50) {
    watches.enter(ONE);
    watches.leave(ONE, second * 1000);
    expect(watches.current(second * 1000 + 9000)).toEqual([ONE]);
  }
  watches.leave(TWO, 0);
  expect(watches.current(60_000)).toEqual([]);
});
