import { readFile } from 'node:fs/promises';
import { isatty } from 'node:tty';
import { formatAddress, isCleartext } from '../client/address.js';
import { identifyBroker } from '../client/broker-identity.js';
import { type Clock, systemClock } from '../client/clock.js';
import { type CallAs, HttpClient } from '../client/http-client.js';
import { type Environment, type Locations, locate, locateBroker } from '../client/locations.js';
import type { Suspend } from '../client/queue.js';
import { findEnrolledKey, type PinnedBroker, signIn } from '../client/sign-in.js';
import type { BearerToken, Name } from '../protocol/names.js';
import { createKeySigner, type KeySigner } from '../ssh/key-signer.js';
import { exact, tell } from './output.js';
import type { BROKER_FLAGS, FlagValues } from './verb.js';

export type BrokerFlags = FlagValues<typeof BROKER_FLAGS>;

/** A broker that was reached and recognised. */
export interface OpenBroker extends PinnedBroker {
  readonly locations: Locations;
  readonly clock: Clock;
}

/** The same, signed in as an approver. */
export interface SignedInBroker extends OpenBroker {
  readonly approver: Name;
  readonly token: BearerToken;
  readonly signer: KeySigner;
}

/** How patient a verb is, and for how long it signs in. */
export interface Patience {
  /** Longest time for one reply, in ms. */
  readonly timeout?: number;
  /** In ms. */
  readonly sessionLife?: number;
  /** Whether a key may ask for its passphrase or a touch. Default: true. */
  readonly mayAsk?: boolean;
}

/**
 * Reaches the broker of the flags and the environment, and pins it at first use.
 *
 * @throws Problem `broker-unreachable`, `broker-changed`, `broker-reply`, `usage`
 */
export async function openBroker(
  flags: BrokerFlags,
  env: Environment,
  patience: Patience = {},
): Promise<OpenBroker> {
  const { client, locations } = await reachable(flags, env, patience);
  const { news, ...names } = await identifyBroker(client, locations);
  const address = exact(formatAddress(client.address));
  if (news === 'pinned') tell(`pinned the broker at ${address}: ${names.fingerprint}`);
  if (news === 'followed')
    tell(`the broker at ${address} has a new key, which its pinned one vouches for: ${names.fingerprint}`);
  return { client, ...names, locations, clock: systemClock };
}

/** A client for the broker of the flags, before anybody is asked who it is. */
export async function reachable(
  flags: BrokerFlags,
  env: Environment,
  { timeout }: Patience = {},
): Promise<{ readonly client: HttpClient; readonly locations: Locations }> {
  const locations = locate(flags, env);
  const address = locateBroker(flags, env, locations);
  if (isCleartext(address)) {
    tell(
      `warning: ${exact(formatAddress(address))} is not encrypted: whoever is between can read tokens and requests`,
    );
  }
  const caFile = flags.ca ?? (env.COUNTERSIGN_CA || undefined);
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  return {
    client: new HttpClient(address, { ca, ...(timeout === undefined ? {} : { timeout }) }),
    locations,
  };
}

/**
 * Reaches the broker and signs in with the key of `--key` or COUNTERSIGN_KEY, else with the first of yours that is enrolled.
 *
 * @throws Problem `unknown-key`, `no-key`, `signing-failed` and those of {@link openBroker}
 */
export async function openAsApprover(
  flags: BrokerFlags & { readonly key: string | undefined },
  env: Environment,
  patience: Patience = {},
): Promise<SignedInBroker> {
  const broker = await openBroker(flags, env, patience);
  const { config } = broker.locations;
  const key = await findEnrolledKey(broker.client, keyOption(flags, env), { env, config });
  const signer = createKeySigner(key, {
    env,
    withTerminal: patience.mayAsk === false ? undefined : ownTerminal(),
  });
  const { approver, token } = await signIn(broker, signer, broker.clock, patience.sessionLife);
  return { ...broker, approver, token, signer };
}

/** A broker that answers its owner over the socket, and an approver, who has a token, from elsewhere. */
export type ReadableBroker = OpenBroker & { readonly token?: BearerToken };

/**
 * Over its socket whoever may open that is told, elsewhere an approver, who signs in.
 *
 * @throws as {@link openAsApprover}
 */
export function openForReading(
  flags: BrokerFlags & { readonly key: string | undefined },
  env: Environment,
  patience?: Patience,
): Promise<ReadableBroker> {
  const isLocal = locateBroker(flags, env, locate(flags, env)).kind === 'socket';
  return isLocal ? openBroker(flags, env, patience) : openAsApprover(flags, env, patience);
}

/** Flag, then environment. */
export function keyOption(
  { key }: { readonly key: string | undefined },
  env: Environment,
): string | undefined {
  return key ?? (env.COUNTERSIGN_KEY || undefined);
}

/**
 * The terminal is free for a passphrase or a touch while a verb runs, if there is one. `process.stdin` is left alone: a
 * command that is run afterwards reads from it.
 */
export function ownTerminal(): Suspend | undefined {
  return isatty(0) ? (work) => work() : undefined;
}

/** Calls in the name of who has signed in. */
export const callAs =
  ({ client, token }: Pick<SignedInBroker, 'client' | 'token'>): CallAs =>
  (schema, call) =>
    client.call(schema, { ...call, token });

/** Runs `use` and lets go of the connections. */
export async function withBroker<Broker extends OpenBroker, Code extends number>(
  opening: Promise<Broker>,
  use: (broker: Broker) => Promise<Code>,
): Promise<Code> {
  const broker = await opening;
  try {
    return await use(broker);
  } finally {
    broker.client.close();
  }
}
