import { Problem } from '../../src/protocol/problems.js';
import type { PinnedRule } from '../../src/protocol/rule.js';
import { type Condition, ConditionFailure, type Facts } from './condition.js';
import { factsOf } from './facts.js';
import type { Ask, Policy } from './policy.js';
import { checkAsk } from './rule-unmet.js';

/** A rule, ready to judge asks. */
export interface CompiledRule {
  readonly rule: PinnedRule;
  /** Null for all asks. */
  readonly condition: Condition | null;
  /** Line of the file, from 1. */
  readonly line: number;
}

/**
 * The policy of these rules: the first one whose condition is true decides, and the next ones are not asked.
 *
 * @param declared names of the groups of the policy file
 */
export const policyOf = (rules: readonly CompiledRule[], declared: readonly string[]): Policy => ({
  ruleFor(ask) {
    const found = matchingRule(rules, ask, declared);
    if (found === null) {
      const { action, resource, requester } = ask.bound.document;
      throw new Problem(
        'no-rule',
        `no rule allows ${action} on ${JSON.stringify(resource)} for ${requester}`,
      );
    }
    checkAsk(found.rule, ask);
    return found.rule;
  },
});

/**
 * The rule that an ask comes under, whether it meets it or not; null for none.
 *
 * @throws Problem `rule-failed` for a condition that comes to no answer: a rule that cannot be judged is not passed over,
 * because a weaker one may stand below it.
 */
export function matchingRule(
  rules: readonly CompiledRule[],
  ask: Ask,
  declared: readonly string[],
): CompiledRule | null {
  const facts = factsOf(ask, declared);
  return rules.find((rule) => holds(rule, facts)) ?? null;
}

function holds({ rule, condition }: CompiledRule, facts: Facts): boolean {
  if (condition === null) return true;
  try {
    return condition.holds(facts);
  } catch (cause) {
    if (!(cause instanceof ConditionFailure)) throw cause;
    throw new Problem(
      'rule-failed',
      `the condition of the rule ${rule.name} has no answer: ${cause.message}`,
      { cause },
    );
  }
}
