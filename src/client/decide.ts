import { asksNumber, type MatchedNumber } from '../protocol/matched-number.js';
import type { Fingerprint, Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parseSignedText } from '../protocol/receipt.js';
import type { RequestView } from '../protocol/request-view.js';
import { FRAUD, fraudComment, isFraudComment } from '../protocol/restraints.js';
import { lackOfReason, parseRule, type Rule } from '../protocol/rule.js';
import { commentFits, MAX_COMMENT_BYTES } from '../protocol/statement.js';
import {
  formatDecision,
  formatReview,
  formatRevocation,
  formatUnlocking,
  parseDecision,
  parseSubmit,
} from '../protocol/statements.js';
import type { EpochMs } from '../protocol/time.js';
import { askingName, type BrokerNames } from './broker-identity.js';
import type { DecisionInput } from './queue.js';
import { readShown, verifyShown } from './shown-request.js';
import { chosenTerms } from './terms.js';

/** Who signs, for which broker, and when by the signer's clock. */
export interface Signing {
  readonly approver: Name;
  /** The fingerprint that was pinned, never the one that is offered. */
  readonly broker: Fingerprint;
  readonly now: EpochMs;
}

/**
 * Under which key of the broker an answer is signed: the one under which the submitter asked, because its door pins that
 * one and perhaps no newer. Where the submitter did not sign, the oldest in force.
 */
export function answeringName({ vouched }: RequestView, broker: BrokerNames): Fingerprint {
  const { fingerprint, former } = broker;
  const asked = vouched === null ? null : namedIn(vouched);
  return [fingerprint, ...former].find((name) => name === asked) ?? askingName(broker);
}

function namedIn(vouched: string): Fingerprint | null {
  try {
    return parseSubmit(parseSignedText(vouched).statement).broker;
  } catch {
    // Nobody approves what is vouched for so; a no needs a name all the same.
    return null;
  }
}

/**
 * Writes the text that an approver signs: about exactly what is shown, for one use unless a grant is chosen, until the request
 * could have been answered and claimed at the latest. A no covers nothing more.
 *
 * @throws Problem `shown-differs` (A62), `broker-reply` for a rule without its times, `usage` for a comment that is too long, and
 * for a number that is missing or that nobody asks for, or a resource that was not typed; `reason-needed`; those of `chosenTerms`.
 */
export function prepareDecision(view: RequestView, decision: DecisionInput & Signing): string {
  const { document, digest, scope } = verifyShown(view);
  const { verdict, code, approver, broker, now } = decision;
  const comment = signedComment(decision);
  checkComment(comment);
  checkNumber(view, decision);
  const decided = wholeSecond(now);
  const rule = readRule(view);
  if (verdict === 'approve') checkConfirmed(rule, document.resource, decision);
  const { claimBy, longestValidity } = rule;
  const answer = Math.ceil((view.answerBy - view.submittedAt) / 1000);
  const validity = Math.min(answer + claimBy, longestValidity);
  const { covers, duration, uses } =
    verdict === 'deny'
      ? { covers: 'request' as const, duration: document.duration, uses: 1 }
      : chosenTerms(rule, document, decision.terms ?? {});
  return formatDecision({
    broker,
    door: document.door,
    request: digest,
    scope,
    covers,
    policy: view.policy,
    verdict,
    requester: document.requester,
    approver,
    decided,
    notAfter: decided + validity * 1000,
    duration,
    uses,
    code,
    comment,
  });
}

/**
 * A deny locks the requester where its comment begins with the reserved word, and only where that is meant.
 *
 * @throws Problem `usage` for a comment that would be taken for it
 */
function signedComment({ verdict, comment, isFraud = false }: DecisionInput): string {
  if (isFraud && verdict === 'deny') return fraudComment(comment);
  if (!isFraudComment(comment)) return comment;
  throw new Problem('usage', `a comment that begins with "${FRAUD}" locks the requester`, {
    hint: 'deny with --fraud, or with f in the console; or begin with another word',
  });
}

/**
 * Writes the text by which a requester lets himself in alone, once the delay of the rule is over (break-glass).
 *
 * @throws Problem `rule-unmet` where the rule has no such way, or wants a longer reason; those of {@link prepareDecision}.
 */
