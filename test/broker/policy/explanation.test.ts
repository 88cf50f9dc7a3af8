import { describe, expect, test } from 'vitest';
import { explain } from '../../../broker/policy/explanation.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Person } from '../../../src/protocol/roster-messages.js';
import { type AskedBy, ask, compile, principals, WEDNESDAY } from './policy-world.js';

/** Alice, Bob and Carol are on call, Bob and Dave look after databases, Erin is in no group. */
const POLICY = `version: 1
rules:
  - name: frozen
    when: resource == "web-9" && time.getHours() >= 12
    approvals: { leads: 1 }
  - name: logins
    when: action == "ssh.login" && "oncall" in requester.groups
    approvals: { oncall: 1, db: 1 }
    reason: 10
  - name: root
    when: action == "sudo.run" && details.user == "root"
    approvals: { db: 2 }
`;
const explained = (by: AskedBy, text = POLICY) => explain(compile(text), ask(by), false);
const codes = (by: AskedBy): readonly string[] => explained(by).refusals.map(({ code }) => code);

describe('an explanation', () => {
  test('says which rule decides, and what made those above it say no', () => {
    const { tried, rule, line } = explained({ requester: 'alice' });
    expect([rule?.name, line]).toEqual(['logins', 6]);
    expect(tried.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['frozen', 'passed-over'],
      ['logins', 'decides'],
    ]);
    expect(tried[0]?.parts).toEqual([
      { text: 'resource == "web-9"', holds: false, failure: null, values: { resource: 'web-1' } },
      { text: 'time.getHours() >= 12', holds: true, failure: null, values: { time: '2026-03-18T14:30:00Z' } },
    ]);
    expect(tried[1]?.parts[1]?.values).toEqual({ 'requester.groups': ['oncall', 'leads'] });
  });

  test('decides as the policy does', () => {
    for (const requester of ['alice', 'dave', 'erin', 'deploy']) {
      for (const action of ['ssh.login', 'sudo.run', 'other']) {
        for (const resource of ['web-1', 'web-9']) {
          const by = {
            requester,
            action,
            resource,
            details: { user: 'root' },
            context: { reason: 'long enough' },
          };
          const { policy } = compile(POLICY);
          const { rule, refusals } = explained(by);
          if (refusals.length === 0) expect(policy.ruleFor(ask(by)).name).toBe(rule?.name);
          else expect(() => policy.ruleFor(ask(by))).toThrow(refusals[0]?.message);
        }
      }
    }
  });

  test('says who could sign and who could not, and why', () => {
    const { people, satisfiable, missing } = explained({ requester: 'alice' });
    expect(people).toEqual([
      { name: 'alice', groups: ['oncall'], why: 'is the requester' },
      { name: 'bob', groups: ['oncall', 'db'], why: null },
      { name: 'carol', groups: ['oncall'], why: null },
      { name: 'dave', groups: ['db'], why: null },
      { name: 'erin', groups: [], why: 'is in none of the groups that must sign' },
    ]);
    expect(satisfiable).toBe(true);
    expect(missing).toEqual(['1 more of oncall: bob or carol', '1 more of db: bob or dave']);
  });

  test('says where nobody could get it through', () => {
    const { satisfiable } = explained({ requester: 'bob', action: 'sudo.run', details: { user: 'root' } });
    expect(satisfiable).toBe(false);
  });

  test('says what the broker would refuse', () => {
    expect(codes({ requester: 'alice' })).toEqual(['rule-unmet']);
    expect(codes({ requester: 'alice', context: { reason: 'long enough' } })).toEqual([]);
    expect(codes({ action: 'reboot' })).toEqual(['no-rule']);
  });

  test('stops at a rule that comes to no answer, because a weaker one may stand below it', () => {
    const { tried, rule } = explained({ action: 'sudo.run' });
    expect(tried.at(-1)).toMatchObject({
      name: 'root',
      outcome: 'no-answer',
      parts: [{ holds: true }, { holds: null, values: { 'details.user': undefined } }],
    });
    expect(rule).toBeNull();
    expect(codes({ action: 'sudo.run' })).toEqual(['rule-failed']);
  });

  test('knows keys that are not valid now, and that touch needs a security key', () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIFMzLzQBrEZKCVNXNEQKAtjrLxbc3Wz3qJxLrGz0h5h';
    const people: Person[] = [...principals.people].map((person) => ({
      ...person,
      keys: [{ key, validAfter: null, validBefore: person.name === 'bob' ? WEDNESDAY : null }],
    }));
    const keyed = new Principals({ people, submitters: [] });
    const whyNot = (text: string) =>
      explained({ requester: 'erin', principals: keyed }, text).people.map(({ name, why }) => [name, why]);
    const open = 'version: 1\nrules:\n  - { name: all, approvals: { people: 1 } }\n';
    expect(whyNot(open)).toEqual([
      ['alice', null],
      ['bob', 'has no key that is valid at this time'],
      ['carol', null],
      ['dave', null],
      ['erin', 'is the requester'],
    ]);
    expect(whyNot(open.replace(' }\n', ', touch: yes }\n'))[0]).toEqual([
      'alice',
      'has no security key, and the rule asks for a touch',
    ]);
  });
});
