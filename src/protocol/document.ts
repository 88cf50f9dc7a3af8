import { canonicalJson, sha256Digest } from './canonical.js';
import { type Digest, isName, isNonce, type Name, type Nonce } from './names.js';
import { Problem } from './problems.js';
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.js';

/** Largest canonical document, in bytes. */
export const MAX_DOCUMENT_BYTES = 64 * 1024;
/** Longest resource name, in bytes of UTF-8. */
export const MAX_RESOURCE_BYTES = 1024;
/** Longest work that can be asked for, in seconds: 31 days. */
export const MAX_DURATION_SECONDS = 31 * 24 * 3600;

/** What is asked: everything an approver reads and a door binds. */
export interface RequestDocument {
  readonly version: 1;
  readonly action: Name;
  readonly door: Name;
  readonly requester: Name;
  /** What is opened, in the words of its owner; 1 to 1,024 bytes without control characters. */
  readonly resource: string;
  /** Bound: everything that changes what is opened or run. */
  readonly details: JsonObject;
  /** For the reader: reason, ticket and the like. Never matched. */
  readonly context: JsonObject;
  /** Seconds of work asked for, counted from first use; 0 for none. */
  readonly duration: number;
  readonly nonce: Nonce;
}

/** A document with the text and the two digests that follow from it. */
export interface BoundDocument {
  readonly document: RequestDocument;
  /** RFC 8785 form; `digest` is over exactly these bytes. */
  readonly canonical: string;
  readonly digest: Digest;
  /** Equal for asks that would do the same, whatever their nonce and reason. */
  readonly scope: Digest;
}

const FIELDS = [
  'action',
  'context',
  'details',
  'door',
  'duration',
  'nonce',
  'requester',
  'resource',
  'version',
] as const;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Parses a value that {@link parseStrictJson} returned. Every field must be there: an absent `details` beside an empty
 * one would be two digests for one meaning.
 *
 * @throws Problem `malformed-document` naming the field and its rule, or `body-too-large`.
 */
export function parseDocument(value: JsonValue | undefined): BoundDocument {
  if (!isJsonObject(value)) throw malformed('the document', 'is not a JSON object');
  for (const key of Object.keys(value)) {
    if (!FIELDS.some((field) => field === key))
      throw malformed(JSON.stringify(key), 'is not a field of a document');
  }
  if (value.version !== 1) throw malformed('version', 'is not 1');
  const document: RequestDocument = {
    version: 1,
    action: nameField(value, 'action'),
    door: nameField(value, 'door'),
    requester: nameField(value, 'requester'),
    resource: resourceField(value.resource),
    details: objectField(value, 'details'),
    context: objectField(value, 'context'),
    duration: durationField(value.duration),
    nonce: nonceField(value.nonce),
  };
  const canonical = canonicalJson(value);
  if (Buffer.byteLength(canonical) > MAX_DOCUMENT_BYTES) {
    throw new Problem('body-too-large', `the document is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  }
  return { document, canonical, digest: sha256Digest(canonical), scope: scopeOf(document) };
}

/** `sha256(JCS({action, details, door, requester, resource}))`. */
export function scopeOf(document: Omit<RequestDocument, 'nonce'>): Digest {
  const { action, details, door, requester, resource } = document;
  return sha256Digest(canonicalJson({ action, details, door, requester, resource }));
}

function nameField(value: JsonObject, field: 'action' | 'door' | 'requester'): Name {
  const name = value[field];
  if (isName(name)) return name;
  throw malformed(field, 'is not a name: 1 to 128 of a-z 0-9 . _ @ : + -, not starting with group:');
}

function resourceField(resource: JsonValue | undefined): string {
  if (typeof resource !== 'string' || resource === '' || CONTROL.test(resource)) {
    throw malformed('resource', 'is not a text without control characters');
  }
  if (Buffer.byteLength(resource) > MAX_RESOURCE_BYTES) {
    throw malformed('resource', `is longer than ${MAX_RESOURCE_BYTES} bytes`);
  }
  return resource;
}

function objectField(value: JsonObject, field: 'details' | 'context'): JsonObject {
  const object = value[field];
  if (isJsonObject(object)) return object;
  throw malformed(field, 'is not a JSON object; write {} for none');
}

function durationField(duration: JsonValue | undefined): number {
  if (typeof duration === 'number' && duration <= MAX_DURATION_SECONDS) return duration;
  throw malformed('duration', `is not a number of seconds from 0 to ${MAX_DURATION_SECONDS}`);
}

function nonceField(nonce: JsonValue | undefined): Nonce {
  if (isNonce(nonce)) return nonce;
  throw malformed('nonce', 'is not 32 lower-case hex digits');
}

function malformed(field: string, what: string): Problem {
  return new Problem('malformed-document', `${field} ${what}`);
}
