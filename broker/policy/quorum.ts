import { alternativeWords, missingWords } from '../../src/protocol/missing-words.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type Quorum, type Shortage, shortages } from '../../src/protocol/quorum.js';
import type { Person } from '../../src/protocol/roster-messages.js';
import type { Rule } from '../../src/protocol/rule.js';
import type { Vote } from '../requests/request.js';
import type { Principals } from '../roster/principals.js';

/** What the votes amount to under a rule. */
export interface Evaluation {
  readonly satisfied: boolean;
  /** What is still asked for and who could give it, in words. */
  readonly missing: readonly string[];
  /** Approvers whose vote no longer counts. */
  readonly dropped: readonly Name[];
  /** Those whose vote counts, each with the groups of the rule that they are in, and who says so. */
  readonly counted: Counted;
}

/** NAME, then group and who says that this person is in it: `roster`, or the program that a policy file names. */
export type Counted = Readonly<Record<Name, Readonly<Record<string, string>>>>;

/** Most names that are listed; more of them are counted. */
const MAX_LISTED = 5;

/**
 * Counts the votes of a request: each person once, nobody for himself, in any order. Groups are those of this moment.
 *
 * A requester who is not exactly one person of the roster may be any of those who signed, so that they must be enough
 * without any single one of them, unless the rule says otherwise.
 */
export function evaluate(
  rule: Rule,
  requester: Name,
  votes: readonly Vote[],
  principals: Principals,
): Evaluation {
  const dropped: Name[] = [];
  const counted = new Set<Person>();
  for (const { approver, verdict } of votes) {
    if (verdict !== 'approve') continue;
    const person = principals.approver(approver);
    if (person === null || objection(rule, requester, person, principals) !== null) dropped.push(approver);
    else counted.add(person);
  }
  const signed = [...counted];
  const found = { dropped, counted: countedOf(rule, signed, principals) };
  if (rule.approvals === 'automatic') return { ...found, satisfied: true, missing: [] };
  const isMember = (person: Person, group: string): boolean => principals.isMember(person, group);
  const isShared = principals.personBehind(requester) === null;
  if (isShared && rule.sharedRequester === 'refuse') {
    return { ...found, satisfied: false, missing: [`${requester} must be a person of the roster`] };
  }
  const spare = isShared && rule.sharedRequester === 'one-more' ? 1 : 0;
  const lacking = rule.approvals.map((quorum) => shortages(quorum, signed, isMember, spare));
  if (lacking.some(({ length }) => length === 0)) return { ...found, satisfied: true, missing: [] };
  const others = [...principals.people].filter(
    (person) => !counted.has(person) && principals.personBehind(requester) !== person,
  );
  const wanted = lacking.map((lack) =>
    narrowest(lack).map((shortage) => inWords(shortage, others, isMember)),
  );
  const missing = wanted.length === 1 ? (wanted[0] ?? []) : [alternativeWords(wanted)];
  return { ...found, satisfied: false, missing };
}

const countedOf = (rule: Rule, people: readonly Person[], principals: Principals): Counted =>
  Object.fromEntries(people.map(({ name }) => [name, groupsOf(rule, name, principals)]));

/** @throws Problem `self-approval`, `not-an-approver` where this person's yes could not count. */
export function checkApprover(rule: Rule, requester: Name, approver: Name, principals: Principals): void {
  const person = principals.approver(approver);
  if (person === null) throw new Problem('not-an-approver', `${approver} is not in the roster`);
  const problem = objection(rule, requester, person, principals);
  if (problem !== null) throw problem;
}

/** The groups of a rule that somebody is in now, and who says so. */
export function groupsOf(
  { approvals }: Rule,
  approver: Name,
  principals: Principals,
): Readonly<Record<string, string>> {
  if (approvals === 'automatic') return {};
  const named = approvals.flatMap(({ groups }) => groups.map(({ group }) => group));
  return groupsAmong(named, approver, principals);
}

