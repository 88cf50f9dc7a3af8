import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Problem } from '../src/protocol/problems.js';
import { splitSignedTexts } from '../src/protocol/receipt.js';
import { formatKeyHandover } from '../src/protocol/statements.js';
import type { EpochMs } from '../src/protocol/time.js';
import { verifyKeyHandover } from '../src/ssh/key-handover.js';
import { signWithSshKeygen } from '../src/ssh/key-signer.js';
import { formatPublicKey, type PublicKey, parsePublicKeyLine } from '../src/ssh/public-key.js';
import type { Namespace } from '../src/ssh/signature.js';
import { renameDurably, syncPath, writeDurably } from './durable-file.js';

const keyFile = (directory: string): string => join(directory, 'broker.key');
/** Where the next key waits until the handover to it is on the disk. */
const nextKeyFile = (directory: string): string => join(directory, 'broker.key.next');
/** The signed handovers, oldest first. */
const handoversFile = (directory: string): string => join(directory, 'broker.handovers');

/** The key that names a broker, and the signed handovers that led to it, oldest first. */
export interface KeyRecord {
  readonly key: PublicKey;
  readonly handovers: readonly string[];
}

/**
 * Reads the key that names the broker, `broker.key` in the data directory; made on first use. It signs nothing but the
 * handover to the next one and heads of the log. A rotation that was interrupted after its handover was written is finished.
 *
 * @throws Problem `malformed-key` when the file is not an OpenSSH public key; that of a handover which does not verify
 */
export async function loadBrokerKey(directory: string): Promise<KeyRecord> {
  const file = keyFile(directory);
  if (!existsSync(file)) await makeKey(file);
  const handovers = await readHandovers(directory);
  const last = handovers.at(-1);
  if (last !== undefined) await installNext(directory, verifyKeyHandover(last).next);
  return { key: await readPublicKey(file), handovers };
}

/**
 * Gives the broker a new key. The handover, signed by the old key, is what counts: killed before it is on the disk, the
 * old key stays; killed after, the next start takes the new one. The old private key is gone afterwards.
 *
 * @param validUntil how long the broker still goes by the old key; not after `now`: not at all
 */
export async function rotateBrokerKey(
  directory: string,
  { key, handovers }: KeyRecord,
  { now, validUntil }: { readonly now: EpochMs; readonly validUntil: EpochMs },
): Promise<KeyRecord> {
  const next = nextKeyFile(directory);
  await rm(next, { force: true });
  await rm(`${next}.pub`, { force: true });
  await makeKey(next);
  const nextKey = await readPublicKey(next);
  const statement = formatKeyHandover({
    old: key.fingerprint,
    next: formatPublicKey(nextKey),
    issued: now,
    oldValidUntil: validUntil,
  });
  const all = [...handovers, await signWithBrokerKey(directory, 'broker@countersign', statement)];
  await writeDurably(handoversFile(directory), all.join(''), 0o600);
  await installNext(directory, nextKey.fingerprint);
  return { key: nextKey, handovers: all };
}

/**
 * Signs with the broker's key.
 *
 * @returns statement and armor
 * @throws Problem `signing-failed`
 */
export async function signWithBrokerKey(
  directory: string,
  namespace: Namespace,
  statement: string,
): Promise<string> {
  const options = { env: process.env, interactive: false };
  return statement + (await signWithSshKeygen(keyFile(directory), namespace, statement, options));
}

/** Puts the two halves of the next key into place, whichever of them is not there yet. */
async function installNext(directory: string, fingerprint: PublicKey['fingerprint']): Promise<void> {
  const next = nextKeyFile(directory);
  const file = keyFile(directory);
  if (!existsSync(`${next}.pub`) || (await readPublicKey(next)).fingerprint !== fingerprint) return;
  if (existsSync(next)) await renameDurably(next, file);
  await renameDurably(`${next}.pub`, `${file}.pub`);
}

async function readHandovers(directory: string): Promise<readonly string[]> {
  const file = handoversFile(directory);
  return existsSync(file) ? splitSignedTexts(await readFile(file, 'utf8')) : [];
}

async function makeKey(file: string): Promise<void> {
  const options = ['-q', '-t', 'ed25519', '-N', '', '-C', 'countersign broker', '-f', file];
  await promisify(execFile)('ssh-keygen', options);
  await syncPath(file);
  await syncPath(`${file}.pub`);
}

async function readPublicKey(file: string): Promise<PublicKey> {
  try {
    return parsePublicKeyLine((await readFile(`${file}.pub`, 'utf8')).trimEnd());
  } catch (cause) {
    throw new Problem('malformed-key', `cannot read ${file}.pub`, {
      hint: `restore it with: ssh-keygen -y -f ${file} > ${file}.pub`,
      cause,
    });
  }
}
