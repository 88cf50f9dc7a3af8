import { createHash, verify } from 'node:crypto';
import { Problem } from '../protocol/problems.js';
import { type KeyType, type PublicKey, parsePublicKeyBlob, verificationKey } from './public-key.js';
import { WireReader, wireString, wireUint32 } from './wire.js';

/** What a signature is for: one SSHSIG namespace for each verb, so that none can be used as another (A23). */
export type Namespace =
  | 'decision@countersign'
  | 'revoke@countersign'
  | 'review@countersign'
  | 'unlock@countersign'
  | 'session@countersign'
  | 'submit@countersign'
  | 'canary@countersign'
  | 'roster@countersign'
  | 'policy@countersign'
  | 'audit@countersign'
  | 'broker@countersign';

/** A parsed SSH signature (PROTOCOL.sshsig). Nothing in it is verified yet. */
export interface SshSignature {
  readonly key: PublicKey;
  /** Whatever the signer wrote; printable ASCII. */
  readonly namespace: string;
  readonly hashAlgorithm: 'sha256' | 'sha512';
  readonly algorithm: SignatureAlgorithm;
  /** The bare signature in the form that node:crypto takes: r and s of ECDSA at full length, one after the other. */
  readonly signature: Buffer;
  /** What a security key signed besides the message (PROTOCOL.u2f); null for other keys. */
  readonly authenticator: { readonly flags: number; readonly counter: number } | null;
}

/** What a signature that holds tells about its signer. */
export interface VerifiedSignature {
  readonly key: PublicKey;
  /** The user-presence bit of a security key; null for other keys, which cannot tell. */
  readonly userPresent: boolean | null;
}

export type SignatureAlgorithm = Exclude<KeyType, 'ssh-rsa'> | 'rsa-sha2-256' | 'rsa-sha2-512';

/** The hash that node:crypto is asked for; null where the algorithm has its own. */
const HASHES: Readonly<Record<SignatureAlgorithm, string | null>> = {
  'ssh-ed25519': null,
  'sk-ssh-ed25519@openssh.com': null,
  'ecdsa-sha2-nistp256': 'sha256',
  'sk-ecdsa-sha2-nistp256@openssh.com': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
};

const MAGIC = Buffer.from('SSHSIG');
const VERSION = 1;
const USER_PRESENT = 0x01;
const BEGIN = '-----BEGIN SSH SIGNATURE-----\n';
const END = '-----END SSH SIGNATURE-----\n';
/** ssh-keygen breaks the base64 of an armor after so many characters. */
const ARMOR_COLUMNS = 70;
/** Room for the largest RSA key and signature. */
const MAX_ARMOR_CHARS = 12 * 1024;

/** Writes an SSHSIG blob as ssh-keygen does: BEGIN line, base64 in 70 columns, END line, each ended by LF. */
export function formatArmor(blob: Buffer): string {
  const base64 = blob.toString('base64');
  let body = '';
  for (let at = 0; at < base64.length; at += ARMOR_COLUMNS)
    body += `${base64.slice(at, at + ARMOR_COLUMNS)}\n`;
  return BEGIN + body + END;
}

/**
 * Parses one armored SSH signature in the one form that ssh-keygen writes, nothing before and nothing after.
 *
 * @throws Problem `malformed-signature`; `unsupported-key` if its key may not sign; `weak-signature` for SHA-1 and other
 * hashes than SHA-256 and SHA-512
 */
export function parseSignature(armor: string): SshSignature {
  const reader = new WireReader(decodeArmor(armor), 'malformed-signature');
  if (!reader.bytes(MAGIC.length).equals(MAGIC))
    throw reader.fail('the signature does not begin with SSHSIG');
  if (reader.uint32() !== VERSION) throw reader.fail(`the signature is not of version ${VERSION}`);
  const key = signingKey(reader.string());
  const namespace = reader.text();
  if (namespace === '') throw reader.fail('the namespace is empty');
  if (reader.string().length > 0) throw reader.fail('the reserved field is not empty');
  const hashAlgorithm = reader.text();
  const signature = reader.string();
  reader.end();
  if (hashAlgorithm !== 'sha256' && hashAlgorithm !== 'sha512')
    throw new Problem('weak-signature', 'the text was not hashed with SHA-256 or SHA-512');
  return { key, namespace, hashAlgorithm, ...readSignature(key, signature) };
}

/**
 * Verifies an armored signature of `message` in process, for the seven key types of `KEY_TYPES`. Who owns the key, and
 * whether it may sign, is for the caller to say.
 *
 * @throws Problem `malformed-signature`, `unsupported-key`, `weak-signature`, `wrong-namespace`, or `bad-signature` if the
 * text or the signature was changed
 */
