import { describe, expect, test } from 'vitest';
import { compilePolicy } from '../../../broker/policy/compile.js';
import { Principals } from '../../../broker/roster/principals.js';
import { importPolicyRules } from '../../../src/commands/policy/import.js';
import { parseDocument } from '../../../src/protocol/document.js';
import type { Name } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import type { Submitter } from '../../../src/protocol/roster-messages.js';
import { parseStrictJson } from '../../../src/protocol/strict-json.js';

const OPTIONS = { source: 'policy.json', action: 'gcp.grant' as Name, longest: '2h' };

/** As somebody runs it: on-call may elevate itself, few may be root, database people administer databases. */
const SOURCE = {
  policy_rules: [
    {
      groups: { 'on-call@example.com': {} },
      roles: { 'organizations/123456/roles/on_call_elevated': {} },
      resources: { 'organizations/123456': {} },
    },
    {
      groups: { 'on-call@example.com': {} },
      roles: { 'organizations/123456/roles/on_call_elevated': {} },
      resources: { 'projects/testing': {} },
    },
    {
      groups: { 'prod-db-access@example.com': {} },
      roles: { 'roles/cloudsql.admin': {}, 'roles/cloudsql.viewer': {} },
      resources: { 'projects/testing': {}, 'projects/production': {} },
    },
    {
      groups: { 'on-call-sudo@example.com': {} },
      roles: { 'organizations/123456/roles/root': {} },
      resources: { 'organizations/123456': {}, 'projects/testing': {} },
    },
  ],
};

const person = (name: string, ...groups: string[]) => ({
  name: name as Name,
  aliases: [],
  groups: groups.map((group) => `${group}@example.com` as Name),
  keys: [],
});
const principals = new Principals({
  people: [
    person('alice', 'on-call', 'on-call-sudo'),
    person('bob', 'on-call'),
    person('carol', 'prod-db-access'),
    person('dave'),
  ],
  submitters: [],
});
const text = (value: unknown): string =>
  importPolicyRules(parseStrictJson(JSON.stringify(value)), OPTIONS).text;
const compiled = (value: unknown) => compilePolicy(text(value), { principals, file: 'policy.yaml' });

function refusal(value: unknown): string {
  try {
    return `accepted: ${text(value)}`;
  } catch (error) {
    return error instanceof Problem ? `${error.code}: ${error.message}` : String(error);
  }
}

const entry = (change: object): object => ({ policy_rules: [{ ...SOURCE.policy_rules[0], ...change }] });

describe('an import', () => {
  test('opens exactly what the source opens, for everybody, every role and every resource', () => {
    const { policy } = compiled(SOURCE);
    const all = (part: 'roles' | 'resources') => [
      ...new Set(SOURCE.policy_rules.flatMap((rule) => Object.keys(rule[part]))),
    ];
    let open = 0;
    for (const { name, groups } of principals.people) {
      for (const role of [...all('roles'), 'roles/owner']) {
        for (const resource of [...all('resources'), 'projects/testing2']) {
          const allowed = SOURCE.policy_rules.some(
            (rule) =>
              groups.some((group) => group in rule.groups) &&
              role in rule.roles &&
              resource in rule.resources,
          );
          const document = {
            version: 1,
            action: 'gcp.grant',
            door: 'gcp',
            requester: name,
            resource,
          } as const;
          const rest = { details: { role }, context: { reason: 'x' }, duration: 7200, nonce: '0'.repeat(32) };
          const ask = {
            bound: parseDocument({ ...document, ...rest }),
            submitter: { name: 'gcp' } as Submitter,
            verified: null,
            principals,
            now: 0,
          };
          if (allowed) expect(policy.ruleFor(ask).approvals).toEqual([{ people: 1, groups: [] }]);
          else expect(() => policy.ruleFor(ask)).toThrow(expect.objectContaining({ code: 'no-rule' }));
          open += allowed ? 1 : 0;
        }
      }
    }
    expect(open).toBe(10);
  });

  test('reads like something that a person wrote', () => {
    expect(
      text({ policy_rules: [SOURCE.policy_rules[2]] }),
    ).toBe(`# From "policy.json". Members of a row's groups may ask for its roles on its resources.
# As there, one person other than the requester approves. Name a group instead to say who: { leads: 1 }
version: 1
tables:
  - name: imported
    actions: [gcp.grant]
    role: details.role
    approvals: { people: 1 }
    reason: 1
    work: { default: 2h, longest: 2h }
    rows:
      - groups:
          - prod-db-access@example.com
        roles:
          - roles/cloudsql.admin
          - roles/cloudsql.viewer
        resources:
          - projects/testing
          - projects/production
`);
  });

  test('leaves out entries that another one makes superfluous, and says so', () => {
    const twice = {
      policy_rules: [...SOURCE.policy_rules, SOURCE.policy_rules[1], { ...SOURCE.policy_rules[3] }],
    };
    expect(importPolicyRules(parseStrictJson(JSON.stringify(twice)), OPTIONS).covered).toEqual([
      { entry: 5, by: 2 },
      { entry: 6, by: 4 },
    ]);
    expect(compiled(twice).rules).toHaveLength(4);
  });

  test('gives no time of work that nobody asked for', () => {
    const bare = importPolicyRules(parseStrictJson(JSON.stringify(SOURCE)), { ...OPTIONS, longest: null });
    const { rules } = compilePolicy(bare.text, { principals, file: 'policy.yaml' });
    expect(rules.map(({ rule }) => rule.work.longest)).toEqual([0, 0, 0, 0]);
  });
});

describe('what cannot be carried over is refused by its place', () => {
  test.each([
    ['another shape', [1], 'the file is not a JSON object'],
    ['no entries', { policy_rules: [] }, 'policy_rules is empty'],
    ['a key beside the rules', { ...SOURCE, self_approval: true }, 'self_approval has no meaning here'],
    ['a condition', entry({ condition: 'x' }), 'policy_rules[0].condition has no meaning here'],
    ['nobody', entry({ groups: {} }), 'policy_rules[0].groups is empty'],
    ['no resources', entry({ resources: undefined }), 'policy_rules[0].resources is missing'],
    [
      'a list in place of names',
      entry({ roles: ['roles/viewer'] }),
      'policy_rules[0].roles is not an object',
    ],
    [
      'something about a name',
      entry({ roles: { 'roles/viewer': { expires: 'never' } } }),
      'policy_rules[0].roles["roles/viewer"] has expires, which has no meaning here',
    ],
    [
      'an exclusion',
      entry({ groups: { 'on-call@example.com': false } }),
      'policy_rules[0].groups["on-call@example.com"] is not {}',
    ],
    [
      'a star, which is a letter there',
      entry({ resources: { 'projects/*': {} } }),
      'would be a beginning here',
    ],
    ['a star alone', entry({ roles: { '*': {} } }), 'policy_rules[0].roles has "*"'],
    ['capital letters', entry({ groups: { 'On-Call@example.com': {} } }), 'write it in lower case'],
    ['a group of another form', entry({ groups: { 'on call': {} } }), 'which no group here can be called'],
  ])('%s', (_, value, why) => {
    expect(refusal(value)).toContain('import-refused: ');
    expect(refusal(value)).toContain(why);
  });
});
