import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Namespace } from '../../src/ssh/signature.ts';
import { compiled } from './modules.js';

const { formatArmor } = await compiled<typeof import('../../src/ssh/signature.ts')>('src/ssh/signature.js');
const { wireString, wireUint32 } = await compiled<typeof import('../../src/ssh/wire.ts')>('src/ssh/wire.js');

/** An Ed25519 key pair in memory: ssh-keygen takes 6 ms a signature, too long for a load. */
export interface SshKey {
  /** TYPE BASE64 */
  readonly line: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly blob: Buffer;
}

export function makeSshKey(): SshKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const point = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const blob = Buffer.concat([wireString('ssh-ed25519'), wireString(point)]);
  return { line: `ssh-ed25519 ${blob.toString('base64')}`, publicKey, privateKey, blob };
}

/** The text and its armored signature, as `ssh-keygen -Y sign` makes it (PROTOCOL.sshsig). */
export function signedText(key: SshKey, text: string, namespace: Namespace): string {
  const hashed = createHash('sha512').update(text).digest();
  const magic = Buffer.from('SSHSIG');
  const fields = [namespace, '', 'sha512'].map((field) => wireString(field));
  const signature = sign(null, Buffer.concat([magic, ...fields, wireString(hashed)]), key.privateKey);
  const blob = Buffer.concat([
    magic,
    wireUint32(1),
    wireString(key.blob),
    ...fields,
    wireString(Buffer.concat([wireString('ssh-ed25519'), wireString(signature)])),
  ]);
  return text + formatArmor(blob);
}
