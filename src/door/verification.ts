import type { BoundDocument } from '../protocol/document.js';
import type { MatchedNumber } from '../protocol/matched-number.js';
import type { Digest, Fingerprint, Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parseReceipt, type Receipt } from '../protocol/receipt.js';
import type { Decision } from '../protocol/statements.js';
import type { EpochMs } from '../protocol/time.js';
import type { RevokedKeys } from '../ssh/revoked-keys.js';
import { verifySignature } from '../ssh/signature.js';
import { checkSignerAt, type Signer } from '../ssh/signers-file.js';
import { aloneObjection, isAlone } from './alone.js';
import { quorumObjection } from './quorum.js';
import type { Alone, Requirements } from './requirements.js';

/** What a door holds receipts against: all of it its own, none of it from a broker. */
export interface Expectation {
  /** The keys of the broker that the door has pinned: two while they are rotated. */
  readonly brokers: readonly Fingerprint[];
  /** What the door asked for. */
  readonly bound: BoundDocument;
  readonly signers: readonly Signer[];
  readonly revoked: RevokedKeys;
  readonly requirements: Requirements;
  /** The number of this ask, which is shown to the requester alone; null where the ask has none. */
  readonly number: MatchedNumber | null;
  /** When this door drew its ask, by its own clock; null where it does not know. */
  readonly drawn: EpochMs | null;
}

/** What verified receipts are worth together: their earliest end, shortest work and fewest uses. */
export interface Approval {
  /** Under which the use is recorded, for grants too. */
  readonly request: Digest;
  readonly covers: 'request' | 'scope';
  /** Whether the requester opened alone. */
  readonly alone: boolean;
  /** Each person once, in the order of the receipts. */
  readonly approvers: readonly Name[];
  /** The latest one, by its signer's clock. */
  readonly decided: EpochMs;
  /** First use must lie before this. */
  readonly notAfter: EpochMs;
  /** Seconds of work from first use; 0 for none. */
  readonly duration: number;
  /** 0 is any number. */
  readonly uses: number;
}

/** All receipts of a reply together, in bytes: what the doors in shell take. */
const MAX_RECEIPTS_BYTES = 64 * 1024;

/**
 * Verifies that receipts answer what this door asked, that people of its signers file signed them, and that these are
 * enough. Their times, beside their length, are for `admitUse`. The doors in shell give the same verdicts
 * (scripts/door/verify.sh).
 *
 * @param now when the keys must be valid
 * @throws Problem of the first receipt that does not hold, `no-quorum`, or `alone-too-early`
 */
export function verifyReceipts(texts: readonly string[], expected: Expectation, now: EpochMs): Approval {
  if (texts.reduce((sum, text) => sum + text.length, 0) > MAX_RECEIPTS_BYTES)
    throw new Problem('malformed-receipt', 'the receipts are longer than 64 KiB');
  const receipts = texts.map(parseReceipt);
  const [first] = receipts;
  if (first === undefined) throw new Problem('no-receipt', 'the broker says approved, but shows no receipt');
  const decisions = receipts.map(({ decision }) => decision);
  const { signers, requirements, bound, drawn } = expected;
  const alone = isAlone(decisions, requirements, signers) ? requirements.alone : null;
  for (const receipt of receipts) {
    checkTerms(receipt.decision, first.decision, expected, alone);
    checkSignature(receipt, expected, now);
  }
  const approvers = [...new Set(decisions.map(({ approver }) => approver))];
  const objection =
    alone === null
      ? quorumObjection(signers, requirements, bound.document.requester, approvers)
      : aloneObjection(first.decision, alone, { signers, drawn, now });
  if (objection !== null) throw new Problem('no-quorum', `not enough: ${objection}`);
  return {
    request: first.decision.request,
    covers: first.decision.covers,
    alone: alone !== null,
    approvers,
    decided: Math.max(...decisions.map(({ decided }) => decided)),
    notAfter: Math.min(...decisions.map(({ notAfter }) => notAfter)),
    duration: Math.min(...decisions.map(({ duration }) => duration)),
    uses: fewestUses(decisions),
  };
}

