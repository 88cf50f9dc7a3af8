import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { oneOtherPerson } from '../../../broker/policy/one-other-person.js';
import type { Vote } from '../../../broker/requests/request.js';
import { Principals } from '../../../broker/roster/principals.js';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import type { ProblemCode } from '../../../src/protocol/problems.js';
import { parseStrictJson } from '../../../src/protocol/strict-json.js';
import { codeOf } from '../../ssh/problem.js';
import { bind, DIRECTORY, NOON, name } from '../requests/world.js';

const principals = new Principals(DIRECTORY);
const rule = oneOtherPerson.ruleFor(bind());
const vote = (approver: string, verdict: Vote['verdict'] = 'approve'): Vote => ({
  approver: name(approver),
  verdict,
  decided: NOON,
  notAfter: NOON + 900_000,
  comment: '',
  receipt: '',
});
const check = (requester: string, approver: string): ProblemCode | null =>
  codeOf(() => oneOtherPerson.checkApprover(rule, name(requester), name(approver), principals));
const evaluate = (requester: string, ...votes: Vote[]) =>
  oneOtherPerson.evaluate(rule, name(requester), votes, principals);

describe('the rule while there is no policy file', () => {
  test('says what it is in a canonical text, and its digest is over that', () => {
    expect(rule.digest).toBe(sha256Digest(rule.text));
    expect(parseStrictJson(rule.text)).toEqual({
      name: 'one-other-person',
      approvals: 1,
      from: 'roster',
      except: 'requester',
      answerBy: 300,
      claimBy: 600,
      longestValidity: 900,
      grants: false,
    });
    expect(rule).toMatchObject({ answerBy: 300, claimBy: 600, longestValidity: 900, grants: false });
  });

  test('is the same whatever the requester writes (A20)', () => {
    for (const change of [
      { context: { urgent: true, approvals: 0, rule: 'none' } },
      { details: { policy: 'allow', grants: true } },
      { duration: 2_678_400 },
      { action: 'demo.hello' },
    ])
      expect(oneOtherPerson.ruleFor(bind(change))).toEqual(rule);
  });

  test('is read back as it was pinned, and no other text is (A16)', () => {
    expect(oneOtherPerson.readRule(rule.text)).toEqual(rule);
    for (const text of ['', '{}', rule.text.replace('"approvals":1', '"approvals":0'), ` ${rule.text}`])
      expect(codeOf(() => oneOtherPerson.readRule(text))).toBe('policy-changed');
  });
});

describe('whose yes counts', () => {
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
    expect(evaluate(requester, vote(approver)).satisfied).toBe(code === null);
    expect(evaluate(requester, vote(approver)).dropped).toEqual(code === null ? [] : [approver]);
  });

  test('nobody at all, and whoever says no, is not enough (A11)', () => {
    expect(evaluate('alice')).toEqual({
      satisfied: false,
      missing: ['one approval by somebody other than the requester'],
      dropped: [],
    });
    expect(evaluate('alice', vote('bob', 'deny')).satisfied).toBe(false);
    expect(evaluate('alice', vote('alice'), vote('alice'), vote('alice-admin')).satisfied).toBe(false);
  });

  test('one is enough, whatever else was signed, and in any order (A14)', () => {
    const anyone = fc.constantFrom('alice', 'bob', 'carol', 'dave', 'alice-admin', 'bob-admin', 'mallory');
    const votes = fc.array(
      fc.record({ who: anyone, verdict: fc.constantFrom('approve' as const, 'deny' as const) }),
    );
    fc.assert(
      fc.property(anyone, votes, fc.nat(), (requester, all, turn) => {
        const cast = all.map(({ who, verdict }) => vote(who, verdict));
        const at = cast.length === 0 ? 0 : turn % cast.length;
        const person = (who: string): string => who.replace(/-admin$/, '');
        const counted = cast.filter(
          ({ approver, verdict }) =>
            verdict === 'approve' &&
            ['alice', 'bob', 'carol', 'dave'].includes(approver) &&
            approver !== person(requester),
        );
        const result = evaluate(requester, ...cast);
        expect(result.satisfied).toBe(counted.length > 0);
        expect(result.missing.length === 0).toBe(result.satisfied);
        expect(evaluate(requester, ...cast.slice(at), ...cast.slice(0, at)).satisfied).toBe(result.satisfied);
        if (result.satisfied) expect(evaluate(requester, ...cast, ...cast).satisfied).toBe(true);
      }),
    );
  });
});
