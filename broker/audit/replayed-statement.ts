import type { Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { CLOCK_SKEW, type VerificationContext } from '../requests/verification.js';
import type { Principals } from '../roster/principals.js';
import { COMMIT_DELAY, type Moment } from './replayed-request.js';

/**
 * In what a signed text of an entry must hold. When the broker checked it is not in the log: at some moment shortly before
 * the entry it must have been good.
 */
export function contextOf(
  { at, witness, brokers: namesAt }: Moment,
  principals: Principals,
  signed: EpochMs,
  text: string,
  notAfter = Number.POSITIVE_INFINITY,
): VerificationContext {
  const now = Math.max(at - COMMIT_DELAY, Math.min(at, signed + CLOCK_SKEW, notAfter - 1));
  const known = namesAt(now);
  if (known === null)
    witness.unchecked('what statements call the broker, where no entry before names its key');
  const named = /^broker: (\S+)$/m.exec(text)?.[1] as Fingerprint | undefined;
  const brokers = known ?? (named === undefined ? [] : [named]);
  return { brokers, principals, now };
}

export const another = (): Problem =>
  new Problem('statement-mismatch', 'the entry says another thing than the signed text');

export const self = (name: Name): Problem => new Problem('self-approval', `${name} is who asked`);
