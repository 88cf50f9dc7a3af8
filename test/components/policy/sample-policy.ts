import { ONE_OTHER_PERSON } from '../../../broker/policy/one-other-person.js';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import type { ExplanationReply } from '../../../src/protocol/explanation.js';
import type { Name } from '../../../src/protocol/names.js';
import type { PolicyReply } from '../../../src/protocol/policy-messages.js';
import { pinRule, type Rule } from '../../../src/protocol/rule.js';
import { NOW, sampleId } from '../sample-requests.js';

const name = (text: string): Name => text as Name;

export const rule = (given: Partial<Rule> = {}): string => {
  const { text: _text, digest: _digest, ...terms } = ONE_OTHER_PERSON;
  return pinRule({ ...terms, ...given }).text;
};

export const DATABASE = rule({
  name: 'databases',
  when: 'action.startsWith("db.") && "dba" in requester.groups',
  approvals: [{ people: 2, groups: [{ group: 'db', count: 1 }] }],
  sharedRequester: 'refuse',
  reason: 10,
  ticket: 'INC-[0-9]+',
  work: { default: 900, longest: 14_400 },
  escalation: [
    { after: 0, groups: ['db'] },
    { after: 120, groups: ['leads', 'oncall'] },
  ],
});
export const EVERYTHING = rule({ name: 'everything', when: '', grants: { uses: 5 } });

export const POLICY: PolicyReply = {
  policy: {
    file: '/etc/countersign/policy.yaml',
    digest: sha256Digest('a policy'),
    loaded: NOW - 3 * 86_400_000,
    rules: 2,
    text: 'version: 1\n',
    refused: {
      file: '/etc/countersign/policy.yaml',
      since: NOW - 600_000,
      waiting: false,
      mistakes: [
        '/etc/countersign/policy.yaml:4:11: rules[0].approvals.dbs: there is no group dbs: did you mean db?',
      ],
    },
    groups: [
      {
        name: 'oncall',
        command: ['/usr/local/libexec/countersign/oncall-ical'],
        members: [name('bob'), name('zed@example.com')],
        unknown: [name('zed@example.com')],
        answered: NOW - 60_000,
        failing: 'it ended with 1: no route to host',
      },
    ],
  },
  order: [
    { line: 3, rule: DATABASE },
    { line: 15, rule: EVERYTHING },
  ],
  groups: [
    { name: 'db', source: 'roster', members: [name('carol'), name('dave')] },
    { name: 'leads', source: 'roster', members: [] },
    { name: 'oncall', source: '/usr/local/libexec/countersign/oncall-ical', members: [name('bob')] },
  ],
};

export const explanation = (given: Partial<ExplanationReply> = {}): ExplanationReply => ({
  id: sampleId(1),
  asked: NOW - 120_000,
  file: '/etc/countersign/policy.yaml',
  tried: [
    {
      name: 'databases',
      line: 3,
      outcome: 'passed-over',
      parts: [
        { text: 'action.startsWith("db.")', holds: false, failure: null, looked: ['action is "ssh.login"'] },
        {
          text: '"dba" in requester.groups',
          holds: true,
          failure: null,
          looked: ['requester.groups is ["dba"]'],
        },
      ],
    },
    { name: 'everything', line: 15, outcome: 'decides', parts: [] },
  ],
  rule: EVERYTHING,
  isInForce: true,
  isShared: true,
  people: [
    { name: name('bob'), groups: [], signed: 'approve', why: null },
    { name: name('carol'), groups: ['db'], signed: null, why: null },
    { name: name('alice'), groups: [], signed: null, why: 'is the requester' },
  ],
  missing: ['1 more person: carol'],
  satisfiable: true,
  ...given,
});
