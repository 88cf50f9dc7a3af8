import { stringify } from 'yaml';
import { isName, type Name } from '../../protocol/names.js';
import { Problem } from '../../protocol/problems.js';
import { MAX_GROUP_CHARS } from '../../protocol/quorum.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/strict-json.js';

/** One entry of `policy_rules`: members of any of the groups may ask for any of the roles on any of the resources. */
interface SourceRule {
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly resources: readonly string[];
}

export interface ImportOptions {
  /** Of the file, for the comment at its top. */
  readonly source: string;
  readonly action: Name;
  /** Longest time of work, as it is written in a policy; null for none. */
  readonly longest: string | null;
}

export interface Imported {
  /** A policy file with one table. */
  readonly text: string;
  /** Entries, from 1, that another one before them makes superfluous. */
  readonly covered: readonly { readonly entry: number; readonly by: number }[];
}

const PARTS = ['groups', 'roles', 'resources'] as const;

/**
 * Turns `{"policy_rules":[{"groups":{…},"roles":{…},"resources":{…}}]}` into a policy. In the source the keys are exact
 * names and the values are empty; who asks must be in a group of an entry that has both the role and the resource, and
 * anybody else approves. Whatever says more than that is refused by its place, so that nothing opens here that was shut there.
 *
 * @throws Problem `import-refused`
 */
export function importPolicyRules(value: JsonValue, options: ImportOptions): Imported {
  const rules = readRules(value);
  const covered: { entry: number; by: number }[] = [];
  const kept = rules.filter((rule, index) => {
    const by = rules.findIndex((other, at) => at < index && isWithin(rule, other));
    if (by >= 0) covered.push({ entry: index + 1, by: by + 1 });
    return by < 0;
  });
  return { text: policyText(kept, options), covered };
}

function readRules(value: JsonValue): readonly SourceRule[] {
  if (!isJsonObject(value)) throw refused('the file', 'is not a JSON object');
  checkKeys(value, ['policy_rules'], '');
  const rules = value.policy_rules;
  if (!Array.isArray(rules)) throw refused('policy_rules', 'is not a list');
  if (rules.length === 0) throw refused('policy_rules', 'is empty: it allows nothing');
  return rules.map((rule: JsonValue, index) => readRule(rule, `policy_rules[${index}]`));
}

function readRule(rule: JsonValue, place: string): SourceRule {
  if (!isJsonObject(rule)) throw refused(place, 'is not an object');
  checkKeys(rule, PARTS, `${place}.`);
  const namesIn = (part: (typeof PARTS)[number]): readonly string[] =>
    readNames(rule[part], `${place}.${part}`);
  const [groups, roles, resources] = [namesIn('groups'), namesIn('roles'), namesIn('resources')];
  for (const group of groups) {
    if (isName(group) && group.length <= MAX_GROUP_CHARS) continue;
    const fix = isName(group.toLowerCase()) ? 'write it in lower case' : 'use a-z 0-9 . _ @ : + -';
    throw refused(
      `${place}.groups`,
      `has ${JSON.stringify(group)}, which no group here can be called: ${fix}`,
    );
  }
  for (const [part, names] of [['roles', roles] as const, ['resources', resources] as const]) {
    for (const name of names) checkExact(name, `${place}.${part}`);
  }
  return { groups, roles, resources };
}

function readNames(value: JsonValue | undefined, place: string): readonly string[] {
  if (value === undefined) throw refused(place, 'is missing: the entry allows nothing');
  if (!isJsonObject(value)) throw refused(place, 'is not an object with names as its keys');
  const names = Object.keys(value);
  if (names.length === 0) throw refused(place, 'is empty: the entry allows nothing, remove it');
  for (const name of names) {
    const inside = value[name];
    if (isJsonObject(inside) && Object.keys(inside).length === 0) continue;
    const what = isJsonObject(inside) ? `has ${Object.keys(inside).join(', ')}` : 'is not {}';
    throw refused(`${place}[${JSON.stringify(name)}]`, `${what}, which has no meaning here`);
  }
  return names;
}

function checkExact(name: string, place: string): void {
  if (name.includes('*')) {
    throw refused(place, `has ${JSON.stringify(name)}: it is exact there, and would be a beginning here`);
  }
  if (name === '' || /\p{Cc}/u.test(name))
    throw refused(place, `has ${JSON.stringify(name)}, which is no name`);
}

function checkKeys(object: JsonObject, known: readonly string[], place: string): void {
  const strange = Object.keys(object).find((key) => !known.includes(key));
  if (strange !== undefined) throw refused(`${place}${strange}`, 'has no meaning here: write it as a rule');
}

const isWithin = (inner: SourceRule, outer: SourceRule): boolean =>
  PARTS.every((part) => inner[part].every((name) => outer[part].includes(name)));

function policyText(rules: readonly SourceRule[], { source, action, longest }: ImportOptions): string {
  const rows = rules.map(({ groups, roles, resources }) => ({ groups, roles, resources }));
  const work = longest === null ? [] : [`    work: { default: ${longest}, longest: ${longest} }`];
  return [
    `# From ${JSON.stringify(source)}. Members of a row's groups may ask for its roles on its resources.`,
    '# As there, one person other than the requester approves. Name a group instead to say who: { leads: 1 }',
    'version: 1',
    'tables:',
    '  - name: imported',
    `    actions: [${action}]`,
    '    role: details.role',
    '    approvals: { people: 1 }',
    '    reason: 1',
    ...work,
    stringify({ rows }, { lineWidth: 0 }).trimEnd().replaceAll(/^/gm, '    '),
    '',
  ].join('\n');
}

const refused = (place: string, what: string): Problem => new Problem('import-refused', `${place} ${what}`);
