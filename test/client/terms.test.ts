import { describe, expect, test } from 'vitest';
import { type ChosenTerms, chosenTerms } from '../../src/client/terms.js';
import type { ProblemCode } from '../../src/protocol/problems.js';
import { parseRule, type Rule } from '../../src/protocol/rule.js';
import { coverWords } from '../../src/protocol/rule-words.js';
import { RULE, sampleRequest } from '../components/sample-requests.js';
import { codeOf } from '../ssh/problem.js';

const HOUR = 3600;
const GRANTS: Partial<Rule> = { grants: { uses: 0 } };
const choose = (chosen: ChosenTerms, rule: Partial<Rule> = {}, duration = HOUR) =>
  chosenTerms({ ...parseRule(RULE), ...rule }, sampleRequest({ document: { duration } }).document, chosen);

describe('what a yes covers', () => {
  test('is this one ask, for what was asked, unless something else is chosen', () => {
    expect(choose({})).toEqual({ covers: 'request', duration: HOUR, uses: 1 });
    expect(choose({}, GRANTS)).toEqual({ covers: 'request', duration: HOUR, uses: 1 });
    expect(choose({ duration: 60 })).toEqual({ covers: 'request', duration: 60, uses: 1 });
  });

  test('is every equal ask, as often as the rule allows, where a grant is chosen', () => {
    expect(choose({ covers: 'scope' }, GRANTS)).toEqual({ covers: 'scope', duration: HOUR, uses: 0 });
    expect(choose({ covers: 'scope' }, { grants: { uses: 5 } }).uses).toBe(5);
    expect(choose({ covers: 'scope', duration: 60, uses: 2 }, { grants: { uses: 5 } })).toEqual({
      covers: 'scope',
      duration: 60,
      uses: 2,
    });
    expect(choose({ covers: 'scope', uses: 3 }, GRANTS, 0)).toEqual({
      covers: 'scope',
      duration: 0,
      uses: 3,
    });
  });

  test('is no later ask where the door shows a number', () => {
    const { document } = sampleRequest({ document: { context: { number: true } } });
    const rule = { ...parseRule(RULE), ...GRANTS };
    expect(codeOf(() => chosenTerms(rule, document, { covers: 'scope' }))).toBe('grant-not-allowed');
    expect(chosenTerms(rule, document, {}).covers).toBe('request');
  });

  test('is the time that the rule offers first, where that is shorter', () => {
    const work = { default: 600, longest: 1800 };
    expect(choose({}, { work }).duration).toBe(600);
    expect(choose({ duration: 1800 }, { work }).duration).toBe(1800);
  });

  test.each<[string, ProblemCode, ChosenTerms, Partial<Rule>, number]>([
    ['a longer time than was asked for', 'too-long', { duration: HOUR + 1 }, GRANTS, HOUR],
    [
      'a longer time than the rule allows',
      'too-long',
      { duration: 601 },
      { work: { default: 0, longest: 600 } },
      HOUR,
    ],
    ['a grant where the rule allows none', 'grant-not-allowed', { covers: 'scope' }, {}, HOUR],
    [
      'more uses than the rule allows',
      'grant-not-allowed',
      { covers: 'scope', uses: 6 },
      { grants: { uses: 5 } },
      HOUR,
    ],
    [
      'any number where the rule counts',
      'grant-not-allowed',
      { covers: 'scope', uses: 0 },
      { grants: { uses: 5 } },
      HOUR,
    ],
    ['a grant without time and number', 'usage', { covers: 'scope' }, GRANTS, 0],
    ['uses of one ask', 'usage', { uses: 2 }, GRANTS, HOUR],
  ])('is never %s: %s', (_title, code, chosen, rule, duration) => {
    expect(codeOf(() => choose(chosen, rule, duration))).toBe(code);
  });

  test('is said in words', () => {
    expect(coverWords({ covers: 'request', duration: 0, uses: 1 })).toBe('this one ask');
    expect(coverWords({ covers: 'request', duration: 5400, uses: 1 })).toBe(
      'this one ask, for 1h 30m of work',
    );
    expect(coverWords({ covers: 'scope', duration: HOUR, uses: 0 })).toBe(
      'this and every equal ask for 1h from the first use, any number of uses',
    );
    expect(coverWords({ covers: 'scope', duration: 0, uses: 3 })).toBe(
      'this and every equal ask until the approval ends, 3 uses',
    );
  });
});
