import { Problem } from '../protocol/problems.js';
import type { Decision } from '../protocol/statements.js';
import type { EpochMs } from '../protocol/time.js';
import type { Signer } from '../ssh/signers-file.js';
import { personBehind } from './quorum.js';
import type { Requirements } from './requirements.js';

/** Whether a receipt is the only one, and by the requester himself, where a door lets somebody open alone. */
export function isAlone(
  decisions: readonly Decision[],
  { alone }: Pick<Requirements, 'alone'>,
  signers: readonly Signer[],
): boolean {
  const [only] = decisions;
  if (alone === null || only === undefined || decisions.length > 1) return false;
  return personBehind(signers, only.requester)?.name === only.approver;
}

/**
 * Says why the requester's own receipt does not open, in words; null if it does: somebody of the group, with a reason of
 * some length, once this door's own clock says that the ask has stood for so long that anybody could have stopped it. The
 * doors in shell do the same (scripts/door/alone.sh).
 *
 * @param drawn when this door asked, null where it does not know
 * @throws Problem `alone-too-early`
 */
export function aloneObjection(
  { covers, comment, requester }: Decision,
  alone: NonNullable<Requirements['alone']>,
  {
    signers,
    drawn,
    now,
  }: { readonly signers: readonly Signer[]; readonly drawn: EpochMs | null; readonly now: EpochMs },
): string | null {
  if (personBehind(signers, requester)?.groups.includes(alone.group) !== true)
    return `${requester} is not in the group that may open alone`;
  if (covers === 'scope') return 'a grant is not for one person alone';
  if (comment.length < alone.reason)
    return `the reason has ${comment.length} characters, and ${alone.reason} are needed`;
  if (drawn === null) return 'this door does not know when it asked';
  if (now < drawn) return 'the clock of this machine was set back: it is before the ask';
  const left = drawn + alone.after * 1000 - now;
  if (left > 0)
    throw new Problem(
      'alone-too-early',
      `nobody opens alone before ${Math.ceil(left / 1000)} seconds are over`,
    );
  return null;
}
