import { expect, test } from 'vitest';
import { warningsOn } from '../../../src/commands/policy/warnings.js';
import type { Submitter } from '../../../src/protocol/roster-messages.js';
import { compile, principals } from '../../broker/policy/policy-world.js';
import { name } from '../../broker/requests/world.js';

const submitter = (who: string, limits: Partial<Submitter['limits']>): Submitter => ({
  name: name(who),
  credential: { kind: 'socket' },
  limits: { actions: ['*'], resources: ['*'], doors: ['*'], requesters: [], ...limits },
});
const warnings = (
  when: string,
  approvals: string,
  submitters: readonly Submitter[] = [],
): readonly string[] =>
  warningsOn(
    compile(`version: 1\nrules:\n  - name: r\n    when: '${when}'\n    approvals: ${approvals}\n`),
    submitters,
    principals,
  ).map(({ line, message }) => `${line}: ${message}`);

test.each([
  ['action == "ssh.login"', { actions: ['ssh.*'] }, 0],
  ['action == "ssh.login"', { actions: ['sudo.*', 'ssh.login'] }, 0],
  ['action == "ssh.login"', { actions: ['sudo.*'] }, 1],
  ['resource.startsWith("db-")', { resources: ['db-1'] }, 0],
  ['resource.startsWith("db-")', { resources: ['d*'] }, 0],
  ['resource.startsWith("db-")', { resources: ['web-*'] }, 1],
  ['door in ["host:a", "host:b"]', { doors: ['host:b'] }, 0],
  ['door in ["host:a", "host:b"]', { doors: ['host:c'] }, 1],
  ['submitter == "web-1"', {}, 0],
  ['submitter == "web-2"', {}, 1],
  ['details.user == "root"', { actions: ['x'] }, 0],
] as [string, Partial<Submitter['limits']>, number][])(
  'a rule for %s is used where somebody may ask for it: %j',
  (when, limits, count) => {
    expect(warnings(when, '{ oncall: 1 }', [submitter('web-1', limits)])).toHaveLength(count);
  },
);

test('nothing is said of use while no submitter is known', () => {
  expect(warnings('action == "ssh.login"', '{ oncall: 1 }')).toEqual([]);
});

test('a group with just as many members as must sign is one absence from a standstill', () => {
  const when = 'action == "a"';
  expect(warnings(when, '{ db: 2 }')).toEqual([
    '3: r asks for 2 of db, which has just 2: while one of them is away or asks, nobody can be let in',
  ]);
  expect(warnings(when, '{ people: 5 }')).toEqual([
    '3: r asks for 5 people, and the roster has just 5: while one of them is away or asks, nobody can be let in',
  ]);
  expect(warnings(when, '{ oncall: 2 }')).toEqual([]);
  expect(warnings(when, '{ any: [ { db: 2 }, { people: 1 } ] }')).toEqual([]);
});

test('a signature that ends before others have answered is lost', () => {
  const when = 'action == "a"';
  const late = (approvals: string) => warnings(when, `${approvals}\n    answer-by: 1h`);
  expect(late('{ oncall: 1, db: 1 }')).toEqual([
    '3: r takes answers for 1h, and a signature counts for 15m: who signs early must sign again; write a longer validity',
  ]);
  expect(late('{ oncall: 1 }')).toEqual([]);
  expect(late('{ people: 2 }\n    validity: 1h')).toEqual([]);
});
