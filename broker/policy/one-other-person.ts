import { MAX_DURATION_SECONDS } from '../../src/protocol/document.js';
import { pinRule } from '../../src/protocol/rule.js';
import type { Policy } from './policy.js';

export const ONE_OTHER_PERSON = pinRule({
  name: 'one-other-person',
  when: '',
  approvals: [{ people: 1, groups: [] }],
  // Whether an account of several people needs one more, each door decides for itself.
  sharedRequester: 'accept',
  reason: null,
  ticket: null,
  answerBy: 300,
  claimBy: 600,
  longestValidity: 900,
  work: { default: 0, longest: MAX_DURATION_SECONDS },
  grants: null,
  touch: false,
  number: false,
  revokers: null,
  escalation: null,
  channel: null,
  alone: null,
});

/** The policy while there is no policy file: one approval by a person of the roster other than the requester. */
export const oneOtherPerson: Policy = { ruleFor: () => ONE_OTHER_PERSON };
