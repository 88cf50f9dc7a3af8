import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { Problem } from '../protocol/problems.js';
import { type BrokerAddress, parseAddress, socketAddress } from './address.js';

/** Where a broker listens unless it is told otherwise. */
export const DEFAULT_LISTEN = { host: '127.0.0.1', port: 7433 } as const;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The directories that Countersign uses, by the XDG Base Directory Specification. All paths are absolute. */
export interface Locations {
  /** The broker's data directory: database, key, socket. Mode 0700. */
  readonly data: string;
  /** The client's `known_brokers`, and a key that `up` made. */
  readonly config: string;
  /** What the client must remember between two runs: its standing asks. Mode 0700. */
  readonly state: string;
}

/**
 * Flag, then environment (`COUNTERSIGN_DIR`), then the XDG default.
 *
 * @throws Problem `usage` where HOME or an XDG directory is no whole path: keys would lie wherever the command is run
 */
export function locate(options: { readonly dir?: string | undefined }, env: Environment): Locations {
  const defaults = envPaths('countersign', { suffix: '' });
  const data = given(options.dir) ?? given(env.COUNTERSIGN_DIR) ?? whole(defaults.data, 'XDG_DATA_HOME');
  return {
    data: resolve(data),
    config: whole(defaults.config, 'XDG_CONFIG_HOME'),
    // env-paths has no name of its own for XDG_STATE_HOME: it is where it puts logs.
    state: whole(defaults.log, 'XDG_STATE_HOME'),
  };
}

function whole(path: string, variable: string): string {
  if (isAbsolute(path)) return path;
  throw new Problem('usage', `${JSON.stringify(path)} is no place for keys and what must be remembered`, {
    hint: `set HOME, or ${variable}, to a directory by its whole path`,
  });
}

/**
 * Flag, then environment (`COUNTERSIGN_URL`), then the socket of the data directory, then the default port. A data
 * directory that was given as a flag comes before the environment.
 */
export function locateBroker(
  options: { readonly url?: string | undefined; readonly dir?: string | undefined },
  env: Environment,
  { data }: Locations,
): BrokerAddress {
  const text =
    given(options.url) ?? (given(options.dir) === undefined ? given(env.COUNTERSIGN_URL) : undefined);
  if (text !== undefined) return parseAddress(text);
  const socket = socketPath(data);
  if (existsSync(socket)) return socketAddress(socket);
  // Whoever names a data directory means its broker, not one that happens to listen at the default port.
  if (given(options.dir) ?? given(env.COUNTERSIGN_DIR)) {
    throw new Problem('broker-unreachable', `no broker runs in ${JSON.stringify(data)}`, {
      hint: 'start one: countersign up, or countersign serve; or give --url',
    });
  }
  return parseAddress(`http://${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port}`);
}

export const socketPath = (data: string): string => join(data, 'broker.sock');
export const brokerPublicKeyPath = (data: string): string => join(data, 'broker.key.pub');

/** An empty variable or flag counts as absent. */
const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
