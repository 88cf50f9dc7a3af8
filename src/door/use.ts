import { Problem } from '../protocol/problems.js';
import type { EpochMs } from '../protocol/time.js';
import type { Approval } from './verification.js';

/** What a door has on record for one digest that was signed. */
export interface PastUses {
  readonly count: number;
  /** To the second; null where there was none, or where the record cannot be read. */
  readonly first: EpochMs | null;
}

/** How far ahead of this clock a signer's clock may be, in ms. */
const SKEW = 60_000;

/**
 * Decides whether an approval may be used now, after what it was used for before.
 *
 * @returns false where it is used up, so that the door may ask anew
 * @throws Problem `clock-skew`, `clock-back`, `too-late`, `grant-ended` where this is not its time
 */
export function admitUse(approval: Approval, past: PastUses, now: EpochMs): boolean {
  const { covers, decided, notAfter, duration, uses } = approval;
  if (decided > now + SKEW)
    throw new Problem(
      'clock-skew',
      'an approval is from the future: the clock of its signer or of this machine is wrong',
    );
  const tooLate = new Problem('too-late', 'the approval ended before it was used');
  if (past.count === 0) {
    if (now >= notAfter) throw tooLate;
    return true;
  }
  // A record that cannot be read counts as used up.
  if (covers === 'request' || past.first === null || (uses !== 0 && past.count >= uses)) return false;
  if (now < past.first)
    throw new Problem('clock-back', 'the clock of this machine is before the first use of this grant');
  if (duration === 0) {
    if (now >= notAfter) throw tooLate;
    return true;
  }
  // An approval that had ended before the first use was no part of it, and does not stretch it now.
  if (past.first >= notAfter) throw tooLate;
  if (now >= past.first + duration * 1000) throw new Problem('grant-ended', 'the time of the grant is over');
  return true;
}
