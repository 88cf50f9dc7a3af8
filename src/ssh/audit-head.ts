import { type AuditHead, parseAuditHead } from '../protocol/audit-head.js';
import { Problem } from '../protocol/problems.js';
import { parseSignedText } from '../protocol/receipt.js';
import { verifySignature } from './signature.js';

/**
 * Reads a head that the key which it names has signed. Whether that is the key of the broker in question is for the caller.
 *
 * @param text statement and armor
 * @throws Problem of the text or the signature; `bad-signature` where another key signed
 */
export function verifyAuditHead(text: string): AuditHead {
  const { statement, armor } = parseSignedText(text);
  const head = parseAuditHead(statement);
  const { key } = verifySignature(statement, armor, 'audit@countersign');
  if (key.fingerprint !== head.broker) {
    throw new Problem('bad-signature', `the head of ${head.broker} is signed by ${key.fingerprint}`);
  }
  return head;
}
