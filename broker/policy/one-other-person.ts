import { canonicalJson, sha256Digest } from '../../src/protocol/canonical.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Principals } from '../roster/principals.js';
import type { Policy, Rule } from './policy.js';

const text = canonicalJson({
  name: 'one-other-person',
  approvals: 1,
  from: 'roster',
  except: 'requester',
  answerBy: 300,
  claimBy: 600,
  longestValidity: 900,
  grants: false,
});

const RULE: Rule = {
  text,
  digest: sha256Digest(text),
  answerBy: 300,
  claimBy: 600,
  longestValidity: 900,
  grants: false,
};

/** The rule while there is no policy file: one approval by a person of the roster other than the requester. */
export const oneOtherPerson: Policy = {
  ruleFor: () => RULE,

  readRule(pinned) {
    if (pinned === RULE.text) return RULE;
    throw new Problem('policy-changed', 'the request was made under a rule that this broker does not know');
  },

  checkApprover(_rule, requester, approver, principals) {
    const problem = objection(requester, approver, principals);
    if (problem !== null) throw problem;
  },

  evaluate(_rule, requester, votes, principals) {
    const dropped: Name[] = [];
    const counted = new Set<Name>();
    for (const { approver, verdict } of votes) {
      if (verdict !== 'approve') continue;
      if (objection(requester, approver, principals) === null) counted.add(approver);
      else dropped.push(approver);
    }
    const satisfied = counted.size >= 1;
    return {
      satisfied,
      missing: satisfied ? [] : ['one approval by somebody other than the requester'],
      dropped,
    };
  },
};

/** Why this person's yes could not count, null if it can. */
function objection(requester: Name, approver: Name, principals: Principals): Problem | null {
  const person = principals.approver(approver);
  if (person === null) return new Problem('not-an-approver', `${approver} is not in the roster`);
  if (principals.personBehind(requester)?.name !== person.name) return null;
  return new Problem('self-approval', `${requester} is ${person.name}: nobody approves for himself`);
}
