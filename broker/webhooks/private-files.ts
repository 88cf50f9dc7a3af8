import { X509Certificate } from 'node:crypto';
import { constants, open } from 'node:fs/promises';

const BY_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;
const MAX_BYTES = 1024 * 1024;
/** Base64 of 24 to 64 bytes, as Standard Webhooks 1.0.0 asks. */
const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** What is wrong with a file, to go on with its path. Never holds what stands in it. */
export class UnfitFile extends Error {}

/**
 * Reads the secrets of a webhook: one a line, at most two, so that a receiver can go over from one to the other.
 *
 * @throws UnfitFile
 */
export async function readSecrets(path: string): Promise<readonly Buffer[]> {
  const text = await read(path, BY_OTHERS, `others may read it: chmod 600 ${path}`);
  const lines = text.split('\n').map((line) => line.trim());
  const secrets = lines.filter((line) => line !== '').map(secretIn);
  if (secrets.length === 0) throw new UnfitFile('it is empty: write one secret, whsec_ and base64');
  if (secrets.length > 2) throw new UnfitFile('it has more than two secrets: the new one, and the old one');
  return secrets;
}

function secretIn(line: string, index: number): Buffer {
  const [, base64] = SECRET.exec(line) ?? [];
  const secret = Buffer.from(base64 ?? '', 'base64');
  if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    throw new UnfitFile(
      `secret ${index + 1} is not whsec_ and the base64 of 24 to 64 random bytes: echo "whsec_$(openssl rand -base64 32)"`,
    );
  }
  return secret;
}

/**
 * Reads PEM certificates.
 *
 * @throws UnfitFile
 */
export async function readCertificates(path: string): Promise<string> {
  const text = await read(path, WRITABLE_BY_OTHERS, `others may write it: chmod go-w ${path}`);
  try {
    new X509Certificate(text);
  } catch {
    throw new UnfitFile('it is not a certificate in PEM');
  }
  return text;
}

async function read(path: string, forbidden: number, otherwise: string): Promise<string> {
  try {
    // A pipe that nobody writes to would keep who opens it for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new UnfitFile('it is not a file');
      if ((stats.mode & forbidden) !== 0) throw new UnfitFile(otherwise);
      if (stats.size > MAX_BYTES) throw new UnfitFile('it is too large');
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof UnfitFile) throw cause;
    throw new UnfitFile(`it cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}
