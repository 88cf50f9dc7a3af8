import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Digest } from './names.js';
import type { JsonValue } from './strict-json.js';

/** The one text of a JSON value: RFC 8785 (JCS). */
export function canonicalJson(value: JsonValue): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}

/** SHA-256 of the UTF-8 bytes of a text, as `sha256:` and lower-case hex. */
export function sha256Digest(text: string): Digest {
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}` as Digest;
}
