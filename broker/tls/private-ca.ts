// The library takes its parts from a container that needs this first.
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { writeDurably } from '../durable-file.js';
import type { CertificateFiles } from './certificate.js';
import { NAME_CONSTRAINTS, nameConstraints } from './name-constraints.js';
import { isAddress, type ServerNames } from './server-names.js';

const DAY = 24 * 3600 * 1000;
const CA_LIFE = 3650 * DAY;
/** The most that clients take (CA/Browser Forum, Ballot SC31). */
const CERTIFICATE_LIFE = 398 * DAY;
/** Clients whose clock is behind must not find a certificate from the future. */
const CLOCK_TOLERANCE = 3600 * 1000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** What a private CA has issued. */
export interface Issued extends CertificateFiles {
  /** Path of the certificate that clients trust. */
  readonly ca: string;
  /** What clients may call the broker. */
  readonly names: readonly string[];
}

/**
 * Issues a certificate from the CA in `directory`, which is made if there is none. The CA vouches for the names that it was
 * made with, and for no others: it lives for ten years, its key stays where it is.
 *
 * @throws Problem `usage` where it was made without one of the required names.
 */
export async function issueCertificate(directory: string, names: ServerNames, now: EpochMs): Promise<Issued> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = (name: string): string => join(directory, name);
  if (!existsSync(path('ca.pem'))) await makeAuthority(path, [...names.required, ...names.also], now);
  const vouchedFor = (await readFile(path('ca.names'), 'utf8')).trimEnd().split('\n');
  const missing = names.required.filter((name) => !vouchedFor.includes(name));
  if (missing.length > 0) {
    throw new Problem(
      'usage',
      `the private CA in ${directory} was made for ${vouchedFor.join(', ')} and cannot vouch for ${missing.join(', ')}`,
      {
        hint: `make a new one: rm -r ${directory}, start again, and give every client and door the new ca.pem`,
      },
    );
  }
  const certified = [...names.required, ...names.also].filter((name) => vouchedFor.includes(name));
  const ca = new x509.X509Certificate(await readFile(path('ca.pem'), 'utf8'));
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: 'CN=Countersign broker',
    issuer: ca.subject,
    notBefore: new Date(now - CLOCK_TOLERANCE),
    notAfter: new Date(Math.min(now - CLOCK_TOLERANCE + CERTIFICATE_LIFE, ca.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: await readAuthorityKey(path('ca.key')),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        certified.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  // A crash between the two leaves a pair that does not match; it is issued anew at each start.
  await writeDurably(path('server.key'), await privatePem(keys), 0o600);
  await writeDurably(path('server.pem'), `${certificate.toString('pem')}\n`, 0o644);
  return { certificate: path('server.pem'), key: path('server.key'), ca: path('ca.pem'), names: certified };
}

async function makeAuthority(
  path: (name: string) => string,
  names: readonly string[],
  now: EpochMs,
): Promise<void> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Countersign private CA ${randomBytes(4).toString('hex')}`,
    notBefore: new Date(now - CLOCK_TOLERANCE),
    notAfter: new Date(now + CA_LIFE),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.Extension(NAME_CONSTRAINTS, true, nameConstraints(names)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeDurably(path('ca.key'), await privatePem(keys), 0o600);
  await writeDurably(path('ca.names'), `${names.join('\n')}\n`, 0o644);
  // Last: without it, it is made anew.
  await writeDurably(path('ca.pem'), `${certificate.toString('pem')}\n`, 0o644);
}

const makeKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

async function readAuthorityKey(file: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(await readFile(file)).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

async function privatePem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

/** 127 random bits, positive (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x01, 0);
  return bytes.toString('hex');
}
