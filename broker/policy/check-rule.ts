import { MAX_PLACES, MAX_QUORUM_GROUPS, type Quorum, shortages } from '../../src/protocol/quorum.js';
import type { Person } from '../../src/protocol/roster-messages.js';
import type { Rule } from '../../src/protocol/rule.js';
import { inWords } from '../yaml/duration-words.js';
import type { Path } from '../yaml/yaml-source.js';
import type { FileRule } from './file-rule.js';
import { isAny, placesOf } from './rule-of.js';

/** Against what a rule is held: the people there are, and the groups that a command will tell. */
export interface World {
  readonly people: readonly Person[];
  readonly declared: ReadonlySet<string>;
}

/** Notes what is wrong at a place inside the rule; at the key itself where there is nothing to point at. */
export type Refuse = (path: Path, message: string) => void;

/** Checks what no key can tell alone: groups, numbers of people, and keys that do not go together. */
export function checkRule(rule: Rule, written: FileRule, world: World, refuse: Refuse): void {
  checkApprovals(rule, written, world, refuse);
  for (const [index, group] of (rule.revokers ?? []).entries()) {
    checkGroup(group, world, (message) => refuse(['revoke', index], message));
  }
  for (const [step, { groups }] of (rule.escalation ?? []).entries()) {
    for (const [index, group] of groups.entries()) {
      checkGroup(group, world, (message) => refuse(['escalation', step, 'ring', index], message));
    }
  }
  if (rule.alone !== null) {
    checkGroup(rule.alone.group, world, (message) => refuse(['alone', 'group'], message));
  }
  checkTimes(rule, refuse);
  checkTogether(rule, refuse);
}

function checkApprovals({ approvals }: Rule, written: FileRule, world: World, refuse: Refuse): void {
  if (approvals === 'automatic' || written.approvals === 'automatic') return;
  const listed = isAny(written.approvals);
  for (const [index, quorum] of approvals.entries()) {
    const path = listed ? ['approvals', 'any', index] : ['approvals'];
    checkQuorum(quorum, world, (inner, message) => refuse([...path, ...inner], message));
  }
}

function checkQuorum(quorum: Quorum, world: World, refuse: Refuse): void {
  const { groups, people } = quorum;
  const places = placesOf(groups);
  if (groups.length > MAX_QUORUM_GROUPS) {
    refuse([], `at most ${MAX_QUORUM_GROUPS} groups can be asked for together`);
  } else if (people > MAX_PLACES) {
    refuse([], `at most ${MAX_PLACES} people can be asked for`);
  } else if (people < places) {
    refuse(['people'], `the groups alone ask for ${places}: write people: ${places} or more, or remove it`);
  } else if (checkMembers(quorum, world, refuse)) checkPlaces(quorum, world, refuse);
}

/** False where a group alone is too small. */
function checkMembers({ groups }: Quorum, world: World, refuse: Refuse): boolean {
  let isGood = true;
  for (const { group, count } of groups) {
    const note = (message: string): void => {
      isGood = false;
      refuse([group], message);
    };
    checkGroup(group, world, note);
    const members = membersOf(group, world.people).length;
    if (!world.declared.has(group) && members > 0 && members < count) {
      note(
        `asks for ${count} of ${group}, which has ${membersInWords(members)}: add people or ask for fewer`,
      );
    }
  }
  return isGood;
}

function checkPlaces(quorum: Quorum, { people, declared }: World, refuse: Refuse): void {
  if (quorum.people > people.length) {
    const place = quorum.groups.length === 0 ? ['people'] : [];
    refuse(
      place,
      `asks for ${quorum.people} people, and the roster has ${people.length}: add people or ask for fewer`,
    );
    return;
  }
  const isMember = (person: Person, group: string): boolean =>
    declared.has(group) || person.groups.some((own) => own === group);
  const [lack] = shortages(quorum, people, isMember, 0);
  if (lack === undefined) return;
  const which = lack.groups.join(' and ');
  refuse([], `a person signs once: ${which} need ${lack.need} people and have ${lack.have} together`);
}

/** Checks that a group has members, or a command that will tell them. */
export function checkGroup(
  group: string,
  { people, declared }: World,
  refuse: (message: string) => void,
): void {
  if (declared.has(group) || membersOf(group, people).length > 0) return;
  const known = new Set([...declared, ...people.flatMap((person) => person.groups)]);
  const there =
    known.size === 0 ? 'the roster has no groups yet' : `there are ${[...known].sort().join(', ')}`;
  refuse(
    `nobody is in the group ${group}: ${there}; add people with countersign roster set NAME --group ${group}`,
  );
}

const membersOf = (group: string, people: readonly Person[]): readonly Person[] =>
  people.filter(({ groups }) => groups.some((own) => own === group));

const membersInWords = (count: number): string => (count === 1 ? '1 member' : `${count} members`);

function checkTimes({ claimBy, longestValidity, work, escalation }: Rule, refuse: Refuse): void {
  if (claimBy > longestValidity) {
    refuse(
      ['claim-by'],
      `signatures end after the validity of ${inWords(longestValidity)}: write a shorter claim-by than ${inWords(claimBy)}, or validity: ${inWords(claimBy)}`,
    );
  }
  if (work.default > work.longest) {
    refuse(['work', 'default'], `is more than longest, ${inWords(work.longest)}`);
  }
  for (const [index, { after }] of (escalation ?? []).entries()) {
    const former = escalation?.[index - 1];
    if (former !== undefined && after <= former.after) {
      refuse(
        ['escalation', index, 'after'],
        `comes before the step above it: write more than ${inWords(former.after)}`,
      );
    }
  }
}

function checkTogether(rule: Rule, refuse: Refuse): void {
  if (rule.approvals === 'automatic') {
    const signed = ['touch', 'number', 'grants', 'escalation', 'alone', 'revokers', 'confirm'] as const;
    for (const key of signed) {
      if (rule[key] === undefined || rule[key] === null || rule[key] === false) continue;
      refuse([key === 'revokers' ? 'revoke' : key], 'nobody signs where approvals are automatic: remove it');
    }
    return;
  }
  if (rule.number && rule.grants !== null) {
    refuse(['number'], 'a number is for one ask, and a grant covers later ones: remove number or grants');
  }
  if (rule.grants?.uses === 0 && rule.work.longest === 0) {
    refuse(['grants'], 'any number of uses needs a time: add work: { longest: 1h }, or write { uses: 3 }');
  }
}
