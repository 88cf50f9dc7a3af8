import type { Name } from '../../src/protocol/names.js';
import type { Person } from '../../src/protocol/roster-messages.js';

/** In shorter names one character makes too much of a difference. */
const SHORTEST_NEAR = 4;

/** What nearly the same strokes are drawn for, among the characters of a name. */
const SAME_CHARACTERS: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'l',
  i: 'l',
  '5': 's',
  '2': 'z',
  '8': 'b',
  '9': 'g',
  q: 'g',
  _: '-',
  '.': '-',
};
const SAME_PAIRS: readonly (readonly [string, string])[] = [
  ['rn', 'm'],
  ['vv', 'w'],
  ['cl', 'd'],
];

/** A name in the roster that a requester could be taken for. */
export interface LookAlike {
  readonly name: Name;
  readonly by: 'looks' | 'one-away';
}

/**
 * Whom a requester could be taken for in the roster: a name or alias of somebody else that looks the same, or is one character
 * away; null for nobody. A name that is in the roster itself was given by a signed change, so that it may be near another one.
 *
 * @param own the person behind the requester; null for nobody
 */
export function lookAlike(requester: Name, own: Person | null, roster: Iterable<Person>): LookAlike | null {
  const shape = shapeOf(requester);
  let near: Name | null = null;
  for (const person of roster) {
    if (person.name === own?.name) continue;
    for (const name of [person.name, ...person.aliases]) {
      if (shapeOf(name) === shape) return { name, by: 'looks' };
      if (own === null && near === null && isOneAway(requester, name)) near = name;
    }
  }
  return near === null ? null : { name: near, by: 'one-away' };
}

/** The same for names that look the same. */
export function shapeOf(name: string): string {
  const characters = [...name].map((character) => SAME_CHARACTERS[character] ?? character).join('');
  return SAME_PAIRS.reduce((shape, [pair, one]) => shape.replaceAll(pair, one), characters);
}

/** Whether one becomes the other by one character more, less or in place of another, or by two neighbours that change places. */
export function isOneAway(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  if (short.length < SHORTEST_NEAR || long.length - short.length > 1 || short === long) return false;
  let start = 0;
  while (start < short.length && short[start] === long[start]) start += 1;
  if (long.length > short.length) return short.slice(start) === long.slice(start + 1);
  if (short.slice(start + 1) === long.slice(start + 1)) return true;
  return (
    short[start] === long[start + 1] &&
    short[start + 1] === long[start] &&
    short.slice(start + 2) === long.slice(start + 2)
  );
}
