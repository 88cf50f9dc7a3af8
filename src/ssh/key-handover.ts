import type { Fingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parseSignedText } from '../protocol/receipt.js';
import { parseKeyHandover } from '../protocol/statements.js';
import type { EpochMs } from '../protocol/time.js';
import { type PublicKey, parsePublicKeyLine } from './public-key.js';
import { verifySignature } from './signature.js';

/** A key that a broker had before, and until when it still goes by it. */
export interface FormerKey {
  readonly fingerprint: Fingerprint;
  readonly validUntil: EpochMs;
  /** The signed handover to the key after it. */
  readonly handover: string;
}

/** The former keys, oldest first, of which each handed over to the next one and the last to the current key. */
export type FormerKeys = readonly FormerKey[];

/**
 * Reads a handover that its old key signed.
 *
 * @returns the old key, and the fingerprint of the one that it names
 * @throws Problem of the text, the key or the signature; `bad-signature` where another key than the old one signed.
 */
export function verifyKeyHandover(
  text: string,
): FormerKey & { readonly next: Fingerprint; readonly nextKey: PublicKey } {
  const { statement, armor } = parseSignedText(text);
  const { old, next, oldValidUntil } = parseKeyHandover(statement);
  const { key } = verifySignature(statement, armor, 'broker@countersign');
  if (key.fingerprint !== old) {
    throw new Problem('bad-signature', `the handover of ${old} is signed by ${key.fingerprint}`);
  }
  const nextKey = parsePublicKeyLine(next);
  return {
    fingerprint: old,
    next: nextKey.fingerprint,
    nextKey,
    validUntil: oldValidUntil,
    handover: text,
  };
}

/**
 * Follows handovers back from the current key, for as long as each one leads to the next and is still in force.
 *
 * @param handovers oldest first
 * @throws Problem for one of them that does not verify.
 */
export function formerKeys(handovers: readonly string[], current: Fingerprint, now: EpochMs): FormerKeys {
  const former: FormerKey[] = [];
  let next = current;
  for (const text of [...handovers].reverse()) {
    const handover = verifyKeyHandover(text);
    if (handover.next !== next || handover.validUntil <= now) break;
    const { fingerprint, validUntil } = handover;
    former.unshift({ fingerprint, validUntil, handover: text });
    next = fingerprint;
  }
  return former;
}
