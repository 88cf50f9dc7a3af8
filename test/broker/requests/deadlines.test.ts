import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines } from '../../../broker/requests/deadlines.js';

test('nothing is due before its time, and all of it within a second after', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 13_000 }), (at, now) => {
      const deadlines = new Deadlines<string>();
      deadlines.set('a', at);
      const isDue = deadlines.take(now).length > 0;
      if (now < at) expect(isDue).toBe(false);
      if (now >= at + 1000) expect(isDue).toBe(true);
    }),
  );
});

test('what is due at a full second is due in it', () => {
  const deadlines = new Deadlines<string>();
  deadlines.set('a', 5000);
  expect([deadlines.take(4999), deadlines.take(5000), deadlines.take(5000)]).toEqual([[], ['a'], []]);
});

test('whatever is set, moved and forgotten: each is taken once, as a plain map would tell', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.tuple(fc.constant('set' as const), key, fc.option(fc.integer({ min: 0, max: 60_000 }))),
    fc.tuple(fc.constant('take' as const), key, fc.integer({ min: 0, max: 60_000 })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const deadlines = new Deadlines<string>();
      const model = new Map<string, number>();
      for (const [what, who, at] of steps) {
        if (what === 'take') {
          const due = [...model]
            .filter(([, time]) => Math.ceil(time / 1000) * 1000 <= at)
            .map(([name]) => name);
          expect(deadlines.take(at).sort()).toEqual(due.sort());
          for (const name of due) model.delete(name);
        } else {
          deadlines.set(who, at);
          if (at === null) model.delete(who);
          else model.set(who, at);
        }
      }
      expect(deadlines.take(Number.MAX_SAFE_INTEGER).sort()).toEqual([...model.keys()].sort());
      expect(deadlines.take(Number.MAX_SAFE_INTEGER)).toEqual([]);
    }),
  );
});
