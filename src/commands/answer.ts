import * as z from 'zod';
import type { Asked, Asker } from '../client/ask.js';
import { hasEnded } from '../client/ask.js';
import { backoff } from '../client/backoff.js';
import type { Clock } from '../client/clock.js';
import { checkReceipts } from '../client/own-receipts.js';
import type { StandingAsk, StandingAsks } from '../client/standing-asks.js';
import { type SubmitReply, submitReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import type { Receipt } from '../protocol/receipt.js';
import type { ExitCode } from './exit-code.js';
import { DEMO } from './first-run.js';
import { pasteableLine } from './invocation.js';
import { exact, print, printJson, tell } from './output.js';

export interface Waiting {
  readonly asker: Asker;
  readonly asks: StandingAsks;
  readonly clock: Clock;
  /** How long to wait, in ms; without end while the broker says pending. */
  readonly patience: number;
  readonly json: boolean;
  /** Flags under which another command finds the same broker. */
  readonly where: readonly string[];
  /** Whether Ctrl-C tells the broker that nobody waits any more. */
  readonly detachOnInterrupt: boolean;
}

/** A broker that is away longer than this is given up, in ms. */
const LOST_AFTER = 120_000;
/** A broker that answers "pending" at once is not asked again before this, in ms. */
const SHORTEST_POLL = 1_000;
const DETACH_TIMEOUT = 2_000;

/**
 * Waits for the answer, uses the approval and shows it.
 *
 * @returns 0 approved, 3 still pending when the patience ends
 * @throws Problem that says how the request ended, or why that cannot be known.
 */
export async function awaitAnswer(ask: StandingAsk, waiting: Waiting): Promise<ExitCode> {
  const { asker, asks, clock, json, where } = waiting;
  const reply = await interruptible(ask, waiting, (signal) => redeem(ask, waiting, signal));
  if (reply === null) return 1;
  if (reply.status.state === 'pending') {
    tell(`still pending; wait for it with: ${pasteableLine(['wait', ask.id, ...where])}`);
    return 3;
  }
  // This program plays that one door itself, so that a first try shows the whole way.
  const isDemo = ask.document.door === DEMO;
  const receipts = checkReceipts(reply.receipts, ask, clock.now());
  if (isDemo) await asker.report(ask, 'opened', 'demo');
  await asks.forget(ask);
  if (json) printJson(answerOf({ ask, reply }));
  else print(`approved ${ask.id} by ${approversOf(receipts)}`);
  if (isDemo) tell('the demo door opens: it checks no signers file, a real door does');
  else tell('enforcement is the work of the door: the receipts for it are printed with --json');
  return 0;
}

/** What a script reads: the state and the receipts, and the document that they are about. */
export function answerOf({ ask, reply }: Pick<Asked, 'ask' | 'reply'>): object {
  const { watch: _secret, ...answer } = z.encode(submitReply, reply);
  return { ...answer, document: ask.document };
}

/** Asks until the request is answered or the patience ends; a broker that restarts meanwhile is waited for. */
async function redeem(
  ask: StandingAsk,
  { asker, asks, clock, patience }: Waiting,
  signal: AbortSignal,
): Promise<SubmitReply> {
  const until = clock.now() + patience;
  let failures = 0;
  let heardAt = clock.now();
  for (;;) {
    const started = clock.now();
    const seconds = Math.max(1, Math.ceil((until - started) / 1000));
    try {
      const reply = await asker.redeem(ask, seconds, signal);
      if (reply.status.state !== 'pending' || clock.now() >= until) return reply;
      failures = 0;
      heardAt = clock.now();
      await pause(clock, SHORTEST_POLL - (heardAt - started), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (hasEnded(error)) await asks.forget(ask);
      if (!isPassing(error) || clock.now() - heardAt > LOST_AFTER) throw error;
      if (failures === 0) tell('lost the broker; trying again');
      await pause(clock, backoff(failures, Math.random), signal);
      failures += 1;
    }
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof Problem && ['broker-unreachable', 'draining', 'rate-limited'].includes(error.code);

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      reject(signal.reason);
    });
  });
}

/** Runs `work` until a signal asks to stop; then detaches and ends as that signal ends a program. Null if it did not. */
async function interruptible(
  ask: StandingAsk,
  waiting: Waiting,
  work: (signal: AbortSignal) => Promise<SubmitReply>,
): Promise<SubmitReply | null> {
  const interrupt = new AbortController();
  let received: NodeJS.Signals | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    received = signal;
    interrupt.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, stop);
  tell('waiting for the answer; Ctrl-C stops');
  try {
    return await work(interrupt.signal);
  } catch (error) {
    if (received === null) throw error;
    await leave(ask, waiting);
    process.kill(process.pid, received);
    return null;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

async function leave(ask: StandingAsk, { asker, detachOnInterrupt, where }: Waiting): Promise<void> {
  const line = (verb: string): string => pasteableLine([verb, ask.id, ...where]);
  if (!detachOnInterrupt) return tell(`${ask.id} still stands; wait for it with: ${line('wait')}`);
  try {
    await asker.detach(ask, { cancel: false }, AbortSignal.timeout(DETACH_TIMEOUT));
    tell(`nobody waits for ${ask.id} any more: it is cancelled in a minute unless you ask again`);
  } catch {
    tell(`${ask.id} may still stand; take it back with: ${line('cancel')}`);
  }
}

const approversOf = (receipts: readonly Receipt[]): string =>
  receipts.map(({ decision }) => exact(decision.approver)).join(', ');
