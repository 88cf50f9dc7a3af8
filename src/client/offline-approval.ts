import type { BoundDocument } from '../protocol/document.js';
import type { Fingerprint, Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { commentFits, MAX_COMMENT_BYTES } from '../protocol/statement.js';
import { formatDecision } from '../protocol/statements.js';
import type { EpochMs } from '../protocol/time.js';

/** What an approver adds to a document that came without a broker. */
export interface OfflineApproval {
  readonly approver: Name;
  /** The key of the broker that the door pins; nobody was asked for it. */
  readonly broker: Fingerprint;
  /** Six digits that the requester was shown, null for none. */
  readonly code: string | null;
  readonly comment: string;
  /** By the signer's clock. */
  readonly now: EpochMs;
  /** Seconds, at most {@link LONGEST_OFFLINE}. */
  readonly validity: number;
}

/** Longest `not-after` − `decided` of an offline approval, in seconds. */
export const LONGEST_OFFLINE = 900;

/**
 * Writes the text that an approver signs for a door whose broker is down: for this one ask, once, under no rule of a broker.
 *
 * @throws Problem `self-approval` where the requester is the approver; `usage` for a comment or a time that is too long
 */
export function prepareOfflineApproval(
  { document, digest, scope }: BoundDocument,
  { approver, broker, code, comment, now, validity }: OfflineApproval,
): string {
  if (document.requester === approver)
    throw new Problem('self-approval', 'that is your own ask: no door counts your signature for it');
  if (!commentFits(comment))
    throw new Problem('usage', `the comment is longer than ${MAX_COMMENT_BYTES} bytes as it is signed`);
  if (validity < 1 || validity > LONGEST_OFFLINE)
    throw new Problem('usage', `an offline approval is good for 1 to ${LONGEST_OFFLINE} seconds`);
  const decided = Math.floor(now / 1000) * 1000;
  return formatDecision({
    broker,
    door: document.door,
    request: digest,
    scope,
    covers: 'scope',
    policy: null,
    verdict: 'approve',
    requester: document.requester,
    approver,
    decided,
    notAfter: decided + validity * 1000,
    duration: 0,
    uses: 1,
    code,
    comment,
  });
}
