import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type Fingerprint, isFingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { isSoundEd25519Key } from './edwards25519.js';
import { WireReader } from './wire.js';

/** The key types that may sign (RFC 8709, 5656, 4253; PROTOCOL.u2f for `sk-`). */
export const KEY_TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;

export type KeyType = (typeof KEY_TYPES)[number];

/** A public key that was parsed and checked: equal keys have equal `base64`, and only one. */
export interface PublicKey {
  readonly type: KeyType;
  /** The key in SSH wire form (RFC 4253 §6.6). */
  readonly blob: Buffer;
  /** `blob` in canonical base64, as it stands in key and signers files. */
  readonly base64: string;
  readonly fingerprint: Fingerprint;
  /** Whether the key lives in a FIDO token, so that its signatures say whether somebody touched it. */
  readonly isSecurityKey: boolean;
  /** The FIDO application of a security key, usually `ssh:`; null for other keys. */
  readonly application: string | null;
  /** The numbers of the key as an RFC 7517 JSON Web Key, the form that node:crypto takes. */
  readonly jwk: JsonWebKey;
}

interface KeyParts {
  readonly jwk: JsonWebKey;
  readonly application: string | null;
}

const CURVES = {
  nistp256: { crv: 'P-256', bytes: 32 },
  nistp384: { crv: 'P-384', bytes: 48 },
  nistp521: { crv: 'P-521', bytes: 66 },
} as const;

const MIN_RSA_BITS = 2048;
/** The largest modulus that OpenSSH reads. */
const MAX_RSA_BITS = 16384;
/** Room for the largest key and a comment. */
const MAX_LINE_CHARS = 8192;
const PUBLIC_KEY_LINE = /^([a-z0-9@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})(?: ([^\p{Cc}\p{Zl}\p{Zp}]*))?\n?$/u;

/**
 * Parses one line of an OpenSSH public key file, `TYPE BASE64 [COMMENT]`, with or without its LF. The comment is
 * untrusted text without control characters.
 *
 * @throws Problem `malformed-key` for anything but the one canonical form, `unsupported-key` for types (DSA,
 * certificates) and sizes that may not sign
 */
export function parsePublicKeyLine(line: string): PublicKey & { readonly comment: string } {
  const match = line.length > MAX_LINE_CHARS ? null : PUBLIC_KEY_LINE.exec(line);
  if (match === null) throw malformed('not one line of TYPE BASE64 [COMMENT]');
  const [, type = '', base64 = '', comment = ''] = match;
  supportedType(type);
  const key = parsePublicKeyBlob(decodeCanonicalBase64(base64));
  if (key.type !== type) throw malformed('the type before the base64 is not the type inside');
  return { ...key, comment };
}

/**
 * Parses a key in SSH wire form.
 *
 * @throws Problem `malformed-key` for missing or left-over bytes, numbers that are not minimal and points that are not
 * on their curve; `unsupported-key` for types and sizes that may not sign
 */
export function parsePublicKeyBlob(blob: Buffer): PublicKey {
  // A copy: the caller's buffer may change, and a view would keep a larger one alive.
  const bytes = Buffer.from(blob);
  const reader = new WireReader(bytes, 'malformed-key');
  const type = supportedType(reader.text());
  const parts = readParts(type, reader);
  reader.end();
  const key: PublicKey = {
    type,
    blob: bytes,
    base64: bytes.toString('base64'),
    fingerprint: fingerprintOf(bytes),
    isSecurityKey: parts.application !== null,
    ...parts,
  };
  verificationKey(key);
  return key;
}

/** Writes `TYPE BASE64`, without comment and LF. */
export function formatPublicKey(key: PublicKey): string {
  return `${key.type} ${key.base64}`;
}

/**
 * Parses `SHA256:` and 43 characters of base64, as `ssh-keygen -l` prints it.
 *
 * @throws Problem `malformed-key`
 */
