import { describe, expect, test } from 'vitest';
import { compilePolicy } from '../../../broker/policy/compile.js';
import { Principals } from '../../../broker/roster/principals.js';
import { parseCases } from '../../../src/commands/policy/cases.js';
import { runCase } from '../../../src/commands/policy/run-case.js';
import type { Name } from '../../../src/protocol/names.js';

const person = (name: string, ...groups: string[]) => ({
  name: name as Name,
  aliases: [],
  groups: groups as Name[],
  keys: [],
});
const directory = {
  people: [person('alice', 'db'), person('bob', 'db'), person('carol'), person('dave')],
  submitters: [],
};
const policy = compilePolicy(
  `version: 1
groups: { rota: { command: [/bin/rota] } }
rules:
  - name: deploys
    when: action == "deploy" && verified.issuer == "https://ci.example.com"
    approvals: { rota: 1, db: 1 }
    work: { longest: 1h }
  - name: nights
    when: action == "ssh.login" && time.getHours() < 6
    approvals: { people: 2 }
    reason: 5
`,
  { principals: new Principals(directory), file: 'policy.yaml' },
);

const run = (body: string): readonly string[] => {
  const file = parseCases(
    `version: 1\ncases:\n  - name: one\n${body.replaceAll(/^/gm, '    ')}\n`,
    'cases.yaml',
  );
  const [one] = file.cases;
  if (one === undefined) throw new Error('no case');
  return runCase(one, { policy, directory, told: new Map(), at: Date.parse('2026-06-01T03:00:00Z') });
};

const DEPLOY =
  'ask: { action: deploy, resource: shop, requester: alice, verified: { issuer: https://ci.example.com } }';
const LOGIN = 'ask: { action: ssh.login, resource: web-1, requester: alice, context: { reason: enough } }';

describe('a case holds', () => {
  test.each([
    ['by its rule', `${LOGIN}\nexpect: { rule: nights }`],
    ['when it is refused as expected', `${LOGIN.replace('enough', 'no')}\nexpect: { refused: rule-unmet }`],
    [
      'at a time of its own',
      `${LOGIN.replace(' }', ' }, at: 2026-06-01T07:00:00Z')}\nexpect: { refused: no-rule }`,
    ],
    [
      'by what is missing',
      `${LOGIN}\nvotes: [bob]\nexpect: { satisfied: false, missing: ["1 more person: carol or dave"] }`,
    ],
    ['when enough have signed', `${LOGIN}\nvotes: [bob, carol]\nexpect: { satisfied: true, missing: [] }`],
    ['by who can sign', `${LOGIN}\nexpect: { can-sign: [dave, bob, carol], cannot-sign: [alice] }`],
    [
      'with members of a group that a command tells',
      `${DEPLOY}\ngroups: { rota: [carol] }\nvotes: [carol, bob]\nexpect: { satisfied: true, can-sign: [bob, carol] }`,
    ],
    [
      'nobody being in such a group unless it says so',
      `${DEPLOY}\nvotes: [carol, bob]\nexpect: { satisfied: false }`,
    ],
    ['by a time of work', `${DEPLOY.replace(' }', ' }, duration: 2h')}\nexpect: { refused: rule-unmet }`],
    [
      'nobody counting twice, nor for himself (A8, A14)',
      `${LOGIN}\nvotes: [bob, bob, alice]\nexpect: { satisfied: false }`,
    ],
  ])('%s', (_, body) => {
    expect(run(body)).toEqual([]);
  });
});

describe('a case that does not hold says what is different, the most important first', () => {
  test.each([
    [`${LOGIN}\nexpect: { rule: days }`, 'rule: expected days, is nights'],
    [`${LOGIN}\nexpect: { refused: no-rule }`, 'refused: expected no-rule, is none'],
    [
      `${LOGIN.replace('enough', 'no')}\nexpect: { rule: nights }`,
      'refused: expected none, is rule-unmet: the rule nights wants a reason of at least 5 characters',
    ],
    [`${LOGIN}\nvotes: [bob]\nexpect: { satisfied: true }`, 'satisfied: expected true, is false'],
    [`${LOGIN}\nexpect: { can-sign: [] }`, 'can-sign: expected nobody, is bob, carol, dave'],
    [`${LOGIN}\nexpect: { cannot-sign: [bob] }`, 'cannot-sign: expected bob, is nobody'],
  ])('%j', (body, first) => {
    expect(run(body)[0]).toBe(first);
  });

  test('a refusal that nobody expected is never a satisfied ask', () => {
    expect(
      run(`${LOGIN.replace('enough', 'no')}\nvotes: [bob, carol]\nexpect: { satisfied: true }`),
    ).toContain('satisfied: expected true, is false');
  });
});

describe('a file of cases that is not understood does not run', () => {
  test.each([
    ['expect: {}', 'cases.yaml:5:13: cases.0.expect: expect something'],
    ['expect: { rul: x }', 'cases.yaml:5:15: cases.0.expect: there is no key rul'],
    ['expect: { refused: nope }', 'write the code of an error'],
    ['expect: { rule: x }\nvotes: [Bob]', 'write a name'],
  ])('%j', (tail, why) => {
    expect(() => run(`${LOGIN}\n${tail}`)).toThrow(why);
  });
});
