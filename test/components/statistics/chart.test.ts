import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bar, bucketed, sparkline } from '../../../components/statistics/chart.js';

test.each([
  [[0, 1, 2, 3, 4, 5, 6, 7, 8], ' ▁▂▃▄▅▆▇█'],
  [[1, 1000], '▁█'],
  [[0, 0], '  '],
  [[5], '█'],
  [[], ''],
])('the values %j are drawn as %s: nothing is a gap, and the least is seen', (values, drawn) => {
  expect(sparkline(values)).toBe(drawn);
});

test('a value takes as many columns as there is room for', () => {
  expect(sparkline([0, 8], 3)).toBe('   ███');
});

test.each([
  [10, 10, 4, '████'],
  [5, 10, 4, '██'],
  [1, 1000, 4, '█'],
  [0, 10, 4, ''],
  [0, 0, 4, ''],
])('%i of %i is a bar in %i columns: %s', (value, most, columns, drawn) => {
  expect(bar(value, most, columns)).toBe(drawn);
});

test('neighbours are put together until they fit, and nothing is lost', () => {
  expect(bucketed([1, 2, 3, 4, 5], 2)).toEqual([6, 9]);
  expect(bucketed([1, 2, 3], 9)).toEqual([1, 2, 3]);
  fc.assert(
    fc.property(fc.array(fc.nat(99), { minLength: 1 }), fc.integer({ min: 1, max: 80 }), (values, most) => {
      const sums = bucketed(values, most);
      expect(sums.length).toBeLessThanOrEqual(most);
      expect(sums.reduce((sum, value) => sum + value, 0)).toBe(values.reduce((sum, value) => sum + value, 0));
    }),
  );
});