/** Which of these groups somebody is in now, and who says so. */
export function groupsAmong(
  named: readonly string[],
  approver: Name,
  principals: Principals,
): Readonly<Record<string, string>> {
  const person = principals.approver(approver);
  if (person === null) return {};
  const own = named.filter((group) => principals.isMember(person, group));
  return Object.fromEntries(own.map((group) => [group, principals.sourceOf(group)]));
}

/** Whether this person's yes could ever count. */
export const couldApprove = (rule: Rule, requester: Name, person: Person, principals: Principals): boolean =>
  objection(rule, requester, person, principals) === null;

/** Whether this person's yes would bring a request on that has these votes. */
export function couldHelp(
  rule: Rule,
  requester: Name,
  votes: readonly Vote[],
  person: Person,
  principals: Principals,
): boolean {
  if (votes.some(({ approver }) => approver === person.name)) return false;
  if (!couldApprove(rule, requester, person, principals)) return false;
  const { approvals } = rule;
  if (approvals === 'automatic') return false;
  const signed = votes
    .filter(({ verdict }) => verdict === 'approve')
    .flatMap(({ approver }) => principals.approver(approver) ?? [])
    .filter((other) => couldApprove(rule, requester, other, principals));
  const isMember = (who: Person, group: string): boolean => principals.isMember(who, group);
  const spare = principals.personBehind(requester) === null && rule.sharedRequester === 'one-more' ? 1 : 0;
  // How many more it takes at least: Hall's theorem, in its form with a deficiency.
  const lacking = (people: readonly Person[]): readonly number[] =>
    approvals.map((quorum) =>
      Math.max(0, ...shortages(quorum, people, isMember, spare).map(({ have, need }) => need - have)),
    );
  const before = lacking(signed);
  return lacking([...signed, person]).some((count, index) => count < (before[index] ?? 0));
}

/** Whether somebody who is in none of the groups fills a place: the rule asks for more people than its groups do. */
export const isOpenToAnybody = ({ people, groups }: Quorum): boolean =>
  groups.reduce((sum, { count }) => sum + count, 0) < people;

/** Why this person's yes could not count, null if it can. */
function objection(rule: Rule, requester: Name, person: Person, principals: Principals): Problem | null {
  if (principals.personBehind(requester) === person) {
    return new Problem('self-approval', `${requester} is ${person.name}: nobody approves for himself`);
  }
  if (rule.approvals === 'automatic') return null;
  const fills = (quorum: Quorum): boolean =>
    isOpenToAnybody(quorum) || quorum.groups.some(({ group }) => principals.isMember(person, group));
  if (rule.approvals.some(fills)) return null;
  return new Problem('not-an-approver', `${person.name} is in none of the groups that the rule asks for`, {
    hint: 'somebody of those groups must sign: countersign show ID says who',
  });
}

/** Those that are not only the sum of others. */
function narrowest(found: readonly Shortage[]): readonly Shortage[] {
  const groups = found.filter(
    (one) => one.groups.length > 0 && !found.some((other) => isWithin(other.groups, one.groups)),
  );
  const anybody = found.find((one) => one.groups.length === 0);
  const wanted = groups.reduce((sum, { have, need }) => sum + need - have, 0);
  return anybody === undefined || anybody.need - anybody.have <= wanted ? groups : [...groups, anybody];
}

const isWithin = (inner: readonly string[], outer: readonly string[]): boolean =>
  inner.length > 0 && inner.length < outer.length && inner.every((group) => outer.includes(group));

function inWords(
  { groups, have, need }: Shortage,
  others: readonly Person[],
  isMember: (person: Person, group: string) => boolean,
): string {
  const able = others.filter(
    (person) => groups.length === 0 || groups.some((group) => isMember(person, group)),
  );
  return `${missingWords(need - have, groups)}: ${listed(able.map(({ name }) => name))}`;
}

function listed(names: readonly Name[]): string {
  if (names.length === 0) return 'nobody is there who could';
  if (names.length > MAX_LISTED + 1) {
    return `${names.slice(0, MAX_LISTED).join(', ')} or ${names.length - MAX_LISTED} more`;
  }
  if (names.length === 1) return names.join('');
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