export function parseFingerprint(text: string): Fingerprint {
  if (isFingerprint(text)) return text;
  throw malformed('a fingerprint is SHA256: and 43 characters of base64');
}

const verificationKeys = new WeakMap<PublicKey, KeyObject>();

/**
 * The node:crypto form of a key, made once for each PublicKey.
 *
 * @throws Problem `malformed-key` if the numbers are no key, such as a point that is not on the curve
 */
export function verificationKey(key: PublicKey): KeyObject {
  const known = verificationKeys.get(key);
  if (known !== undefined) return known;
  let made: KeyObject;
  try {
    made = createPublicKey({ key: key.jwk, format: 'jwk' });
  } catch (cause) {
    throw new Problem('malformed-key', 'the numbers of the key are not a key of its type', { cause });
  }
  verificationKeys.set(key, made);
  return made;
}

function supportedType(text: string): KeyType {
  const type = KEY_TYPES.find((known) => known === text);
  if (type !== undefined) return type;
  if (text.includes('-cert-v')) throw unsupported('certificates are not keys: give the plain key');
  throw unsupported('a key of this type may not sign');
}

function readParts(type: KeyType, reader: WireReader): KeyParts {
  switch (type) {
    case 'ssh-ed25519':
      return { jwk: readEd25519(reader), application: null };
    case 'sk-ssh-ed25519@openssh.com':
      return { jwk: readEd25519(reader), application: reader.text() };
    case 'ecdsa-sha2-nistp256':
      return { jwk: readEcdsa(reader, 'nistp256'), application: null };
    case 'ecdsa-sha2-nistp384':
      return { jwk: readEcdsa(reader, 'nistp384'), application: null };
    case 'ecdsa-sha2-nistp521':
      return { jwk: readEcdsa(reader, 'nistp521'), application: null };
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return { jwk: readEcdsa(reader, 'nistp256'), application: reader.text() };
    case 'ssh-rsa':
      return { jwk: readRsa(reader), application: null };
  }
}

function readEd25519(reader: WireReader): JsonWebKey {
  const point = reader.string();
  if (!isSoundEd25519Key(point)) throw reader.fail('the point is not a usable point of the curve');
  return { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') };
}

function readEcdsa(reader: WireReader, name: keyof typeof CURVES): JsonWebKey {
  const { crv, bytes } = CURVES[name];
  if (reader.text() !== name) throw reader.fail('the curve is not the one of the key type');
  const point = reader.string();
  if (point.length !== 1 + 2 * bytes || point[0] !== 4)
    throw reader.fail('the point is not an uncompressed point of the curve');
  return {
    kty: 'EC',
    crv,
    x: point.subarray(1, 1 + bytes).toString('base64url'),
    y: point.subarray(1 + bytes).toString('base64url'),
  };
}

function readRsa(reader: WireReader): JsonWebKey {
  const exponent = reader.positiveMpint();
  const modulus = reader.positiveMpint();
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    throw unsupported(`an RSA key has ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, this one ${bits}`);
  // With the exponent 1 a signature is the padded hash itself, which anybody can write.
  if (exponent.length > 4 || exponent.equals(Buffer.of(1)) || isEven(exponent) || isEven(modulus))
    throw unsupported('the RSA exponent or modulus is even, too small or too large');
  return { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') };
}

const isEven = (magnitude: Buffer): boolean => ((magnitude.at(-1) ?? 0) & 1) === 0;

function fingerprintOf(blob: Buffer): Fingerprint {
  const digest = createHash('sha256').update(blob).digest('base64');
  return parseFingerprint(`SHA256:${digest.slice(0, 43)}`);
}

function decodeCanonicalBase64(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw malformed('the base64 is not canonical');
  return bytes;
}

const malformed = (what: string): Problem => new Problem('malformed-key', what);
const unsupported = (what: string): Problem => new Problem('unsupported-key', what);
