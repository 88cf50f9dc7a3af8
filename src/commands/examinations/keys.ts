import { systemClock } from '../../client/clock.js';
import type { Environment } from '../../client/locations.js';
import { candidateKeys, findEnrolledKey, type PinnedBroker, signIn } from '../../client/sign-in.js';
import type { BearerToken, Name } from '../../protocol/names.js';
import { Problem } from '../../protocol/problems.js';
import { type AvailableKey, resolveKey } from '../../ssh/available-keys.js';
import { createKeySigner } from '../../ssh/key-signer.js';
import { ownTerminal } from '../open-broker.js';
import { type Finding, fromProblem, good, wrong } from './finding.js';

/** A text that is no statement of any kind, in a namespace that decides nothing: its signature is good for nothing. */
const TEST_TEXT = 'countersign doctor: a test, good for nothing\n';
const TEST_LIFE = 60_000;

/** How far the keys got, up to the problem that stopped them. */
export interface KeyFacts {
  readonly found: readonly AvailableKey[];
  /** The one that decides: it is enrolled, or was asked for, or is the first where no broker answers. */
  readonly chosen: AvailableKey | null;
  readonly isEnrolled: boolean;
  /** The chosen one signed a text, and its signature was verified here. */
  readonly signs: boolean;
  /** The broker took the signature of a session. */
  readonly session: { readonly approver: Name; readonly token: BearerToken } | null;
  readonly problem: Problem | null;
}

/** Whether there is a key to decide with, whether it signs, and whether the broker takes it. */
export function examineKeys({
  found,
  chosen,
  isEnrolled,
  signs,
  session,
  problem,
}: KeyFacts): readonly Finding[] {
  if (problem === null && found.length === 0) {
    return [wrong('there is no key in the agent and none in ~/.ssh', 'make one: ssh-keygen -t ed25519')];
  }
  const number = found.length === 1 ? 'a key' : `${found.length} keys`;
  const name = chosen?.publicKey.fingerprint ?? '';
  return [
    ...(found.length === 0 ? [] : [good(`found ${number}: ${found.map(nameOf).join(', ')}`)]),
    ...(signs ? [good(`the key ${name} signs, and its signature verifies`)] : []),
    ...(isEnrolled ? [good(`the key ${name} is enrolled`)] : []),
    ...(session === null ? [] : [good(`the broker verified a test signature of ${session.approver}`)]),
    ...(problem === null ? [] : [fromProblem(problem)]),
  ];
}

export async function keyFacts(
  broker: PinnedBroker | null,
  options: { readonly option: string | undefined; readonly env: Environment; readonly config: string },
): Promise<KeyFacts> {
  const { option, env, config } = options;
  let facts: KeyFacts = {
    found: [],
    chosen: null,
    isEnrolled: false,
    signs: false,
    session: null,
    problem: null,
  };
  try {
    const found = option === undefined ? await candidateKeys(env, config) : [await resolveKey(option, env)];
    facts = { ...facts, found };
    if (found.length === 0) return facts;
    const enrolled = broker === null ? null : await findEnrolledKey(broker.client, option, { env, config });
    const chosen = enrolled ?? (found[0] as AvailableKey);
    facts = { ...facts, chosen };
    // The console signs through this too.
    const signer = createKeySigner(chosen, { env, withTerminal: ownTerminal() });
    await signer.sign('session@countersign', TEST_TEXT);
    facts = { ...facts, signs: true };
    if (broker === null) return facts;
    const { approver, token } = await signIn(broker, signer, systemClock, TEST_LIFE);
    return { ...facts, isEnrolled: true, session: { approver, token } };
  } catch (error) {
    if (error instanceof Problem) return { ...facts, problem: error };
    throw error;
  }
}

const nameOf = ({ publicKey, source, path }: AvailableKey): string =>
  `${publicKey.fingerprint} (${source === 'agent' ? 'agent' : path})`;