/** What is signed is what this door asked, within what it allows. */
function checkTerms(
  decision: Decision,
  first: Decision,
  { brokers, bound, requirements, number }: Expectation,
  alone: Alone | null,
): void {
  const { document, digest, scope } = bound;
  if (decision.verdict !== 'approve') throw new Problem('deny-receipt', `${decision.approver} signed no`);
  if (!brokers.includes(decision.broker))
    throw new Problem('wrong-broker', 'a receipt is for another broker');
  if (decision.door !== document.door) throw new Problem('wrong-door', 'a receipt is for another door');
  if (decision.scope !== scope) throw new Problem('wrong-scope', 'a receipt is for something else');
  if (decision.requester !== document.requester)
    throw new Problem('wrong-requester', 'a receipt is for another requester');
  const { covers, request, broker } = first;
  if (decision.covers !== covers || decision.request !== request || decision.broker !== broker)
    throw new Problem('mixed-receipts', 'the receipts are not for one request');
  if (decision.covers === 'scope') {
    if (!requirements.grants)
      throw new Problem('grant-refused', 'a receipt is a grant, which this door does not take');
  } else if (decision.request !== digest) {
    throw new Problem('wrong-request', 'a receipt is for another request');
  }
  // Who opens alone signs at the beginning of the wait.
  const longest = requirements.longest + (alone?.after ?? 0);
  if (decision.notAfter - decision.decided > longest * 1000)
    throw new Problem('too-long', 'a receipt is good for longer than this door allows');
  if (decision.duration > requirements.longestDuration)
    throw new Problem('too-long', 'a receipt is for longer work than this door allows');
  if (requirements.number) checkNumber(decision, number);
}

/** Who signed was told the number of this ask, which no broker has seen. */
function checkNumber({ approver, code }: Decision, number: MatchedNumber | null): void {
  if (number === null) throw new Problem('no-number', 'this ask has no number');
  if (code === null)
    throw new Problem('no-number', `${approver} signed without the number that this door asks for`);
  if (code !== number)
    throw new Problem('wrong-number', `${approver} signed another number than the one that was shown here`);
}

/** A key of the approver, which is valid now, signed the statement. */
function checkSignature(
  { statement, armor, decision }: Receipt,
  { signers, revoked, requirements }: Expectation,
  now: EpochMs,
): void {
  const { approver } = decision;
  const signer = signers.find(({ name }) => name === approver);
  if (signer === undefined)
    throw new Problem('unknown-approver', `${approver} is not a person of the signers file`);
  const { key, userPresent } = holding(approver, () =>
    verifySignature(statement, armor, 'decision@countersign'),
  );
  const enrolled = signer.keys.find((candidate) => candidate.key.base64 === key.base64);
  if (enrolled === undefined)
    throw new Problem('bad-signature', `the signature of ${approver} is by a key that is not enrolled`);
  holding(approver, () => checkSignerAt(enrolled, now));
  if (revoked.has(key.fingerprint))
    throw new Problem('revoked-key', `${approver} signed with a key that is revoked here`);
  // The type of the key alone proves nothing: the presence bit says that somebody touched it.
  if (requirements.touch && userPresent !== true)
    throw new Problem('no-touch', `${approver} did not touch a security key`);
}

/** Whatever is wrong with a signature, it does not hold. */
function holding<Found>(approver: Name, check: () => Found): Found {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem('bad-signature', `the signature of ${approver} does not hold: ${error.message}`, {
      cause: error,
    });
  }
}

function fewestUses(decisions: readonly Decision[]): number {
  const limited = decisions.map(({ uses }) => uses).filter((uses) => uses !== 0);
  return limited.length === 0 ? 0 : Math.min(...limited);
}
