import { describe, expect, test } from 'vitest';
import { conjunctTexts, judgeParts } from '../../../broker/policy/condition-parts.js';
import { factsOf } from '../../../broker/policy/facts.js';
import { ask } from './policy-world.js';

describe('the parts of a condition', () => {
  test.each([
    ['a == 1', ['a == 1']],
    [' action == "x" &&\n  door == "y"  && time > t', ['action == "x"', 'door == "y"', 'time > t']],
    ['(a && b) && [c && d].size() > 0', ['(a && b)', '[c && d].size() > 0']],
    ['action == "a && b" && door == \'it\\\'s && "\'', ['action == "a && b"', "door == 'it\\'s && \"'"]],
    ['resource.matches(r"\\") && a', ['resource.matches(r"\\")', 'a']],
    ['a && b || c', ['a && b || c']],
    ['a && b ? c : d', ['a && b ? c : d']],
    ['a // && b\n && c', ['a // && b\n && c']],
    ['a == """x && y""" && b', ['a == """x && y""" && b']],
  ])('of %j are what && joins on the outside', (text, parts) => {
    expect(conjunctTexts(text)).toEqual(parts);
  });

  test('are judged one by one, also where the condition as a whole has no answer', () => {
    const facts = factsOf(ask({ action: 'ssh.login', details: { tty: true } }), []);
    const parts = judgeParts('action == "ssh.login" && details.user == "root" && !details.tty', facts);
    expect(parts.map(({ holds, failure }) => [holds, failure])).toEqual([
      [true, null],
      [null, expect.stringContaining('user')],
      [false, null],
    ]);
  });
});
