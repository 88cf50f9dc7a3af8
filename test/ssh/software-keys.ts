import { createHash, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import type { KeyType } from '../../src/ssh/public-key.js';
import { formatArmor } from '../../src/ssh/signature.js';
import { wireMpint, wireString, wireUint32 } from '../../src/ssh/wire.js';

/** A key pair held in memory, security keys included: it can sign anything, rightly or wrongly. */
export interface SoftwareKey {
  readonly type: KeyType;
  readonly blob: Buffer;
  /** `TYPE BASE64` */
  readonly line: string;
  readonly privateKey: KeyObject;
  readonly application: string | null;
}

/** What a forger may choose; the defaults make a right signature. */
export interface Forgery {
  readonly version?: number;
  readonly namespace?: string;
  readonly reserved?: string;
  readonly hash?: string;
  readonly algorithm?: string;
  readonly flags?: number;
  readonly counter?: number;
}

const CURVES: Partial<Record<KeyType, { name: string; node: string; hash: string }>> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', node: 'P-256', hash: 'sha256' },
  'sk-ecdsa-sha2-nistp256@openssh.com': { name: 'nistp256', node: 'P-256', hash: 'sha256' },
  'ecdsa-sha2-nistp384': { name: 'nistp384', node: 'P-384', hash: 'sha384' },
  'ecdsa-sha2-nistp521': { name: 'nistp521', node: 'P-521', hash: 'sha512' },
};

export function makeSoftwareKey(type: KeyType, rsaBits = 2048): SoftwareKey {
  const application = type.startsWith('sk-') ? 'ssh:' : null;
  const curve = CURVES[type];
  const pair =
    type === 'ssh-rsa'
      ? generateKeyPairSync('rsa', { modulusLength: rsaBits })
      : curve === undefined
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: curve.node });
  const blob = Buffer.concat([
    wireString(type),
    publicParts(pair.publicKey.export({ format: 'jwk' }), curve?.name),
    ...(application === null ? [] : [wireString(application)]),
  ]);
  return { type, blob, line: `${type} ${blob.toString('base64')}`, privateKey: pair.privateKey, application };
}

/** Signs as ssh-keygen -Y sign does, but for what the forgery says. */
export function signInSoftware(key: SoftwareKey, message: string, forgery: Forgery = {}): string {
  return formatArmor(signatureBlob(key, message, forgery));
}

export function signatureBlob(key: SoftwareKey, message: string, forgery: Forgery = {}): Buffer {
  const { version = 1, namespace = 'decision@countersign', reserved = '', hash = 'sha512' } = forgery;
  const digest = createHash(hash).update(message).digest();
  const signed = Buffer.concat([
    Buffer.from('SSHSIG'),
    ...[namespace, reserved, hash, digest].map((field) => wireString(field)),
  ]);
  return Buffer.concat([
    Buffer.from('SSHSIG'),
    wireUint32(version),
    ...[key.blob, namespace, reserved, hash, keySignature(key, signed, forgery)].map((field) =>
      wireString(field),
    ),
  ]);
}

function keySignature(key: SoftwareKey, signed: Buffer, forgery: Forgery): Buffer {
  const { algorithm = key.type === 'ssh-rsa' ? 'rsa-sha2-512' : key.type } = forgery;
  if (key.application === null) {
    return Buffer.concat([wireString(algorithm), wireString(bareSignature(key, signed, algorithm))]);
  }
  const { flags = 1, counter = 7 } = forgery;
  const tail = Buffer.concat([Buffer.of(flags), wireUint32(counter)]);
  const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();
  const asserted = Buffer.concat([sha256(key.application), tail, sha256(signed)]);
  return Buffer.concat([wireString(algorithm), wireString(bareSignature(key, asserted, algorithm)), tail]);
}

function bareSignature(key: SoftwareKey, data: Buffer, algorithm: string): Buffer {
  const curve = CURVES[key.type];
  if (curve !== undefined) {
    const raw = sign(curve.hash, data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    const half = raw.length / 2;
    return Buffer.concat([wireMpint(raw.subarray(0, half)), wireMpint(raw.subarray(half))]);
  }
  if (key.type !== 'ssh-rsa') return sign(null, data, key.privateKey);
  const hash = { 'ssh-rsa': 'sha1', 'rsa-sha2-256': 'sha256' }[algorithm] ?? 'sha512';
  return sign(hash, data, key.privateKey);
}

function publicParts(jwk: JsonWebKey, curve: string | undefined): Buffer {
  const bytes = (field: string | undefined): Buffer => Buffer.from(field ?? '', 'base64url');
  if (jwk.kty === 'RSA') return Buffer.concat([wireMpint(bytes(jwk.e)), wireMpint(bytes(jwk.n))]);
  if (curve === undefined) return wireString(bytes(jwk.x));
  return Buffer.concat([
    wireString(curve),
    wireString(Buffer.concat([Buffer.of(4), bytes(jwk.x), bytes(jwk.y)])),
  ]);
}
