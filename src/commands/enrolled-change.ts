import * as z from 'zod';
import { parseAddress } from '../client/address.js';
import { backoff } from '../client/backoff.js';
import { type Clock, systemClock } from '../client/clock.js';
import type { HttpClient } from '../client/http-client.js';
import { type Environment, locate } from '../client/locations.js';
import { shownTime } from '../client/shown-time.js';
import { type SubmitReply, submitReply } from '../protocol/messages.js';
import type { BearerToken, RequestId } from '../protocol/names.js';
import { PROBLEMS, Problem, type ProblemCode } from '../protocol/problems.js';
import { isLive, type RequestStatus } from '../protocol/request-view.js';
import type { RosterChange, SubmitterChange } from '../protocol/roster-messages.js';
import { type EnrolledDirectory, hasDatabase, openDirectory, overHttp } from './enrolled-directory.js';
import type { ExitCode } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { pasteableLine, whereFlags } from './invocation.js';
import { openAsApprover } from './open-broker.js';
import { exact, print, tell } from './output.js';
import type { FlagValues } from './verb.js';

/** The flags of every verb that changes people or submitters. */
export const CHANGE_FLAGS = {
  dir: 'text',
  url: 'text',
  ca: 'text',
  signIn: 'text',
  reason: 'text',
  noWait: 'switch',
} as const;
export const CHANGE_HELP = `
  --reason TEXT   why, for the approvers who read it
  --no-wait       do not wait for them: print the id of the request
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)
  --url ADDRESS   ask as an approver from elsewhere: http(s)://HOST:PORT (COUNTERSIGN_URL,
                  where there is no data directory)
  --sign-in FILE  the key to ask with over a URL (COUNTERSIGN_KEY)
  --ca FILE       CA certificates for https, instead of the system's (COUNTERSIGN_CA)`;

export type ChangeFlags = FlagValues<typeof CHANGE_FLAGS>;

/** One change, and what is printed for it. */
export type EnrolledChange = (
  | { readonly of: 'people'; readonly change: RosterChange }
  | { readonly of: 'submitters'; readonly change: SubmitterChange }
) & {
  readonly done: string;
  /** Called once the broker has taken the change or the question, before any wait. */
  readonly onTaken?: () => void;
};

/**
 * Makes a change where that may be done at once, else asks for it and waits for the approvers, as `request --wait` does.
 *
 * @returns 0 for a change that is in force, or that was asked for with `--no-wait`
 * @throws Problem of the broker, or that says how the request ended
 */
export async function makeChange(
  asked: EnrolledChange,
  flags: ChangeFlags,
  env: Environment,
  zone: string,
): Promise<ExitCode> {
  const directory = await open(flags, env);
  try {
    const reason = flags.reason ?? null;
    const made =
      asked.of === 'people'
        ? await directory.changeRoster(asked.change, reason)
        : await directory.changeSubmitters(asked.change, reason);
    if (made.kind === 'done') {
      asked.onTaken?.();
      if (asked.onTaken === undefined) print(asked.done);
      if (made.withoutApproval) {
        tell('changed without approval, because no broker runs: its log says so');
      }
      return 0;
    }
    const { reply, client } = made;
    const where = whereFlags(flags, env);
    tell(`this takes approval, by ${shownTime(reply.answerBy, { zone, now: systemClock.now() })}`);
    tell(`waiting for approval: ${reply.id}, show it with: ${pasteableLine(['show', reply.id, ...where])}`);
    for (const missing of reply.status.missing) tell(`missing: ${exact(missing)}`);
    asked.onTaken?.();
    if (flags.noWait) {
      if (asked.onTaken === undefined) print(reply.id);
      return 0;
    }
    return await awaitChange(reply, client, asked);
  } finally {
    await directory.close();
  }
}

async function open(flags: ChangeFlags, env: Environment): Promise<EnrolledDirectory> {
  const { data } = locate(flags, env);
  const named =
    flags.url ?? (flags.dir === undefined && !hasDatabase(data) ? env.COUNTERSIGN_URL : undefined);
  if (!named) return openDirectory(data);
  if (parseAddress(named).kind === 'socket')
    throw new Problem('usage', '--url takes http(s)://HOST:PORT here');
  const { client, token } = await openAsApprover({ ...flags, url: named, key: flags.signIn }, env);
  return overHttp(client, token);
}

/** Longest that one call lets the broker hold back its answer, in seconds. */
const LONG_POLL = 60;
const CANCEL_TIMEOUT = 2_000;
/** Times in a row that a broker may not be there. */
const MOST_FAILURES = 12;

async function awaitChange(
  { id, watch }: SubmitReply,
  client: HttpClient,
  { done, onTaken }: EnrolledChange,
): Promise<ExitCode> {
  if (watch === null) throw new Problem('broker-reply', 'the broker gave no token to wait with');
  const waited = await interruptible((signal) => untilEnded(client, id, watch, systemClock, signal));
  if (waited.interrupted !== null) {
    await takeBack(client, id, watch);
    process.kill(process.pid, waited.interrupted);
    return 1;
  }
  const { state, report, endedBy } = waited.result;
  const words = exact(endedBy ?? `the request is ${state}`);
  if (report?.outcome === 'opened') {
    if (onTaken === undefined) print(done);
    else tell(done);
    return 0;
  }
  if (state === 'redeemed') throw new Problem(codeOf(report?.code ?? ''), words);
  if (isLive(state)) throw new Problem('expired', words);
  throw new Problem(state, words);
}

async function untilEnded(
  client: HttpClient,
  id: RequestId,
  token: BearerToken,
  clock: Clock,
  signal: AbortSignal,
): Promise<RequestStatus> {
  for (let failures = 0; ; ) {
    try {
      const call = { method: 'GET', path: `/v1/requests/${id}`, token, wait: LONG_POLL, signal } as const;
      const { status } = await client.call(submitReply, call);
      if (!isLive(status.state)) return status;
      failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error) || failures === MOST_FAILURES) throw error;
      if (failures === 0) tell('lost the broker; trying again');
      await new Promise<void>((resolve) => clock.after(backoff(failures, Math.random), resolve));
      failures += 1;
    }
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof Problem && ['broker-unreachable', 'draining', 'rate-limited'].includes(error.code);

async function takeBack(client: HttpClient, id: RequestId, token: BearerToken): Promise<void> {
  const path = `/v1/requests/${id}?cancel=now`;
  try {
    const signal = AbortSignal.timeout(CANCEL_TIMEOUT);
    await client.call(z.unknown(), { method: 'DELETE', path, token, signal });
    tell(`took ${id} back: nothing is changed`);
  } catch {
    tell(`${id} may still stand: an approver can deny it`);
  }
}

const codeOf = (word: string): ProblemCode =>
  Object.hasOwn(PROBLEMS, word) ? (word as ProblemCode) : 'roster-conflict';
