import { expect, test } from 'vitest';
import { BROKER_ITSELF } from '../../../broker/changes/broker-submitter.js';
import { guardChanges } from '../../../broker/changes/change-rule.js';
import { oneOtherPerson } from '../../../broker/policy/one-other-person.js';
import type { Policy } from '../../../broker/policy/policy.js';
import { Principals } from '../../../broker/roster/principals.js';
import { Problem } from '../../../src/protocol/problems.js';
import { bind, DIRECTORY, NOON, ruled } from '../requests/world.js';

const ruleFor = (policy: Policy, action = 'roster.change') =>
  guardChanges(policy).ruleFor({
    bound: bind({ action }),
    submitter: BROKER_ITSELF,
    verified: null,
    principals: new Principals(DIRECTORY),
    now: NOON,
  });
const failing = (code: 'no-rule' | 'rule-unmet'): Policy => ({
  ruleFor() {
    throw new Problem(code, 'no');
  },
});

test('what the policy says of other asks stays as it is', () => {
  const policy = ruled({ approvals: 'automatic' });
  expect(ruleFor(policy, 'ssh.login').approvals).toBe('automatic');
});

test.each(['roster.change', 'policy.change'])('%s always takes another person (A17)', (action) => {
  const rule = ruleFor(
    ruled({
      approvals: 'automatic',
      sharedRequester: 'accept',
      grants: { uses: 0 },
      alone: { group: 'oncall', delay: 60, reason: 10 },
      number: true,
    }),
    action,
  );
  expect(rule).toMatchObject({
    approvals: [{ people: 1, groups: [] }],
    sharedRequester: 'one-more',
    grants: null,
    alone: null,
    number: false,
  });
});

test('a rule may ask for more, and refuse those who are nobody', () => {
  const approvals = [{ people: 3, groups: [{ group: 'security', count: 1 }] }];
  expect(ruleFor(ruled({ approvals, sharedRequester: 'refuse' }))).toMatchObject({
    approvals,
    sharedRequester: 'refuse',
  });
});

test('where no rule speaks of it one other person is asked, with an hour to answer', () => {
  const rule = { approvals: [{ people: 1, groups: [] }], sharedRequester: 'one-more', answerBy: 3600 };
  expect(ruleFor(oneOtherPerson)).toMatchObject(rule);
  expect(ruleFor(failing('no-rule'))).toMatchObject(rule);
  expect(() => ruleFor(failing('rule-unmet'))).toThrow('no');
});
