import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Problem } from '../../src/protocol/problems.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The certificate of the broker, then those between it and the root. */
  readonly certificate: string;
  /** Its key, without a passphrase. */
  readonly key: string;
}

/** A certificate and its key, which go together. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly validFrom: EpochMs;
  readonly validUntil: EpochMs;
}

/**
 * Reads a certificate that can be served now.
 *
 * @throws Problem `usage` that names the file and what is wrong: unreadable, not PEM, a key with a passphrase or of
 * another certificate, too weak for OpenSSL, expired, not valid yet.
 */
export function readCertificate(files: CertificateFiles, now: EpochMs): Certificate {
  const cert = readPem(files.certificate);
  const key = readPem(files.key);
  const parsed = parse(files.certificate, 'certificate', () => new X509Certificate(cert));
  const privateKey = parse(files.key, 'private key without a passphrase', () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new Problem(
      'usage',
      `the key ${files.key} is not the one of the certificate ${files.certificate}`,
      {
        hint: 'name the two files that were issued together; the certificate itself stands first in its file',
      },
    );
  }
  checkUsable(files, { cert, key });
  const [validFrom, validUntil] = [Date.parse(parsed.validFrom), Date.parse(parsed.validTo)];
  if (validUntil <= now) {
    throw new Problem('usage', `the certificate ${files.certificate} expired at ${formatTime(validUntil)}`, {
      hint: 'renew it, then start again; a running broker takes a new one over at SIGHUP',
    });
  }
  if (validFrom > now) {
    throw new Problem('usage', `the certificate ${files.certificate} begins at ${formatTime(validFrom)}`, {
      hint: 'check the clock of this machine',
    });
  }
  return { cert, key, validFrom, validUntil };
}

/** What the library of TLS does not take, such as a key of 1024 bits, would only come out when the server is made. */
function checkUsable(
  { certificate }: CertificateFiles,
  pair: { readonly cert: Buffer; readonly key: Buffer },
): void {
  try {
    createSecureContext(pair);
  } catch (cause) {
    const why = (cause as { readonly reason?: string }).reason ?? (cause as Error).message;
    throw new Problem('usage', `the certificate ${certificate} cannot be used for TLS: ${why}`, {
      hint: 'issue a new one: with a key of ECDSA P-256 or of RSA with 2048 bits or more, signed with SHA-256',
      cause,
    });
  }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Problem('usage', `cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, {
      hint: 'check the path, and that the user of the broker may read the file',
      cause,
    });
  }
}

function parse<Parsed>(path: string, what: string, read: () => Parsed): Parsed {
  try {
    return read();
  } catch (cause) {
    throw new Problem('usage', `${path} holds no ${what} in PEM`, {
      hint: 'it begins with -----BEGIN; take a passphrase off with: openssl pkey -in OLD -out NEW',
      cause,
    });
  }
}
