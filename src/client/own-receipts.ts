import { parseDocument } from '../protocol/document.js';
import { Problem } from '../protocol/problems.js';
import { parseReceipt, type Receipt } from '../protocol/receipt.js';
import type { JsonObject } from '../protocol/strict-json.js';
import type { EpochMs } from '../protocol/time.js';
import { verifySignature } from '../ssh/signature.js';
import type { StandingAsk } from './standing-asks.js';

/**
 * Checks the receipts that a redeem returned as far as an asker can who has no signers file: each one is a fresh yes to
 * exactly this document at this broker, or to every equal one, and its signature holds. Whether the signer may approve is for a door to check.
 *
 * @throws Problem `broker-reply` where there is none, or one says something else; `bad-signature` and its like.
 */
export function checkReceipts(texts: readonly string[], ask: StandingAsk, now: EpochMs): readonly Receipt[] {
  if (texts.length === 0) throw new Problem('broker-reply', 'the broker says approved, but shows no receipt');
  return texts.map((text) => {
    const receipt = parseReceipt(text);
    const { decision } = receipt;
    const { digest, scope, document } = parseDocument({ ...ask.document } as unknown as JsonObject);
    const speaksOfIt =
      decision.broker === ask.broker &&
      (decision.request === digest || decision.covers === 'scope') &&
      decision.scope === scope &&
      decision.door === document.door &&
      decision.requester === document.requester &&
      decision.verdict === 'approve';
    if (!speaksOfIt) throw new Problem('broker-reply', 'a receipt of the broker is no yes to this request');
    // The time of a grant with a duration is counted from its first use, which the door knows.
    const isTimed = decision.covers === 'scope' && decision.duration > 0;
    if (decision.notAfter <= now && !isTimed)
      throw new Problem('broker-reply', 'a receipt of the broker is too old');
    verifySignature(receipt.statement, receipt.armor, 'decision@countersign');
    return receipt;
  });
}
