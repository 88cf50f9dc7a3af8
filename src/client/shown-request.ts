import { canonicalJson, sha256Digest } from '../protocol/canonical.js';
import { type BoundDocument, parseDocument } from '../protocol/document.js';
import { Problem } from '../protocol/problems.js';
import type { RequestView } from '../protocol/request-view.js';
import { type JsonValue, parseStrictJson } from '../protocol/strict-json.js';

/**
 * Reads the document of a request again, as strictly as a broker or a door reads it, so that no two texts share one
 * digest. What a broker sends as a document is any object until then.
 *
 * @throws Problem `shown-differs` where it is no document.
 */
export function readShown({ id, document }: RequestView): BoundDocument {
  try {
    return parseDocument(parseStrictJson(canonicalJson(document as unknown as JsonValue)));
  } catch (cause) {
    throw new Problem('shown-differs', `what the broker shows as request ${id} is no document`, { cause });
  }
}

/**
 * Recomputes digest, scope and rule digest from what is shown (A62).
 *
 * @throws Problem `shown-differs` that names what differs.
 */
export function verifyShown(view: RequestView): BoundDocument {
  const bound = readShown(view);
  if (bound.digest !== view.digest) throw differs(view, 'its document is not the one of its digest');
  if (bound.scope !== view.scope) throw differs(view, 'its scope is not the one of its document');
  if (sha256Digest(view.rule) !== view.policy)
    throw differs(view, 'its rule is not the one of its rule digest');
  return bound;
}

function differs({ id }: RequestView, what: string): Problem {
  return new Problem('shown-differs', `request ${id} is not what it is shown as: ${what}`);
}
