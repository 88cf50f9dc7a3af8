import type { BoundDocument } from '../../src/protocol/document.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import type { Vote } from '../requests/request.js';
import type { Principals } from '../roster/principals.js';

/** The rule in force for one kind of request. A request pins its text at submit. */
export interface Rule {
  /** Canonical text; consoles show it and recompute the digest from it. */
  readonly text: string;
  readonly digest: Digest;
  /** Seconds that a pending request waits for an answer. */
  readonly answerBy: number;
  /** Seconds in which an approval must be used. */
  readonly claimBy: number;
  /** Longest `not-after` − `decided`, in seconds. */
  readonly longestValidity: number;
  /** May an approval cover all equal asks? */
  readonly grants: boolean;
}

/** What the votes amount to under a rule. */
export interface Evaluation {
  readonly satisfied: boolean;
  /** What is still asked for, in words. */
  readonly missing: readonly string[];
  /** Approvers whose vote no longer counts. */
  readonly dropped: readonly Name[];
}

/** Where rules come from. All functions are pure. */
export interface Policy {
  /** @throws Problem `forbidden` where no rule allows the ask. */
  ruleFor(bound: BoundDocument): Rule;
  /** Reads a pinned rule back. */
  readRule(text: string): Rule;
  /** @throws Problem `self-approval` or `not-an-approver` where this person's yes could not count. */
  checkApprover(rule: Rule, requester: Name, approver: Name, principals: Principals): void;
  evaluate(rule: Rule, requester: Name, votes: readonly Vote[], principals: Principals): Evaluation;
}
