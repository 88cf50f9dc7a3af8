import { describe, expect, test } from 'vitest';
import { ONE_OTHER_PERSON } from '../../broker/policy/one-other-person.js';
import { canonicalJson, sha256Digest } from '../../src/protocol/canonical.js';
import { lackOfReason, parseRule, pinRule, type Rule } from '../../src/protocol/rule.js';
import { type JsonObject, parseStrictJson } from '../../src/protocol/strict-json.js';
import { codeOf } from '../ssh/problem.js';

const { text, digest, ...rule } = ONE_OTHER_PERSON;

/** The pinned text with something else in it, canonical again. */
const changed = (change: object): string =>
  canonicalJson({ ...(parseStrictJson(text) as JsonObject), ...change } as JsonObject);

describe('the rule that a request pins', () => {
  test('has one canonical text, and its digest is over that', () => {
    expect(digest).toBe(sha256Digest(text));
    expect(pinRule(rule)).toEqual(ONE_OTHER_PERSON);
    expect(parseRule(text)).toEqual(ONE_OTHER_PERSON);
    expect(parseRule(pinRule({ ...rule, name: 'two', grants: { uses: 3 } }).text).grants).toEqual({
      uses: 3,
    });
  });

  test('is the same text as ever where it wants nothing of whoever approves', () => {
    expect(text).not.toContain('confirm');
    expect(digest).toBe('sha256:323744bcd3bc91d926deafb7f95d83423cd5c57db18df62cdd0aef5b79e1f8f7');
    const confirm = { resource: true, reason: null };
    const pinned = pinRule({ ...rule, confirm });
    expect(parseRule(pinned.text).confirm).toEqual(confirm);
    expect(pinned.digest).not.toBe(digest);
  });

  test('counts what a comment is short of without the blanks around it', () => {
    const wanting = { ...rule, confirm: { resource: false, reason: 5 } };
    expect(['', '   ab \n ', 'abcde', '✓✓✓✓🎉'].map((comment) => lackOfReason(wanting, comment))).toEqual([
      5, 3, 0, 0,
    ]);
    expect(lackOfReason(rule, '')).toBe(0);
  });

  test.each(['\u200b', '\u00ad', '\u3164', '\u2800', '\ufe0f', '\u202e', '\u0007', '\u{e0041}'])(
    'counts nothing in a comment that nobody sees: %j',
    (unseen) => {
      const wanting = { ...rule, confirm: { resource: false, reason: 5 } };
      expect(lackOfReason(wanting, ` ${unseen.repeat(9)} ab`)).toBe(3);
    },
  );

  test.each<[string, string]>([
    ['nothing', ''],
    ['an empty object', '{}'],
    ['white space before it', ` ${text}`],
    ['no approvals', changed({ approvals: [] })],
    ['nobody', changed({ approvals: [{ people: 0, groups: [] }] })],
    ['a negative count', changed({ approvals: [{ people: -1, groups: [] }] })],
    ['none of a group', changed({ approvals: [{ people: 1, groups: [{ group: 'db', count: 0 }] }] })],
    [
      'a group twice',
      changed({
        approvals: [
          {
            people: 1,
            groups: [
              { group: 'db', count: 1 },
              { group: 'db', count: 1 },
            ],
          },
        ],
      }),
    ],
    ['a word for approvals that it does not know', changed({ approvals: 'none' })],
    ['a key that it does not know', changed({ approve: true })],
    ['a confirmation of nothing', changed({ confirm: { reason: null, resource: false } })],
    ['a confirmation that is half said', changed({ confirm: { resource: true } })],
    ['a reason that no comment can hold', changed({ confirm: { reason: 81, resource: false } })],
    ['a time without end', changed({ longestValidity: 0 })],
  ])('with %s is not read (A11, A16)', (_, wrong) => {
    expect(codeOf(() => parseRule(wrong))).toBe('policy-changed');
  });

  test('cannot be written without a quorum (A11)', () => {
    for (const approvals of [[], [{ people: Number.NaN, groups: [] }], undefined])
      expect(() => pinRule({ ...rule, approvals } as Rule)).toThrow();
  });
});
