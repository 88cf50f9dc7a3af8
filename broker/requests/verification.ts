import { canaryNonce } from '../../src/protocol/canary.js';
import { sha256Digest } from '../../src/protocol/canonical.js';
import type { RequestDocument } from '../../src/protocol/document.js';
import { asksNumber } from '../../src/protocol/matched-number.js';
import type { Fingerprint, Name, Nonce } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { formatSignedText, parseReceipt, parseSignedText } from '../../src/protocol/receipt.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import { lackOfReason, type Rule } from '../../src/protocol/rule.js';
import {
  type Decision,
  parseCanary,
  parseReview,
  parseRevocation,
  parseUnlocking,
  type ReviewStatement,
  type Revocation,
  type Unlocking,
} from '../../src/protocol/statements.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { isUserPresent, parseSignature, verifySignature } from '../../src/ssh/signature.js';
import type { Principals } from '../roster/principals.js';
import type { Request, Vote } from './request.js';

/** How far a signer's clock may be off the broker's, in ms. */
export const CLOCK_SKEW = 60_000;

/** What a statement about a request names of it. */
export type Signed = Pick<Request, 'digest' | 'scope'>;

/** What a signed text is held against. */
export interface VerificationContext {
  /** What a statement may call this broker, its current key first. */
  readonly brokers: readonly Fingerprint[];
  readonly principals: Principals;
  readonly now: EpochMs;
}

/**
 * Checks that a receipt speaks of exactly this request, is fresh, and was signed by the approver whom it names.
 * Whether that approver's yes may count is the policy's question; whether its `code` is right, only the door knows.
 *
 * @throws Problem of the receipt, the signature, the key or the statement.
 */
export function verifyDecision(
  text: string,
  request: Request,
  rule: Rule,
  context: VerificationContext,
): Vote {
  const { now } = context;
  const receipt = parseReceipt(text);
  const { decision } = receipt;
  checkBroker(decision.broker, context);
  if (decision.request !== request.digest) throw mismatch('the digest of another document');
  if (decision.scope !== request.scope) throw mismatch('another scope');
  if (decision.door !== request.document.door) throw mismatch('another door');
  if (decision.requester !== request.document.requester) throw mismatch('another requester');
  if (decision.policy !== request.policy)
    throw new Problem('policy-changed', 'the statement names another rule');
  if (decision.duration > request.document.duration) throw mismatch('a longer duration than was asked for');
  checkClock('decided', decision.decided, now);
  const longest = longestValidity(decision, request, rule, context);
  if (decision.notAfter <= now || decision.notAfter - decision.decided > longest * 1000) {
    throw new Problem(
      'not-after-invalid',
      `not-after ${formatTime(decision.notAfter)} is past, or more than ${longest} s after decided`,
    );
  }
  const { key, userPresent } = verifySignature(receipt.statement, receipt.armor, 'decision@countersign');
  const objection = termsObjection(decision, userPresent, rule, request.document);
  if (objection !== null) throw objection;
  checkSigner(decision.approver, context.principals.signer(key.fingerprint, now).name);
  return {
    approver: decision.approver,
    verdict: decision.verdict,
    decided: decision.decided,
    notAfter: decision.notAfter,
    covers: decision.covers,
    duration: decision.duration,
    uses: decision.uses,
    comment: decision.comment,
    receipt: formatSignedText(receipt),
  };
}

/** In seconds. The yes of the requester himself must outlast the delay in which others can say no. */
function longestValidity(
  { approver }: Decision,
  { document }: Request,
  { longestValidity: longest, alone }: Rule,
  { principals }: VerificationContext,
): number {
  const isOwn = principals.personBehind(document.requester)?.name === approver;
  return isOwn && alone !== null ? longest + alone.delay : longest;
}

