import { describe, expect, test } from 'vitest';
import { Problem } from '../../../src/protocol/problems.js';
import { type AskedBy, compile, decidedBy, mistakesOf } from './policy-world.js';

/** Alice, Bob and Carol are on call, Bob and Dave look after databases, Erin is in no group. */
const TABLE = `version: 1
rules:
  - name: frozen
    when: action == "cloud.grant" && resource == "projects/frozen"
    approvals: { leads: 1 }
tables:
  - name: cloud
    actions: [cloud.grant]
    approvals: { people: 1 }
    reason: 10
    rows:
      - groups: [oncall]
        roles: [roles/viewer, roles/logging.*]
        resources: [projects/testing]
      - name: databases
        groups: [db, leads]
        roles: ["*"]
        resources: [projects/db-*, projects/shared]
        approvals: { oncall: 1 }
        work: { longest: 2h }
`;

/** The rule that decides, or the code of the refusal. */
function outcome(text: string, by: AskedBy): string {
  try {
    return decidedBy(text, by);
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

const grant = (requester: string, role: string, resource: string) => ({
  action: 'cloud.grant',
  requester,
  resource,
  details: { role },
  context: { reason: 'INC-4312 disk is full' },
});

describe('a table of groups, roles and resources', () => {
  const ruleFor = (requester: string, role: string, resource: string): string =>
    outcome(TABLE, grant(requester, role, resource));

  test('lets members of a group ask for the roles of their row on its resources, and nothing else', () => {
    expect(ruleFor('carol', 'roles/viewer', 'projects/testing')).toBe('cloud/1');
    expect(ruleFor('carol', 'roles/logging.admin', 'projects/testing')).toBe('cloud/1');
    expect(ruleFor('dave', 'anything', 'projects/db-1')).toBe('cloud/databases');
    expect(ruleFor('alice', 'roles/viewer', 'projects/shared')).toBe('cloud/databases');
    for (const [requester, role, resource] of [
      ['erin', 'roles/viewer', 'projects/testing'],
      ['nobody', 'roles/viewer', 'projects/testing'],
      ['carol', 'roles/viewer2', 'projects/testing'],
      ['carol', 'roles/viewer', 'projects/testing-2'],
      ['carol', 'roles/logging', 'projects/testing'],
      ['carol', 'roles/viewer', 'projects/db-1'],
      ['dave', 'roles/viewer', 'projects/testing'],
    ] as const) {
      expect(ruleFor(requester, role, resource)).toBe('no-rule');
    }
  });

  test('is about its own actions, and about asks that name a role', () => {
    const ask = grant('carol', 'roles/viewer', 'projects/testing');
    expect(outcome(TABLE, { ...ask, action: 'cloud.list' })).toBe('no-rule');
    expect(outcome(TABLE, { ...ask, details: {} })).toBe('no-rule');
    expect(outcome(TABLE, { ...ask, details: { role: 7 } })).toBe('rule-failed');
  });

  test('says for all rows what a row does not say for itself, and counts rules before rows', () => {
    const { rules } = compile(TABLE);
    expect(rules.map(({ rule, line }) => [rule.name, line, rule.reason, rule.work.longest])).toEqual([
      ['frozen', 3, null, 0],
      ['cloud/1', 12, 10, 0],
      ['cloud/databases', 15, 10, 7200],
    ]);
    expect(rules.map(({ rule }) => rule.approvals)).toEqual([
      [{ people: 1, groups: [{ group: 'leads', count: 1 }] }],
      [{ people: 1, groups: [] }],
      [{ people: 1, groups: [{ group: 'oncall', count: 1 }] }],
    ]);
  });

  test('shows its rows as conditions that anybody could have written', () => {
    expect(
      compile(TABLE)
        .rules.slice(1)
        .map(({ rule }) => rule.when),
    ).toEqual([
      'action == "cloud.grant" && "oncall" in requester.groups && has(details.role) && ' +
        '(details.role == "roles/viewer" || details.role.startsWith("roles/logging.")) && ' +
        'resource == "projects/testing"',
      'action == "cloud.grant" && ("db" in requester.groups || "leads" in requester.groups) && ' +
        'has(details.role) && (resource == "projects/shared" || resource.startsWith("projects/db-"))',
    ]);
  });

  test('holds roles against the action, or another detail, where it says so', () => {
    const text = (role: string): string =>
      `version: 1\ntables:\n  - { name: t, actions: [ssh.login, sudo.run], role: ${role}, approvals: { people: 1 }, rows: [ { groups: [oncall], roles: [ssh.login], resources: ["*"] } ] }\n`;
    const ask = { requester: 'carol', resource: 'web-1', details: { user: 'ssh.login' } };
    expect(outcome(text('action'), { ...ask, action: 'ssh.login' })).toBe('t/1');
    expect(outcome(text('action'), { ...ask, action: 'sudo.run' })).toBe('no-rule');
    expect(outcome(text('details.user'), { ...ask, action: 'sudo.run' })).toBe('t/1');
  });

  test('takes quotes, backslashes and other letters for what they are', () => {
    const resource = `a"b\\c || true || "é`;
    const text = `version: 1\ntables:\n  - name: t\n    actions: [x]\n    approvals: { people: 1 }\n    rows: [ { groups: [oncall], roles: [r], resources: [${JSON.stringify(resource)}] } ]\n`;
    const ask = { action: 'x', requester: 'carol', details: { role: 'r' } };
    expect(outcome(text, { ...ask, resource })).toBe('t/1');
    expect(outcome(text, { ...ask, resource: 'a' })).toBe('no-rule');
  });
});

describe('a table that could open by mistake does not load (A11)', () => {
  const row = (keys: string, table = 'approvals: { people: 1 }'): string =>
    `version: 1\ntables:\n  - name: t\n    actions: [x]\n${table === '' ? '' : `    ${table}\n`}    rows:\n      - ${keys}\n`;
  const good = 'groups: [oncall], roles: [r], resources: [s]';

  test.each([
    ['who may ask is left open', '{ roles: [r], resources: [s] }', '7:9: table 1: row 1: groups: is missing'],
    [
      'a list is empty',
      '{ groups: [oncall], roles: [], resources: [s] }',
      '7:36: table 1: row 1: roles: write exact',
    ],
    [
      'a star stands in the middle',
      '{ groups: [oncall], roles: ["a*b"], resources: [s] }',
      'beginnings followed by *',
    ],
    [
      'nobody is in the group',
      '{ groups: [nobody], roles: [r], resources: [s] }',
      'nobody is in the group nobody',
    ],
    ['a key is unknown', `{ ${good}, users: [bob] }`, 'there is no key users'],
    ['a condition hides in a row', `{ ${good}, when: "true" }`, 'there is no key when'],
    ['a quorum is too large', `{ ${good}, approvals: { db: 3 } }`, 'asks for 3 of db, which has 2 members'],
  ])('where %s', (_, keys, why) => {
    expect(mistakesOf(row(keys)).join('\n')).toContain(why);
  });

  test('where nobody must sign, a row never matches, or a name stands twice', () => {
    expect(mistakesOf(row(`{ ${good} }`, '')).join()).toContain(
      'row 1: approvals: is missing: say who must sign',
    );
    const twice = row(`{ ${good} }\n      - { ${good} }`);
    expect(mistakesOf(twice).join()).toContain('8:9: table 1: row 2: when: never reached: rule 1, t/1,');
    const named = row(`{ ${good}, name: a }\n      - { groups: [db], roles: [r], resources: [s], name: a }`);
    expect(mistakesOf(named).join()).toContain('rule 1 has this name');
  });
});
