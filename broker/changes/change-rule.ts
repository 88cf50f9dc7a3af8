import { isChangeAction } from '../../src/protocol/change-messages.js';
import { Problem } from '../../src/protocol/problems.js';
import { type PinnedRule, pinRule } from '../../src/protocol/rule.js';
import { ONE_OTHER_PERSON } from '../policy/one-other-person.js';
import type { Ask, Policy } from '../policy/policy.js';

const HOUR = 3600;

/** For changes that no rule of the policy speaks of. */
const CHANGE_RULE = atLeast({
  ...ONE_OTHER_PERSON,
  name: 'changes-of-the-broker',
  answerBy: HOUR,
  longestValidity: HOUR + ONE_OTHER_PERSON.claimBy,
});

/**
 * The same policy, but that a change of the roster or of the policy always takes other people, whatever the policy says
 * (A17): a rule may ask more than one of them, never less.
 */
export function guardChanges(policy: Policy): Policy {
  return {
    ruleFor: (ask) =>
      isChangeAction(ask.bound.document.action) ? atLeast(ruleOfPolicy(policy, ask)) : policy.ruleFor(ask),
  };
}

function ruleOfPolicy(policy: Policy, ask: Ask): PinnedRule {
  try {
    const rule = policy.ruleFor(ask);
    return rule.text === ONE_OTHER_PERSON.text ? CHANGE_RULE : rule;
  } catch (error) {
    if (error instanceof Problem && error.code === 'no-rule') return CHANGE_RULE;
    throw error;
  }
}

/** One other person at least; no grant, nobody alone, and no number, which nobody would be shown. */
function atLeast({ text: _text, digest: _digest, ...rule }: PinnedRule): PinnedRule {
  return pinRule({
    ...rule,
    approvals: rule.approvals === 'automatic' ? [{ people: 1, groups: [] }] : rule.approvals,
    sharedRequester: rule.sharedRequester === 'refuse' ? 'refuse' : 'one-more',
    grants: null,
    alone: null,
    number: false,
  });
}
