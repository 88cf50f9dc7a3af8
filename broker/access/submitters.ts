import { isChangeAction } from '../../src/protocol/change-messages.js';
import type { BoundDocument } from '../../src/protocol/document.js';
import type { Nonce } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { SignedText } from '../../src/protocol/receipt.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import { parseSubmit } from '../../src/protocol/statements.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { BROKER_ITSELF } from '../changes/broker-submitter.js';
import {
  CLOCK_SKEW,
  checkBroker,
  checkClock,
  checkSigner,
  type VerificationContext,
} from '../requests/verification.js';

export interface VouchedSubmit {
  readonly submitter: Submitter;
  /** To be remembered until `expires`, so that the statement is good once. */
  readonly nonce: { readonly nonce: Nonce; readonly expires: EpochMs };
}

/**
 * Authenticates a submitter by its signed submit statement for exactly this document.
 *
 * @throws Problem of the statement, the signature or the key.
 */
export function verifySubmit(
  { statement, armor }: SignedText,
  bound: BoundDocument,
  context: VerificationContext,
): VouchedSubmit {
  const submit = parseSubmit(statement);
  checkBroker(submit.broker, context);
  if (submit.request !== bound.digest) {
    throw new Problem('statement-mismatch', 'the submit statement names the digest of another document');
  }
  checkClock('issued', submit.issued, context.now);
  const { key } = verifySignature(statement, armor, 'submit@countersign');
  const submitter = context.principals.submitterByKey(key.fingerprint);
  if (submitter === null) {
    throw new Problem('unknown-key', `the key ${key.fingerprint} is no submitter's`, {
      hint: 'enrol it first: countersign submitter add NAME --key FILE',
    });
  }
  checkSigner(submit.submitter, submitter.name);
  // Longer than the statement is good for: it is written down later than it is checked.
  return { submitter, nonce: { nonce: submit.nonce, expires: submit.issued + 2 * CLOCK_SKEW } };
}

/**
 * Holds a document against what its submitter may ask for. What the broker itself is the door of, nobody else asks for.
 *
 * @throws Problem `submitter-limits` or, for the local socket, `demo-only`, naming the field.
 */
export function checkLimits(submitter: Submitter, { document }: BoundDocument): void {
  const { limits, name, credential } = submitter;
  const refuse = (field: string, value: string): Problem =>
    new Problem(
      credential.kind === 'socket' ? 'demo-only' : 'submitter-limits',
      `${name} may not ask for ${field} ${JSON.stringify(value)}`,
    );
  // A17: however wide its limits are, only the broker asks for changes of its own.
  if (isChangeAction(document.action) && submitter !== BROKER_ITSELF) {
    throw refuse('action', document.action);
  }
  if (!matches(limits.actions, document.action)) throw refuse('action', document.action);
  if (!matches(limits.doors, document.door)) throw refuse('door', document.door);
  if (!matches(limits.resources, document.resource)) throw refuse('resource', document.resource);
  if (document.requester !== name && !matches(limits.requesters, document.requester)) {
    throw refuse('requester', document.requester);
  }
}

/** A pattern is an exact text, or a prefix followed by `*`. */
export function matches(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern,
  );
}
