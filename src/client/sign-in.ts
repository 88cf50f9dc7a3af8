import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { challengeReply, type SessionReply, sessionReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import { formatSession } from '../protocol/statements.js';
import {
  type AvailableKey,
  type KeyEnvironment,
  listAgentKeys,
  listKeyFiles,
  resolveKey,
} from '../ssh/available-keys.js';
import type { KeySigner } from '../ssh/key-signer.js';
import { formatPublicKey } from '../ssh/public-key.js';
import { formatAddress } from './address.js';
import type { BrokerNames } from './broker-identity.js';
import type { Clock } from './clock.js';
import type { HttpClient } from './http-client.js';
import { checkPinned } from './known-brokers.js';

/** Longest life of a session that is asked for, in ms. */
const SESSION_LIFE = 12 * 3600 * 1000;

/** A broker whose keys are pinned. */
export interface PinnedBroker extends BrokerNames {
  readonly client: HttpClient;
}

/**
 * Signs in with one key, for `life` ms: fetches a challenge, signs a statement over it that names the pinned broker, gets a bearer.
 *
 * @throws Problem `unknown-key`, `broker-changed`, `signing-failed` or another one of the broker.
 */
export async function signIn(
  broker: PinnedBroker,
  signer: KeySigner,
  clock: Clock,
  life: number = SESSION_LIFE,
): Promise<SessionReply> {
  const { client, fingerprint } = broker;
  const offer = await client.call(challengeReply, {
    method: 'POST',
    path: '/v1/sessions/challenge',
    body: { key: formatPublicKey(signer.publicKey) },
  });
  checkPinned([fingerprint], offer.broker, formatAddress(client.address));
  if (!/^[0-9a-f]{64}$/.test(offer.challenge)) {
    throw new Problem('broker-reply', 'the challenge is not 64 hex digits');
  }
  const issued = clock.now();
  const statement = formatSession({
    broker: fingerprint,
    approver: offer.approver,
    challenge: offer.challenge,
    issued,
    expires: issued + life,
  });
  const armor = await signer.sign('session@countersign', statement);
  return client.call(sessionReply, {
    method: 'POST',
    path: '/v1/sessions',
    body: { statement: statement + armor },
  });
}

/**
 * Finds the key to decide with: the one that was given, else the first of the agent and of `~/.ssh` that is enrolled at
 * this broker.
 *
 * @throws Problem `no-key` if there is none at all, `unknown-key` if none is enrolled.
 */
export async function findEnrolledKey(
  client: HttpClient,
  option: string | undefined,
  { env, config }: { readonly env: KeyEnvironment; readonly config: string },
): Promise<AvailableKey> {
  if (option !== undefined) return resolveKey(option, env);
  const keys = await candidateKeys(env, config);
  for (const key of keys) {
    if (await isEnrolled(client, key)) return key;
  }
  if (keys.length === 0) throw new Problem('no-key', 'there is no key in the agent and none in ~/.ssh');
  throw new Problem('unknown-key', `none of your keys is enrolled (${keys.length} in the agent and ~/.ssh)`);
}

/** Where `up` makes a key for somebody who has none. */
export const ownKeyPath = (config: string): string => join(config, 'id_ed25519');

/** The keys of the agent, then those of `~/.ssh` that the agent does not have, then the one that `up` made. */
export async function candidateKeys(env: KeyEnvironment, config: string): Promise<readonly AvailableKey[]> {
  const inAgent = await listAgentKeys(env);
  const inFiles = [
    ...(await listKeyFiles(env.HOME ?? homedir())),
    ...(existsSync(ownKeyPath(config)) ? [await resolveKey(ownKeyPath(config), env)] : []),
  ];
  const known = new Set(inAgent.map(({ base64 }) => base64));
  return [
    ...inAgent.map((publicKey): AvailableKey => ({ path: null, publicKey, source: 'agent' })),
    ...inFiles.filter(({ publicKey }) => !known.has(publicKey.base64)),
  ];
}

async function isEnrolled(client: HttpClient, { publicKey }: AvailableKey): Promise<boolean> {
  try {
    await client.call(challengeReply, {
      method: 'POST',
      path: '/v1/sessions/challenge',
      body: { key: formatPublicKey(publicKey) },
    });
    return true;
  } catch (error) {
    if (
      error instanceof Problem &&
      ['unknown-key', 'key-expired', 'key-not-yet-valid'].includes(error.code)
    ) {
      return false;
    }
    throw error;
  }
}
