import { execFile } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatAddress } from '../client/address.js';
import { identifyBroker } from '../client/broker-identity.js';
import { systemClock } from '../client/clock.js';
import type { HttpClient } from '../client/http-client.js';
import { knownBrokersPath } from '../client/known-brokers.js';
import type { Environment, Locations } from '../client/locations.js';
import { candidateKeys, findEnrolledKey, type PinnedBroker, signIn } from '../client/sign-in.js';
import { type BrokerReply, brokerReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import type { EpochMs } from '../protocol/time.js';
import { type AvailableKey, resolveKey } from '../ssh/available-keys.js';
import { createKeySigner } from '../ssh/key-signer.js';
import { shellQuote } from './invocation.js';
import { ownTerminal } from './open-broker.js';

/** One thing that was looked at. A note is neither good nor wrong. */
export interface Finding {
  readonly state: 'good' | 'note' | 'wrong';
  readonly what: string;
  /** What to do about it; null where nothing is to be done. */
  readonly fix: string | null;
}

/** Signers' clocks further off the broker's than this are refused soon, in ms; at 60 s they are. */
const CLOCK_TOLERANCE = 20_000;

const good = (what: string): Finding => ({ state: 'good', what, fix: null });
const note = (what: string, fix: string | null = null): Finding => ({ state: 'note', what, fix });
const wrong = (what: string, fix: string): Finding => ({ state: 'wrong', what, fix });

/** Modes and owners of the data directory and the files in it that hold secrets. */
export async function checkDataDirectory(
  data: string,
  { mustExist }: { readonly mustExist: boolean },
): Promise<readonly Finding[]> {
  const directory = await modeOf(data);
  if (directory === null) {
    return mustExist
      ? [wrong(`there is no data directory at ${data}`, 'make one: countersign up')]
      : [note(`there is no data directory at ${data}: this machine is only a client`)];
  }
  const findings = [closedToOthers(data, directory, 'the data directory')];
  for (const [name, what] of [
    ['broker.key', 'the key of the broker'],
    ['broker.db', 'the database'],
    ['broker.sock', 'the socket'],
  ] as const) {
    const path = join(data, name);
    const mode = await modeOf(path);
    if (mode !== null) findings.push(closedToOthers(path, mode, what));
  }
  return findings;
}

export interface ExaminedBroker {
  readonly findings: readonly Finding[];
  readonly reply: BrokerReply | null;
  readonly identity: PinnedBroker | null;
}

/** Whether the broker answers, and is the one that was pinned. */
export async function checkBroker(client: HttpClient, locations: Locations): Promise<ExaminedBroker> {
  const address = formatAddress(client.address);
  try {
    const reply = await client.call(brokerReply, { method: 'GET', path: '/v1/broker' });
    const { news, ...names } = await identifyBroker(client, locations);
    const pinned = news === null ? 'as expected' : `${news} now in ${knownBrokersPath(locations.config)}`;
    return {
      findings: [good(`the broker at ${address} answers with the key ${names.fingerprint}, ${pinned}`)],
      reply,
      identity: { client, ...names },
    };
  } catch (error) {
    return { findings: [fromProblem(error)], reply: null, identity: null };
  }
}

/** How far the two clocks are apart; nothing where no broker answered. */
export function checkClock(reply: BrokerReply | null, now: EpochMs): readonly Finding[] {
  if (reply === null) return [];
  const difference = reply.clock - now;
  const seconds = Math.round(Math.abs(difference) / 1000);
  if (Math.abs(difference) < CLOCK_TOLERANCE) return [good(`the clocks agree within ${seconds + 1} s`)];
  const which = difference > 0 ? 'behind' : 'ahead of';
  return [
    wrong(
      `this clock is ${seconds} s ${which} the broker's; decisions are refused at 60 s`,
      'set up NTP on both sides',
    ),
  ];
}

/** Whether there is a key to decide with, whether it signs, and whether the broker takes it. */
export async function checkKeys(
  broker: PinnedBroker | null,
  options: { readonly option: string | undefined; readonly env: Environment; readonly config: string },
): Promise<readonly Finding[]> {
  const { option, env, config } = options;
  const findings: Finding[] = [await agentFinding(env)];
  try {
    const keys = option === undefined ? await candidateKeys(env, config) : [await resolveKey(option, env)];
    if (keys.length === 0) {
      return [
        ...findings,
        wrong('there is no key in the agent and none in ~/.ssh', 'make one: ssh-keygen -t ed25519'),
      ];
    }
    findings.push(
      good(`found ${keys.length === 1 ? 'a key' : `${keys.length} keys`}: ${keys.map(nameOf).join(', ')}`),
    );
    if (broker === null) return [...findings, await localSignature(keys[0] as AvailableKey, env)];
    const key = await findEnrolledKey(broker.client, option, { env, config });
    findings.push(good(`the key ${key.publicKey.fingerprint} is enrolled`));
    const signer = createKeySigner(key, { env, withTerminal: ownTerminal() });
    const { approver } = await signIn(broker, signer, systemClock);
    return [...findings, good(`the broker verified a test signature of ${approver}`)];
  } catch (error) {
    return [...findings, fromProblem(error)];
  }
}

async function localSignature(key: AvailableKey, env: Environment): Promise<Finding> {
  const signer = createKeySigner(key, { env, withTerminal: ownTerminal() });
  // Not a statement, so it can never be used as one.
  await signer.sign('session@countersign', 'countersign doctor\n');
  return good(`the key ${key.publicKey.fingerprint} signs`);
}

/** `ssh-add -l` exits with 0 or 1 where an agent answers, 2 where none does (ssh-add(1)). */
function agentFinding(env: Environment): Promise<Finding> {
  return new Promise((resolve) => {
    execFile('ssh-add', ['-l'], { env: { ...env } }, (error) => {
      if (error === null) resolve(good('the ssh agent answers and holds keys'));
      else if (error.code === 1) resolve(note('the ssh agent answers, but holds no key', 'ssh-add'));
      else if (error.code === 2) resolve(note('no ssh agent answers', 'eval "$(ssh-agent)" && ssh-add'));
      else resolve(wrong('ssh-add cannot be run', 'install the OpenSSH client'));
    });
  });
}

async function modeOf(path: string): Promise<number | null> {
  try {
    const { mode, uid } = await lstat(path);
    return uid === process.getuid?.() ? mode & 0o777 : -1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function closedToOthers(path: string, mode: number, what: string): Finding {
  if (mode < 0)
    return wrong(`${what} ${path} belongs to another user`, `chown "$(id -un)" ${shellQuote(path)}`);
  if ((mode & 0o077) === 0) return good(`${what} ${path} is closed to others`);
  return wrong(`${what} ${path} is open to others`, `chmod go= ${shellQuote(path)}`);
}

function fromProblem(error: unknown): Finding {
  if (error instanceof Problem) return wrong(error.message, error.hint);
  throw error;
}

const nameOf = ({ publicKey, source, path }: AvailableKey): string =>
  `${publicKey.fingerprint} (${source === 'agent' ? 'agent' : path})`;
