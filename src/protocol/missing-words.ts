/** Between the alternatives of a rule, each of which would do. */
const OR_ELSE = ', or else ';

/** So many people who are still missing, of some groups or anybody: `1 more of oncall or db`, `2 more people`. */
export function missingWords(count: number, groups: readonly string[]): string {
  const whom = groups.length > 0 ? `of ${groups.join(' or ')}` : count === 1 ? 'person' : 'people';
  return `${count} more ${whom}`;
}

/** The words of several alternatives in one. */
export const alternativeWords = (alternatives: readonly (readonly string[])[]): string =>
  alternatives.map((all) => all.join(' and ')).join(OR_ELSE);

/**
 * How many people are still missing at least, read from what a broker says is; null where that cannot be told, as with several
 * alternatives. Where anybody is asked for, those of the groups are among them.
 */
export function missingPeople(missing: readonly string[]): number | null {
  let [ofGroups, ofAnybody] = [0, 0];
  for (const words of missing) {
    const [, count = '', whom] = /^(\d{1,2}) more (of|person|people)\b/.exec(words) ?? [];
    if (words.includes(OR_ELSE)) return null;
    if (whom === undefined) continue;
    if (whom === 'of') ofGroups += Number(count);
    else ofAnybody = Math.max(ofAnybody, Number(count));
  }
  const people = Math.max(ofGroups, ofAnybody);
  return people === 0 ? null : people;
}
