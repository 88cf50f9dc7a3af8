import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../protocol/problems.js';
import { type PublicKey, parsePublicKeyBlob, parsePublicKeyLine } from './public-key.js';
import { WireReader } from './wire.js';

/** A key that can be asked to sign. */
export interface AvailableKey {
  /** The private or public key file for `ssh-keygen -f`; null for a key that only the agent has. */
  readonly path: string | null;
  readonly publicKey: PublicKey;
  /** Who holds the private half. */
  readonly source: 'agent' | 'file';
}

/** The variables that tell where keys are: HOME and SSH_AUTH_SOCK, and PATH for the OpenSSH tools. */
export type KeyEnvironment = Readonly<Record<string, string | undefined>>;

/** The default names of ssh-keygen(1), the strongest first. */
const DEFAULT_NAMES = ['id_ed25519', 'id_ed25519_sk', 'id_ecdsa', 'id_ecdsa_sk', 'id_rsa'];
/** More than any key file has; whatever is larger is something else. */
const MAX_KEY_FILE_BYTES = 64 * 1024;
const OPENSSH_PRIVATE_KEY =
  /^-----BEGIN OPENSSH PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END OPENSSH PRIVATE KEY-----\s*$/;

/**
 * The keys that the agent offers and that may sign, in its order; none without an agent.
 *
 * @throws Problem `no-key` if `ssh-add` cannot be run
 */
export async function listAgentKeys(
  env: KeyEnvironment = process.env,
  signal?: AbortSignal,
): Promise<readonly PublicKey[]> {
  return (await askAgent(env, signal)) ?? [];
}

/**
 * The same, but null where no agent answers. An agent may take its time, or hang: an abort of `signal` ends the question.
 *
 * @throws Problem `no-key` if `ssh-add` cannot be run, or is ended by the abort
 */
export function askAgent(env: KeyEnvironment, signal?: AbortSignal): Promise<readonly PublicKey[] | null> {
  return new Promise((resolve, reject) => {
    execFile('ssh-add', ['-L'], { env: { ...env }, encoding: 'utf8', signal }, (error, stdout) => {
      if (error === null) resolve(stdout.split('\n').flatMap(supportedKey));
      // 1: the agent has no keys; 2: there is no agent (ssh-add(1)).
      else if (error.code === 1 || error.code === 2) resolve(error.code === 1 ? [] : null);
      else reject(new Problem('no-key', 'cannot run ssh-add to ask the agent for keys', { cause: error }));
    });
  });
}

/**
 * The key pairs of `~/.ssh` by their `id_*.pub` files, those with default names first. `path` is the private key file;
 * public keys without one, and those that may not sign, are left out.
 */
export async function listKeyFiles(home: string): Promise<readonly AvailableKey[]> {
  const directory = join(home, '.ssh');
  const files = new Set(await readdir(directory).catch(() => []));
  const names = [...files]
    .filter((name) => /^id_.+\.pub$/.test(name))
    .map((name) => name.slice(0, -'.pub'.length))
    .filter((name) => files.has(name))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const keys = await Promise.all(
    names.map(async (name): Promise<AvailableKey[]> => {
      const path = join(directory, name);
      const line = await readFile(`${path}.pub`, 'utf8').catch(() => '');
      return supportedKey(line).map((publicKey) => ({ path, publicKey, source: 'file' }));
    }),
  );
  return keys.flat();
}

/**
 * Finds the key to sign with: the one of `--key` (a private key file, or a `.pub` file whose private half is in the agent
 * or beside it), else the first that the agent has, else the first of `~/.ssh`.
 *
 * @throws Problem `no-key` if there is none; `malformed-key` or `unsupported-key` if the given one may not sign
 */
export async function resolveKey(option: string | undefined, env: KeyEnvironment): Promise<AvailableKey> {
  const agentKeys = await listAgentKeys(env);
  if (option !== undefined) return resolveGivenKey(option, agentKeys);
  const [agentKey] = agentKeys;
  if (agentKey !== undefined) return { path: null, publicKey: agentKey, source: 'agent' };
  const [keyFile] = env.HOME === undefined ? [] : await listKeyFiles(env.HOME);
  if (keyFile !== undefined) return keyFile;
  throw new Problem('no-key', 'there is no key in the agent and none in ~/.ssh');
}

async function resolveGivenKey(path: string, agentKeys: readonly PublicKey[]): Promise<AvailableKey> {
  const publicKey = await readKeyFile(path);
  if (agentKeys.some(({ base64 }) => base64 === publicKey.base64))
    return { path, publicKey, source: 'agent' };
  if (path.endsWith('.pub') && (await readText(path.slice(0, -'.pub'.length))) === null)
    throw new Problem('no-key', `the private half of ${path} is neither in the agent nor beside it`);
  return { path, publicKey, source: 'file' };
}

/**
 * Reads the public half of a key file: of a public key file itself, of an OpenSSH private key (where it stands unencrypted
 * before the private half: PROTOCOL.key), else of the `.pub` file beside.
 */
async function readKeyFile(path: string): Promise<PublicKey> {
  const text = await readText(path);
  if (text === null) throw new Problem('no-key', `cannot read the key file ${path}`);
  if (!text.startsWith('-----BEGIN ')) return parsePublicKeyLine(text);
  const [, base64] = OPENSSH_PRIVATE_KEY.exec(text) ?? [];
  if (base64 !== undefined) return publicHalf(Buffer.from(base64, 'base64'));
  const beside = await readText(`${path}.pub`);
  if (beside !== null) return parsePublicKeyLine(beside);
  throw new Problem('no-key', `${path} does not show its public half`, {
    hint: 'write it beside the private key: ssh-keygen -y -f KEY > KEY.pub',
  });
}

function publicHalf(privateKey: Buffer): PublicKey {
  const reader = new WireReader(privateKey, 'malformed-key');
  const magic = Buffer.from('openssh-key-v1\0');
  if (!reader.bytes(magic.length).equals(magic)) throw reader.fail('not an OpenSSH private key');
  reader.string(); // cipher
  reader.string(); // key derivation
  reader.string(); // its options
  if (reader.uint32() !== 1) throw reader.fail('the file does not hold exactly one key');
  return parsePublicKeyBlob(reader.string());
}

async function readText(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text !== null && text.length <= MAX_KEY_FILE_BYTES ? text : null;
}

/** One key, or none where the line is no key that may sign: searching, unlike asking, passes over those. */
function supportedKey(line: string): PublicKey[] {
  try {
    return [parsePublicKeyLine(line)];
  } catch (error) {
    if (error instanceof Problem) return [];
    throw error;
  }
}

function rank(name: string): number {
  const index = DEFAULT_NAMES.indexOf(name);
  return index < 0 ? DEFAULT_NAMES.length : index;
}
