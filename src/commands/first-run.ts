import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Environment, Locations } from '../client/locations.js';
import { candidateKeys, ownKeyPath } from '../client/sign-in.js';
import { isName, type Name } from '../protocol/names.js';
import type { SubmitterLimits } from '../protocol/roster-messages.js';
import { type AvailableKey, resolveKey } from '../ssh/available-keys.js';
import { formatPublicKey } from '../ssh/public-key.js';
import { withDirectory } from './enrolled-directory.js';

/** The requester, and the door, of what the local socket may ask for. Real doors refuse both. */
export const DEMO = 'demo' as Name;
const LOCAL = 'local' as Name;
const LOCAL_LIMITS: SubmitterLimits = {
  actions: ['demo.*'],
  resources: ['*'],
  doors: [DEMO],
  requesters: [DEMO],
};

/** Who was enrolled, and with which key. */
export interface Enrolled {
  readonly approver: Name;
  readonly key: AvailableKey;
  /** Path of a key that was made because there was none. */
  readonly madeKey: string | null;
}

/**
 * Makes a data directory ready for its first start: enrols the user as the one approver and the local socket for the
 * demonstration. The broker must not run.
 *
 * @returns null where somebody is enrolled already: then nothing is changed.
 * @throws Problem of the store or of the key.
 */
export async function prepareFirstRun(
  { data, config }: Locations,
  { key: option, env }: { readonly key: string | undefined; readonly env: Environment },
): Promise<Enrolled | null> {
  return withDirectory(data, async (directory) => {
    if ((await directory.people()).length > 0) return null;
    const { key, madeKey } = await findOrMakeKey(option, env, config);
    const approver = approverName(userInfo().username);
    await directory.changeRoster({
      change: 'add',
      person: {
        name: approver,
        aliases: [],
        groups: [],
        keys: [{ key: formatPublicKey(key.publicKey), validAfter: null, validBefore: null }],
      },
    });
    const hasLocal = (await directory.submitters()).some(({ credential }) => credential.kind === 'socket');
    if (!hasLocal) {
      await directory.changeSubmitters({
        change: 'add',
        submitter: { name: LOCAL, credential: { kind: 'socket' }, limits: LOCAL_LIMITS },
      });
    }
    return { approver, key, madeKey };
  });
}

async function findOrMakeKey(
  option: string | undefined,
  env: Environment,
  config: string,
): Promise<Omit<Enrolled, 'approver'>> {
  if (option !== undefined) return { key: await resolveKey(option, env), madeKey: null };
  const [found] = await candidateKeys(env, config);
  if (found !== undefined) return { key: found, madeKey: null };
  const path = ownKeyPath(config);
  await makeKey(path);
  return { key: await resolveKey(path, env), madeKey: path };
}

async function makeKey(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path)) return;
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'countersign', '-f', path]);
  await chmod(path, 0o600);
}

/** The login name as a name; the name of the demonstration stays free for its requester. */
export function approverName(login: string): Name {
  const name = login.toLowerCase();
  return isName(name) && name !== DEMO ? name : ('owner' as Name);
}