/** Why a rule does not take a decision with these terms about what is asked, null if it does. */
function termsObjection(
  { verdict, covers, uses, duration, code, comment }: Decision,
  userPresent: boolean | null,
  rule: Rule,
  document: Pick<RequestDocument, 'context'>,
): Problem | null {
  const { grants, work, touch, number } = rule;
  if (covers === 'scope') {
    if (grants === null) {
      return new Problem('grant-not-allowed', 'the rule in force does not allow a lasting grant');
    }
    if (grants.uses !== 0 && (uses === 0 || uses > grants.uses)) {
      return new Problem(
        'grant-not-allowed',
        `the rule in force allows a grant of ${grants.uses} uses at most`,
        {
          hint: `sign for fewer: --uses ${grants.uses}`,
        },
      );
    }
    if (asksNumber(document)) {
      return new Problem('grant-not-allowed', 'a number is for one ask, and a grant covers later ones', {
        hint: 'approve this one ask, without --grant',
      });
    }
  }
  if (duration > work.longest) {
    return new Problem('too-long', `the rule in force allows ${work.longest} seconds of work at most`, {
      hint: `sign for a shorter time: --for ${work.longest}s`,
    });
  }
  // Saying no is never made harder.
  if (verdict === 'deny') return null;
  if (touch && userPresent !== true) {
    return new Problem('presence-missing', 'the rule in force counts touched security keys only');
  }
  const lack = lackOfReason(rule, comment);
  if (lack > 0) {
    const least = rule.confirm?.reason ?? 0;
    return new Problem(
      'reason-needed',
      `the rule in force wants a reason of at least ${least} characters from the approver, ${lack} more`,
    );
  }
  if (number && code === null) {
    return new Problem('number-needed', 'the rule in force wants the number that the requester sees');
  }
  // The door would stay shut, and the ask be over.
  if (asksNumber(document) && code === null) {
    return new Problem('number-needed', 'the door wants the number that it shows the requester');
  }
  return null;
}

/** Whether a rule takes a vote for this ask that was counted for another one. */
export function meetsTerms({ receipt }: Vote, rule: Rule, document: RequestDocument): boolean {
  const { decision, armor } = parseReceipt(receipt);
  return termsObjection(decision, isUserPresent(parseSignature(armor)), rule, document) === null;
}

/**
 * A vote stands until its not-after, and while its signer still has the key that signed it (A15).
 *
 * @param at when it must stand
 */
export function standingVotes(votes: readonly Vote[], principals: Principals, at: EpochMs): readonly Vote[] {
  return votes.filter(({ approver, notAfter, receipt }) => {
    const { key } = parseSignature(parseSignedText(receipt).armor);
    return notAfter > at && principals.ownerOf(key.fingerprint)?.name === approver;
  });
}

/**
 * Verifies once more the receipt of a vote that counts, where the broker itself is about to act on it.
 *
 * @throws Problem of the receipt, the signature or the key
 */
export function verifyStanding({ approver, receipt }: Vote, request: Request, principals: Principals): void {
  const { decision, statement, armor } = parseReceipt(receipt);
  const { digest, scope, policy, document } = request;
  const speaksOfIt =
    decision.request === digest &&
    decision.scope === scope &&
    decision.policy === policy &&
    decision.door === document.door &&
    decision.requester === document.requester &&
    decision.approver === approver &&
    decision.verdict === 'approve';
  if (!speaksOfIt) throw mismatch('something else than the request that it was counted for');
  const { key } = verifySignature(statement, armor, 'decision@countersign');
  checkSigner(approver, principals.ownerOf(key.fingerprint)?.name ?? 'nobody');
}

/**
 * Checks a revocation, and that its signer may revoke this: who approved it always may.
 *
 * @throws Problem of the signed text, the key or the statement; `not-a-revoker`
 */
export function verifyRevocation(
  text: string,
  request: Signed & { readonly votes: readonly Pick<Vote, 'approver'>[] },
  { revokers }: Rule,
  context: VerificationContext,
): Revocation {
  const { statement, armor } = parseSignedText(text);
  const revocation = parseRevocation(statement);
  checkBroker(revocation.broker, context);
  if (revocation.request !== request.digest || revocation.scope !== request.scope)
    throw mismatch('another request');
  checkClock('issued', revocation.issued, context.now);
  const { key } = verifySignature(statement, armor, 'revoke@countersign');
  const signer = context.principals.signer(key.fingerprint, context.now);
  checkSigner(revocation.approver, signer.name);
  const mayRevoke =
    revokers === null ||
    request.votes.some(({ approver }) => approver === signer.name) ||
    revokers.some((group) => context.principals.isMember(signer, group));
  if (mayRevoke) return revocation;
  throw new Problem(
    'not-a-revoker',
    `the rule lets ${revokers.join(' or ')} take this back, or who approved it`,
  );
}

/** @throws Problem of the signed text, the key or the statement. */
export function verifyReview(text: string, request: Signed, context: VerificationContext): ReviewStatement {
  const { statement, armor } = parseSignedText(text);
  const review = parseReview(statement);
  checkBroker(review.broker, context);
  if (review.request !== request.digest || review.scope !== request.scope) throw mismatch('another request');
  checkClock('issued', review.issued, context.now);
  const { key } = verifySignature(statement, armor, 'review@countersign');
  checkSigner(review.approver, context.principals.signer(key.fingerprint, context.now).name);
  return review;
}

