/** So many people of one group. */
export interface RequiredGroup {
  readonly group: string;
  readonly count: number;
}

/** Who must sign: so many people, and among them so many of which groups. A person fills one place. */
export interface Quorum {
  /** How many people, at least 1. */
  readonly people: number;
  /** At most {@link MAX_QUORUM_GROUPS}, each once, each count at least 1. */
  readonly groups: readonly RequiredGroup[];
}

/** Some groups, or everybody, have fewer people among those who signed than the quorum has places for them. */
export interface Shortage {
  /** Somebody of any of these; empty for anybody. */
  readonly groups: readonly string[];
  readonly have: number;
  readonly need: number;
}

/** All subsets of the groups are tried. */
export const MAX_QUORUM_GROUPS = 4;
/** `group:` and the name of a group have at most 128 characters. */
export const MAX_GROUP_CHARS = 122;
/** Most people that a quorum can ask for, in all and of one group. */
export const MAX_PLACES = 99;

/**
 * Says what these people lack; nothing if they are enough. A person fills one place: by Hall's theorem there is a person
 * for each place if, for every set of the groups, as many people are in at least one of them as the set has places. So a
 * quorum is never lost by one more signature, and the order of signatures does not matter.
 *
 * @param people each once
 * @param spare how many more are needed everywhere: 1 where any single one of them may not count
 */
export function shortages<Person>(
  { people: places, groups }: Quorum,
  people: readonly Person[],
  isMember: (person: Person, group: string) => boolean,
  spare: number,
): readonly Shortage[] {
  const found: Shortage[] = [];
  if (people.length < places + spare) found.push({ groups: [], have: people.length, need: places + spare });
  for (let subset = 1; subset < 1 << groups.length; subset += 1) {
    const set = groups.filter((_, index) => (subset >> index) & 1);
    const need = set.reduce((sum, { count }) => sum + count, spare);
    const have = people.filter((person) => set.some(({ group }) => isMember(person, group))).length;
    if (have < need) found.push({ groups: set.map(({ group }) => group), have, need });
  }
  return found;
}
