import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOneAway, lookAlike, shapeOf } from '../../../broker/requests/look-alike.js';
import * as arbitrary from '../../protocol/arbitraries.js';
import { name, PEOPLE, person } from './world.js';

const roster = [...Object.values(PEOPLE), person('marnie', ['marnie-smith@example.com'])];
const taken = (requester: string) => lookAlike(name(requester), null, roster);

/** How many single changes lead from one text to the other, two neighbours that change places being one of them. */
function distance(one: string, other: string): number {
  const rows = Array.from({ length: one.length + 1 }, (_, at) => [
    at,
    ...Array<number>(other.length).fill(0),
  ]);
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let j = 0; j <= other.length; j += 1) (rows[0] ?? [])[j] = j;
  for (let i = 1; i <= one.length; i += 1) {
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      (rows[i] ?? [])[j] = Math.min(
        cell(i - 1, j) + 1,
        cell(i, j - 1) + 1,
        cell(i - 1, j - 1) + (isSame ? 0 : 1),
        isSwapped ? cell(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return cell(one.length, other.length);
}

describe('a requester that could be taken for somebody (A1)', () => {
  test.each([
    ['a1ice', 'alice', 'looks'],
    ['b0b', 'bob', 'looks'],
    ['mamie', 'marnie', 'looks'],
    ['rnarnie', 'marnie', 'looks'],
    ['alice_admin', 'alice-admin', 'looks'],
    ['alice@examp1e.com', 'alice@example.com', 'looks'],
    ['marnie_srnith@example.com', 'marnie-smith@example.com', 'looks'],
    ['clave', 'dave', 'looks'],
    ['alicee', 'alice', 'one-away'],
    ['alic', 'alice', 'one-away'],
    ['alcie', 'alice', 'one-away'],
    ['carul', 'carol', 'one-away'],
  ])('%s looks like %s', (requester, other, by) => {
    expect(taken(requester)).toEqual({ name: other, by });
  });

  test.each(['erin', 'deploy', 'bub', 'ob', 'alicia', 'alice@evil.example'])(
    '%s looks like nobody',
    (requester) => {
      expect(taken(requester)).toBeNull();
    },
  );

  test('nobody looks like himself, by any of his names', () => {
    for (const own of [PEOPLE.alice.name, ...PEOPLE.alice.aliases]) {
      expect(lookAlike(own, PEOPLE.alice, roster)).toBeNull();
    }
  });

  test('whoever is enrolled under a name that looks like another one is told, and not whoever is one character away', () => {
    const twins = [...roster, person('a1ice', []), person('carla', []), person('carlo', [])];
    expect(lookAlike(name('a1ice'), person('a1ice', []), twins)).toEqual({ name: 'alice', by: 'looks' });
    expect(lookAlike(name('carlo'), person('carlo', []), twins)).toBeNull();
  });

  test('one away is what the distance says, for names that are long enough, both ways', () => {
    const near = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 7 });
    fc.assert(
      fc.property(near, near, (one, other) => {
        const isLong = Math.min(one.length, other.length) >= 4;
        expect(isOneAway(one, other)).toBe(isLong && distance(one, other) === 1);
        expect(isOneAway(other, one)).toBe(isOneAway(one, other));
      }),
      { numRuns: 2000 },
    );
  });

  test('what is drawn alike has the same shape, wherever it stands', () => {
    const pair = fc.constantFrom(['0', 'o'], ['1', 'l'], ['_', '-'], ['.', '-'], ['rn', 'm'], ['vv', 'w']);
    // What stands around it must not make another pair with it.
    const around = arbitrary.name.filter((text) => !/[rnvcl1i]/.test(text));
    fc.assert(
      fc.property(around, pair, around, (before, [one, other], behind) => {
        expect(shapeOf(before + one + behind)).toBe(shapeOf(before + other + behind));
      }),
    );
  });
});
