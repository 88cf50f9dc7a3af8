import * as z from 'zod';
import type { Asked, Asker } from '../client/ask.js';
import type { Clock } from '../client/clock.js';
import { checkReceipts } from '../client/own-receipts.js';
import { redeemPatiently } from '../client/patient-redeem.js';
import type { StandingAsk, StandingAsks } from '../client/standing-asks.js';
import { submitReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import type { Receipt } from '../protocol/receipt.js';
import type { ExitCode } from './exit-code.js';
import { DEMO } from './first-run.js';
import { interruptible } from './interrupt.js';
import { pasteableLine } from './invocation.js';
import { exact, print, printJson, tell } from './output.js';

export interface Waiting {
  readonly asker: Asker;
  readonly asks: StandingAsks;
  readonly clock: Clock;
  /** How long to wait, in ms; without end while the broker says pending. */
  readonly patience: number;
  readonly json: boolean;
  /** Whether an approval by the broker's policy alone, without a signature, is taken. */
  readonly automatic: boolean;
  /** Flags under which another command finds the same broker. */
  readonly where: readonly string[];
  /** Whether Ctrl-C tells the broker that nobody waits any more. */
  readonly detachOnInterrupt: boolean;
}

const DETACH_TIMEOUT = 2_000;

/**
 * Waits for the answer, uses the approval and shows it.
 *
 * @returns 0 approved, 3 still pending when the patience ends
 * @throws Problem that says how the request ended, or why that cannot be known.
 */
export async function awaitAnswer(ask: StandingAsk, waiting: Waiting): Promise<ExitCode> {
  const { asker, asks, clock, patience, json, automatic, where } = waiting;
  const onLost = (): void => tell('lost the broker; trying again');
  const waited = await interruptible((signal) => {
    tell('waiting for the answer; Ctrl-C stops');
    return redeemPatiently(ask, { asker, asks, clock, patience, onLost, signal });
  });
  if (waited.interrupted !== null) {
    await leave(ask, waiting);
    process.kill(process.pid, waited.interrupted);
    return 1;
  }
  const reply = waited.result;
  if (reply.status.state === 'pending') {
    tell(`still pending; wait for it with: ${pasteableLine(['wait', ask.id, ...where])}`);
    return 3;
  }
  // This program plays that one door itself, so that a first try shows the whole way.
  const isDemo = ask.document.door === DEMO;
  const isAutomatic = reply.receipts.length === 0 && reply.status.votes.length === 0;
  if (isAutomatic && !automatic) {
    throw new Problem('no-receipt', 'approved by the policy of the broker alone: nobody has signed', {
      hint: 'where that is enough, say --automatic',
    });
  }
  const receipts = isAutomatic ? [] : checkReceipts(reply.receipts, ask, clock.now());
  if (isDemo) await asker.report(ask, 'opened', 'demo');
  await asks.forget(ask);
  if (json) printJson(answerOf({ ask, reply }));
  else print(`approved ${ask.id} ${isAutomatic ? 'automatically' : `by ${approversOf(receipts)}`}`);
  if (isDemo) tell('the demo door opens: it checks no signers file, a real door does');
  else tell('enforcement is the work of the door: the receipts for it are printed with --json');
  return 0;
}

/** What a script reads: the state and the receipts, and the document that they are about. */
export function answerOf({ ask, reply }: Pick<Asked, 'ask' | 'reply'>): object {
  const { watch: _secret, ...answer } = z.encode(submitReply, reply);
  return { ...answer, document: ask.document };
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