export function verifySignature(
  message: Buffer | string,
  armor: string,
  namespace: Namespace,
): VerifiedSignature {
  const parsed = parseSignature(armor);
  if (parsed.namespace !== namespace)
    throw new Problem('wrong-namespace', `signed for ${parsed.namespace}, not for ${namespace}`);
  const { key, algorithm } = parsed;
  const isGood = verify(
    HASHES[algorithm],
    authenticatedData(parsed, message),
    { key: verificationKey(key), dsaEncoding: 'ieee-p1363' },
    parsed.signature,
  );
  if (!isGood) throw new Problem('bad-signature', 'the signature does not fit the text and the key');
  return { key, userPresent: isUserPresent(parsed) };
}

/** The user-presence bit of a security key; null for other keys. Means something of a signature that holds only. */
export const isUserPresent = ({ authenticator }: SshSignature): boolean | null =>
  authenticator === null ? null : (authenticator.flags & USER_PRESENT) !== 0;

/** The bytes that the key signed: PROTOCOL.sshsig "Signed Data", wrapped as in PROTOCOL.u2f for security keys. */
function authenticatedData(parsed: SshSignature, message: Buffer | string): Buffer {
  const { key, authenticator, hashAlgorithm } = parsed;
  const signed = Buffer.concat([
    MAGIC,
    wireString(parsed.namespace),
    wireString(''),
    wireString(hashAlgorithm),
    wireString(createHash(hashAlgorithm).update(message).digest()),
  ]);
  if (authenticator === null) return signed;
  return Buffer.concat([
    createHash('sha256')
      .update(key.application ?? '')
      .digest(),
    Buffer.of(authenticator.flags),
    wireUint32(authenticator.counter),
    createHash('sha256').update(signed).digest(),
  ]);
}

function readSignature(
  key: PublicKey,
  blob: Buffer,
): Pick<SshSignature, 'algorithm' | 'signature' | 'authenticator'> {
  const reader = new WireReader(blob, 'malformed-signature');
  const algorithm = matchingAlgorithm(key.type, reader);
  const signature = readBareSignature(key, reader.string());
  const authenticator = key.isSecurityKey ? { flags: reader.uint8(), counter: reader.uint32() } : null;
  reader.end();
  return { algorithm, signature, authenticator };
}

function matchingAlgorithm(type: KeyType, reader: WireReader): SignatureAlgorithm {
  const algorithm = reader.text();
  if (type === 'ssh-rsa') {
    if (algorithm === 'rsa-sha2-256' || algorithm === 'rsa-sha2-512') return algorithm;
    if (algorithm === 'ssh-rsa') throw new Problem('weak-signature', 'the RSA signature uses SHA-1');
  } else if (algorithm === type) return type;
  throw reader.fail('the signature algorithm does not belong to the type of the key');
}

function readBareSignature(key: PublicKey, bytes: Buffer): Buffer {
  const { kty, n = '', x = '' } = key.jwk;
  if (kty === 'EC') return readEcdsaSignature(bytes, Buffer.byteLength(x, 'base64url'));
  const length = kty === 'RSA' ? Buffer.byteLength(n, 'base64url') : 64;
  if (bytes.length !== length)
    throw new Problem('malformed-signature', `the signature does not have ${length} bytes`);
  return bytes;
}

/** RFC 5656 §3.1.2: mpint r, mpint s. */
function readEcdsaSignature(bytes: Buffer, length: number): Buffer {
  const reader = new WireReader(bytes, 'malformed-signature');
  const numbers = [reader.positiveMpint(), reader.positiveMpint()].map((number) => {
    if (number.length > length) throw reader.fail('a number of the signature is too large');
    return Buffer.concat([Buffer.alloc(length - number.length), number]);
  });
  reader.end();
  return Buffer.concat(numbers);
}

function decodeArmor(armor: string): Buffer {
  const isFramed = armor.length <= MAX_ARMOR_CHARS && armor.startsWith(BEGIN) && armor.endsWith(END);
  const blob = isFramed ? Buffer.from(armor.slice(BEGIN.length, -END.length), 'base64') : Buffer.alloc(0);
  // Whatever the decoder forgave (padding, line breaks, text around) shows when it is written again.
  if (!isFramed || formatArmor(blob) !== armor)
    throw new Problem('malformed-signature', 'not one SSH signature exactly as ssh-keygen writes it');
  return blob;
}

/** Keys that signed lately, so that checking the curve and making the node:crypto key are paid once a key. */
const recentKeys = new Map<string, PublicKey>();
const MAX_RECENT_KEYS = 4096;

function signingKey(blob: Buffer): PublicKey {
  const id = blob.toString('latin1');
  const key = recentKeys.get(id) ?? parseSigningKey(blob);
  recentKeys.delete(id);
  recentKeys.set(id, key);
  if (recentKeys.size > MAX_RECENT_KEYS) recentKeys.delete(recentKeys.keys().next().value ?? '');
  return key;
}

function parseSigningKey(blob: Buffer): PublicKey {
  try {
    return parsePublicKeyBlob(blob);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'malformed-key') throw error;
    throw new Problem('malformed-signature', `in the key of the signature: ${error.message}`, {
      cause: error,
    });
  }
}
