import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ONE_OTHER_PERSON } from '../../../broker/policy/one-other-person.js';
import { checkApprover, couldHelp, evaluate } from '../../../broker/policy/quorum.js';
import type { Vote } from '../../../broker/requests/request.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Directory } from '../../../broker/store/store.js';
import type { Name } from '../../../src/protocol/names.js';
import type { ProblemCode } from '../../../src/protocol/problems.js';
import type { Quorum } from '../../../src/protocol/quorum.js';
import type { Rule } from '../../../src/protocol/rule.js';
import { isMet } from '../../model/quorum-by-trial.js';
import { codeOf } from '../../ssh/problem.js';
import { DIRECTORY, NOON, name } from '../requests/world.js';

const principals = new Principals(DIRECTORY);
const vote = (approver: string, verdict: Vote['verdict'] = 'approve'): Vote => ({
  approver: name(approver),
  verdict,
  decided: NOON,
  notAfter: NOON + 900_000,
  covers: 'request',
  duration: 0,
  uses: 1,
  comment: '',
  receipt: '',
});
const check = (requester: string, approver: string, rule: Rule = ONE_OTHER_PERSON): ProblemCode | null =>
  codeOf(() => checkApprover(rule, name(requester), name(approver), principals));
const count = (requester: string, ...votes: Vote[]) =>
  evaluate(ONE_OTHER_PERSON, name(requester), votes, principals);

describe('whose yes counts where one other person is asked for', () => {
  test.each<[string, string, ProblemCode | null]>([
    ['alice', 'bob', null],
    ['bob', 'alice', null],
    ['deploy', 'bob', null],
    ['uid:1000', 'bob', null],
    ['alice', 'alice', 'self-approval'],
    ['alice-admin', 'alice', 'self-approval'],
    ['alice@example.com', 'alice', 'self-approval'],
    ['bob-admin', 'bob', 'self-approval'],
    ['alice', 'bob-admin', 'not-an-approver'],
    ['alice', 'mallory', 'not-an-approver'],
    ['alice', 'alice-admin', 'not-an-approver'],
    ['alice', 'host:web-1', 'not-an-approver'],
    ['alice', '__proto__', 'not-an-approver'],
    ['__proto__', 'bob', null],
  ])('%s asks and %s says yes: %s (A8, A9)', (requester, approver, code) => {
    expect(check(requester, approver)).toBe(code);
    expect(count(requester, vote(approver)).satisfied).toBe(code === null);
    expect(count(requester, vote(approver)).dropped).toEqual(code === null ? [] : [approver]);
  });

  test('nobody at all, and whoever says no, is not enough (A11)', () => {
    expect(count('alice')).toEqual({
      satisfied: false,
      missing: ['1 more person: bob, carol or dave'],
      dropped: [],
      counted: {},
    });
    expect(count('alice', vote('bob', 'deny')).satisfied).toBe(false);
    expect(count('alice', vote('alice'), vote('alice'), vote('alice-admin')).satisfied).toBe(false);
  });
});

const NAMES = ['alice', 'bob', 'carol', 'dave'];
const GROUPS = ['oncall', 'db', 'net'];
const directory = (memberships: readonly (readonly string[])[]): Directory => ({
  ...DIRECTORY,
  people: DIRECTORY.people.map((person, index) => ({
    ...person,
    groups: [...(memberships[index] ?? [])].map(name),
    keys: [],
  })),
});
const quorums: fc.Arbitrary<Quorum> = fc
  .uniqueArray(fc.record({ group: fc.constantFrom(...GROUPS), count: fc.integer({ min: 1, max: 2 }) }), {
    selector: ({ group }) => group,
  })
  .chain((groups) => fc.record({ people: fc.integer({ min: 1, max: 4 }), groups: fc.constant(groups) }));
const cases = fc.record({
  approvals: fc.array(quorums, { minLength: 1, maxLength: 2 }),
  sharedRequester: fc.constantFrom('one-more' as const, 'refuse' as const, 'accept' as const),
  memberships: fc.array(fc.subarray(GROUPS), { minLength: 4, maxLength: 4 }),
  requester: fc.constantFrom('deploy', 'alice', 'alice-admin', 'bob'),
  voters: fc.array(fc.constantFrom(...NAMES, 'mallory', 'bob-admin'), { maxLength: 6 }),
});

