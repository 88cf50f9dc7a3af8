import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween, PersistentMap } from '../../src/client/persistent-map.js';

/** Few keys, so that edits meet; several of one part among them, which end alike. */
const key = fc.constantFrom<string>(
  'a',
  'b',
  'c',
  'sha256:0000001',
  'sha512:0000001',
  'x0000001',
  '',
  '\u{1F512}',
);
const edits = fc.array(fc.tuple(key, fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined })));
const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

test('is to whoever reads it the map that a Map becomes by the same edits, and stays as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.integer())), fc.array(edits), (start, steps) => {
      const plain = new Map(start);
      let map = PersistentMap.of(start);
      for (const step of steps) {
        const [before, seen] = [map, sorted(map)];
        map = map.with(new Map(step));
        for (const [name, value] of new Map(step)) {
          if (value === undefined) plain.delete(name);
          else plain.set(name, value);
        }
        expect(sorted(before)).toEqual(seen);
      }
      expect(sorted(map)).toEqual(sorted(plain));
      expect(map.size).toBe(plain.size);
      expect([...map.keys()].sort()).toEqual([...plain.keys()].sort());
      expect([...map.values()].sort()).toEqual([...plain.values()].sort());
      for (const name of [...plain.keys(), 'not there']) {
        expect([map.get(name), map.has(name)]).toEqual([plain.get(name), plain.has(name)]);
      }
      const met: [string, number][] = [];
      map.forEach((value, name) => {
        met.push([name, value]);
      });
      expect(met).toEqual([...map]);
    }),
  );
});

test('two of them differ in what two Maps with the same entries differ in', () => {
  fc.assert(
    fc.property(edits, edits, (some, others) => {
      const before = PersistentMap.of<string, number>([]).with(new Map(some));
      const after = before.with(new Map(others));
      const changes = changesBetween(before, after);
      expect(changes).toEqual(changesBetween(new Map(before), new Map(after)));
      expect(changes.map(({ key: name }) => name)).toEqual(changes.map(({ key: name }) => name).sort());
      const replayed = before.with(new Map(changes.map(({ key: name, after: value }) => [name, value])));
      expect(sorted(replayed)).toEqual(sorted(after));
    }),
  );
});

test('without edits it is the same map, and what was not edited is not looked at again', () => {
  const map = PersistentMap.of([
    ['a', {}],
    ['b', {}],
  ] as const);
  expect(map.with(new Map())).toBe(map);
  expect(changesBetween(map, map)).toEqual([]);
  const other = {};
  expect(changesBetween(map, map.with(new Map([['a', other]])))).toEqual([
    { key: 'a', before: map.get('a'), after: other },
  ]);
});