/**
 * Checks that the submitter of a request reveals it as the canary that it was made as.
 *
 * @returns the key that signed
 * @throws Problem of the signed text, the key or the statement; `not-a-canary` where the secret is not behind its nonce
 */
export function verifyCanary(
  text: string,
  { digest, scope, nonce, submitter }: Signed & { readonly nonce: Nonce; readonly submitter: Name },
  context: VerificationContext,
): Fingerprint {
  const { statement, armor } = parseSignedText(text);
  const canary = parseCanary(statement);
  checkBroker(canary.broker, context);
  if (canary.request !== digest) throw mismatch('another request');
  checkClock('issued', canary.issued, context.now);
  const { key } = verifySignature(statement, armor, 'canary@countersign');
  const owner = context.principals.submitterByKey(key.fingerprint);
  if (owner === null) throw new Problem('unknown-key', `the key ${key.fingerprint} is no submitter's`);
  checkSigner(canary.submitter, owner.name);
  if (owner.name !== submitter) throw mismatch('a submitter who did not ask for this');
  if (canaryNonce(canary.secret, scope) !== nonce) {
    throw new Problem('not-a-canary', 'the request was not made as a canary: its nonce is of another secret');
  }
  return key.fingerprint;
}

/**
 * A change of submitters may stand before it in the same commit: the log must never show a canary by a key that it has shown
 * to be removed.
 *
 * @throws Problem `unknown-key`
 */
export function checkStillSubmits(
  key: Fingerprint,
  { submitter }: { readonly submitter: Name },
  principals: Principals,
): Submitter {
  const owner = principals.submitterByKey(key);
  if (owner?.name === submitter) return owner;
  throw new Problem('unknown-key', `the key that signed is not enrolled for ${submitter} any more`);
}

/**
 * A canary asks for the attention of approvers, and its denial mutes whom it names: only who is enrolled for it may say that it was
 * one. A log of before there was this right is verified without it.
 *
 * @throws Problem `canaries-not-allowed`
 */
export function checkMayReveal({ name, limits }: Submitter): void {
  if (limits.canaries === true) return;
  throw new Problem('canaries-not-allowed', `the submitter ${name} is not enrolled to ask canaries`);
}

/**
 * Checks who lifts a lock or mute. The nonce stands for the text, which is good once: sent again after another fraud it
 * must lift nothing.
 *
 * @throws Problem of the signed text, the key or the statement; `self-approval` for one's own.
 */
export function verifyUnlocking(
  text: string,
  context: VerificationContext,
): {
  readonly unlocking: Unlocking;
  readonly nonce: { readonly nonce: Nonce; readonly expires: EpochMs };
} {
  const { statement, armor } = parseSignedText(text);
  const unlocking = parseUnlocking(statement);
  const { principals, now } = context;
  checkBroker(unlocking.broker, context);
  checkClock('issued', unlocking.issued, now);
  const { key } = verifySignature(statement, armor, 'unlock@countersign');
  const signer = principals.signer(key.fingerprint, now);
  checkSigner(unlocking.approver, signer.name);
  if (principals.personBehind(unlocking.requester) === signer) {
    throw new Problem('self-approval', 'nobody unlocks himself', { hint: 'somebody else must lift it' });
  }
  const nonce = sha256Digest(statement).slice('sha256:'.length, 'sha256:'.length + 32) as Nonce;
  return { unlocking, nonce: { nonce, expires: unlocking.issued + 2 * CLOCK_SKEW } };
}

/** @throws Problem `wrong-broker` */
export function checkBroker(
  named: Fingerprint,
  { brokers }: { readonly brokers: readonly Fingerprint[] },
): void {
  if (brokers.includes(named)) return;
  throw new Problem('wrong-broker', `the statement is for broker ${named}, this one is ${brokers[0]}`);
}

/** @throws Problem `clock-skew` that says whose clock says what. */
export function checkClock(what: string, time: EpochMs, now: EpochMs): void {
  if (Math.abs(time - now) <= CLOCK_SKEW) return;
  throw new Problem(
    'clock-skew',
    `${what} is ${formatTime(time)} by the signer's clock, but the broker's clock says ${formatTime(now)}`,
  );
}

/** The name in a statement must be the NAME of the person who owns the key, not an alias or a group. */
export function checkSigner(claimed: string, owner: string): void {
  if (claimed !== owner)
    throw new Problem('wrong-principal', `the key belongs to ${owner}, not to ${claimed}`);
}

function mismatch(what: string): Problem {
  return new Problem('statement-mismatch', `the statement names ${what}`);
}
