import type { BoundDocument } from '../../src/protocol/document.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import type { PinnedRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { VerifiedFacts } from '../../src/protocol/verified-facts.js';
import type { Principals } from '../roster/principals.js';

/** Everything about an ask that a rule may look at. */
export interface Ask {
  readonly bound: BoundDocument;
  readonly submitter: Submitter;
  /** What the broker itself verified; null for nothing. */
  readonly verified: VerifiedFacts | null;
  readonly principals: Principals;
  readonly now: EpochMs;
}

/** Where rules come from. Pure: the same ask gets the same rule. */
export interface Policy {
  /** @throws Problem `no-rule` where no rule allows the ask, `rule-unmet` where the ask lacks what its rule wants. */
  ruleFor(ask: Ask): PinnedRule;
}