describe('the quorum of several groups', () => {
  test('is met exactly when each place can be filled, by one of the alternatives, by any order of votes (A8, A14)', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ memberships, requester, voters, ...change }, turn) => {
        const people = new Principals(directory(memberships));
        const rule: Rule = { ...ONE_OTHER_PERSON, ...change };
        const groupsOf = (who: string) =>
          memberships[DIRECTORY.people.findIndex((one) => one.name === who)] ?? [];
        const self = requester.replace('-admin', '');
        const signed = [...new Set(voters)].filter((who) => NAMES.includes(who) && who !== self);
        const isShared = requester === 'deploy';
        const isLess = isShared && rule.sharedRequester === 'one-more';
        const teams = isLess ? signed.map((_, at) => signed.toSpliced(at, 1)) : [signed];
        const expected =
          !(isShared && rule.sharedRequester === 'refuse') &&
          change.approvals.some(
            (quorum) => teams.length > 0 && teams.every((team) => isMet(quorum, team.map(groupsOf))),
          );
        const votes = voters.map((who) => vote(who));
        const at = votes.length === 0 ? 0 : turn % votes.length;
        const turned = [...votes.slice(at), ...votes.slice(0, at)];
        const result = evaluate(rule, name(requester), turned, people);
        expect(result.satisfied).toBe(expected);
        expect(result.missing.length === 0).toBe(expected);
        // One more signature never takes a quorum away.
        const more = evaluate(rule, name(requester), [...turned, vote('dave')], people);
        if (expected) expect(more.satisfied).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const oncallAndDb = {
    ...ONE_OTHER_PERSON,
    approvals: [
      {
        people: 2,
        groups: [
          { group: 'oncall', count: 1 },
          { group: 'db', count: 1 },
        ],
      },
    ],
  };
  const team = new Principals(directory([[], ['oncall'], ['oncall', 'db'], []]));
  const missing = (rule: Rule, ...voters: string[]) =>
    evaluate(
      rule,
      name('alice'),
      voters.map((who) => vote(who)),
      team,
    ).missing;

  test('says what is missing and who could give it', () => {
    expect(missing(oncallAndDb)).toEqual(['1 more of oncall: bob or carol', '1 more of db: carol']);
    expect(missing(oncallAndDb, 'bob')).toEqual(['1 more of db: carol']);
    expect(missing(oncallAndDb, 'carol')).toEqual(['1 more of oncall or db: bob']);
    expect(missing(oncallAndDb, 'carol', 'bob')).toEqual([]);
    const either: Rule = {
      ...oncallAndDb,
      approvals: [...oncallAndDb.approvals, { people: 2, groups: [{ group: 'net', count: 1 }] }],
    };
    expect(missing(either, 'bob')).toEqual([
      '1 more of db: carol, or else 1 more of net: nobody is there who could',
    ]);
  });

  test('takes no yes of somebody who can fill no place', () => {
    const able = (who: string) => codeOf(() => checkApprover(oncallAndDb, name('alice'), name(who), team));
    expect([able('bob'), able('carol'), able('dave')]).toEqual([null, null, 'not-an-approver']);
    const three: Rule = { ...oncallAndDb, approvals: [{ people: 3, groups: [{ group: 'db', count: 1 }] }] };
    expect(codeOf(() => checkApprover(three, name('alice'), name('dave'), team))).toBe(null);
  });

  test('counts the members that a declared group has now, and not those of the roster (A12, A15)', () => {
    let members: Name[] = [name('dave')];
    const declared = {
      members: (group: string) => (group === 'oncall' ? new Set(members) : null),
      source: () => '/bin/oncall',
    };
    const people = new Principals(directory([[], ['oncall'], ['db'], []]), declared);
    const result = (...voters: string[]) =>
      evaluate(
        oncallAndDb,
        name('alice'),
        voters.map((who) => vote(who)),
        people,
      );
    expect(result('bob', 'carol')).toMatchObject({ satisfied: false, dropped: ['bob'] });
    expect(result('dave', 'carol').satisfied).toBe(true);
    members = [];
    expect(result('dave', 'carol')).toMatchObject({ satisfied: false, dropped: ['dave'] });
  });
});

describe('whose yes would bring a request on', () => {
  const two: Rule = { ...ONE_OTHER_PERSON, approvals: [{ people: 2, groups: [] }] };
  const helps = (who: string, rule: Rule, requester: string, ...votes: Vote[]): boolean => {
    const person = principals.approver(name(who));
    return person !== null && couldHelp(rule, name(requester), votes, person, principals);
  };

  test('nobody’s who has signed, who asks himself, or whose place is taken', () => {
    expect(helps('bob', ONE_OTHER_PERSON, 'alice')).toBe(true);
    expect(helps('alice', ONE_OTHER_PERSON, 'alice-admin')).toBe(false);
    expect(helps('bob', two, 'alice', vote('bob'))).toBe(false);
    expect(helps('carol', two, 'alice', vote('bob'))).toBe(true);
    expect(helps('dave', two, 'alice', vote('bob'), vote('carol'))).toBe(false);
  });

  test('for a shared account one more, where the rule asks for one more', () => {
    const rule: Rule = { ...ONE_OTHER_PERSON, sharedRequester: 'one-more' };
    expect(helps('carol', rule, 'deploy', vote('bob'))).toBe(true);
    expect(helps('dave', rule, 'deploy', vote('bob'), vote('carol'))).toBe(false);
  });
});