export function prepareLoneApproval(
  view: RequestView,
  { reason, ...signing }: { readonly reason: string; readonly code: MatchedNumber | null } & Signing,
): string {
  const { alone, claimBy, longestValidity, confirm } = readRule(view);
  if (alone === null) {
    throw new Problem('rule-unmet', 'the rule of this request lets nobody in alone', {
      hint: 'somebody else must approve',
    });
  }
  const least = Math.max(alone.reason, confirm?.reason ?? 0);
  if ([...reason.trim()].length < least) {
    throw new Problem('rule-unmet', `the rule wants a reason of at least ${least} characters`, {
      hint: 'say what is broken and why nobody else can sign; nothing was signed',
    });
  }
  // What is typed before a yes is asked of those who let others in.
  const { resource } = view.document;
  const decision = parseDecision(
    prepareDecision(view, { ...signing, verdict: 'approve', comment: reason, resource }),
  );
  const validity = alone.delay + Math.min(claimBy, longestValidity);
  return formatDecision({ ...decision, notAfter: decision.decided + validity * 1000 });
}

/** Writes the text that says that somebody looked at what was opened by its requester alone. */
export function prepareReview(
  view: RequestView,
  { comment, approver, broker, now }: { readonly comment: string } & Signing,
): string {
  const { digest, scope } = verifyShown(view);
  checkComment(comment);
  return formatReview({ broker, request: digest, scope, approver, issued: wholeSecond(now), comment });
}

/**
 * Writes the text that takes an approval back.
 *
 * @throws Problem `shown-differs`, `usage` for a comment that is too long.
 */
export function prepareRevocation(
  view: RequestView,
  { comment, approver, broker, now }: { readonly comment: string } & Signing,
): string {
  const { digest, scope } = verifyShown(view);
  checkComment(comment);
  return formatRevocation({ broker, request: digest, scope, approver, issued: wholeSecond(now), comment });
}

/**
 * Whether a yes must carry the number that the requester was shown: the door asks for it, or the rule does.
 *
 * @throws Problem `shown-differs` where the document is none
 */
export function takesNumber(view: RequestView): boolean {
  return asksNumber(readShown(view).document) || demandsNumber(view);
}

const demandsNumber = (view: RequestView): boolean => knownRule(view)?.number ?? false;

function checkNumber(view: RequestView, { verdict, code }: DecisionInput): void {
  const isNeeded = verdict === 'approve' && takesNumber(view);
  if (isNeeded === (code !== null)) return;
  if (isNeeded) {
    throw new Problem('usage', 'the number is missing that the requester was shown', {
      hint: 'have the requester tell you the six digits, by a way that you trust; nothing was signed',
    });
  }
  const what = verdict === 'deny' ? 'a no carries no number' : 'this request asks for no number';
  throw new Problem('usage', what, { hint: 'nothing was signed' });
}

/** Whether the rule has the resource typed before a yes. */
export const takesResource = (view: RequestView): boolean => knownRule(view)?.confirm?.resource === true;

/** Least characters of the reason that an approver signs; 0 where none is needed. */
export const leastReason = (view: RequestView): number => knownRule(view)?.confirm?.reason ?? 0;

/** What only the program of the approver can ask for, and what the broker would refuse: before anything is signed. */
function checkConfirmed(rule: Rule, resource: string, decision: DecisionInput): void {
  if (rule.confirm?.resource === true && decision.resource !== resource) {
    const what = decision.resource === undefined ? 'the resource was not typed' : 'that is not the resource';
    throw new Problem('usage', `${what}: the rule has it typed before a yes`, {
      hint: 'give it exactly as it is shown: --resource NAME; nothing was signed',
    });
  }
  const lack = lackOfReason(rule, decision.comment);
  if (lack === 0) return;
  const least = rule.confirm?.reason ?? 0;
  throw new Problem(
    'reason-needed',
    `the rule wants a reason of at least ${least} characters from whoever approves, ${lack} more`,
    { hint: 'say why: --comment TEXT; nothing was signed' },
  );
}

/** Writes the text that lifts the lock and the mutes of a requester. @throws Problem `usage` for a comment that is too long */
export function prepareUnlocking(
  requester: Name,
  { comment, approver, broker, now }: { readonly comment: string } & Signing,
): string {
  checkComment(comment);
  return formatUnlocking({ broker, requester, approver, issued: wholeSecond(now), comment });
}

/** Null for a rule that cannot be read: nothing is signed under one. */
function knownRule(view: RequestView): Rule | null {
  try {
    return readRule(view);
  } catch {
    return null;
  }
}

/** @throws Problem `broker-reply` */
function readRule({ rule }: RequestView): Rule {
  try {
    return parseRule(rule);
  } catch (cause) {
    throw new Problem('broker-reply', 'the rule in force is not one that this version knows', { cause });
  }
}

function checkComment(comment: string): void {
  if (commentFits(comment)) return;
  throw new Problem('usage', `the comment is longer than ${MAX_COMMENT_BYTES} bytes as it is signed`);
}

const wholeSecond = (time: EpochMs): EpochMs => Math.floor(time / 1000) * 1000;
