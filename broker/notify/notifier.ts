import { accessSync, constants } from 'node:fs';
import type { Logger } from 'pino';
import { Problem } from '../../src/protocol/problems.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { Request } from '../requests/request.js';
import type { Delivery, Store } from '../store/store.js';
import type { Attendance } from './attendance.js';
import { runCommand, type Sent } from './command.js';
import { Outbox } from './outbox.js';

/** How long somebody who has a console open is given before others are told, in ms. */
export const ATTENDED_PAUSE = 30_000;

export interface NotifierContext {
  readonly store: Store;
  /** Path of a program; null for none. */
  readonly command: string | null;
  readonly clock: () => EpochMs;
  readonly log: Logger;
  readonly count: (outcome: 'sent' | 'failed') => void;
}

/** How notifying fares, for whoever asks. */
export interface NotifierState {
  readonly waiting: number;
  /** Why the last try failed; null where it did not. */
  readonly failing: string | null;
}

/**
 * Has a command of the operator's wake somebody: at once for a request that nobody looks at, and after
 * {@link ATTENDED_PAUSE} without an answer for one that somebody seems to look at, because consoles are left open.
 */
export class Notifier {
  readonly #context: NotifierContext;
  readonly #outbox: Outbox | null;
  #failing: string | null = null;

  constructor(context: NotifierContext) {
    this.#context = context;
    const { store, command, clock, log } = context;
    const onError = (error: unknown): void => log.error({ err: error }, 'cannot record a notification');
    if (command === null) {
      // What an earlier start with a command has left.
      for (const delivery of store.deliveries()) store.settleDelivery(delivery, null).catch(onError);
      this.#outbox = null;
      return;
    }
    this.#outbox = new Outbox({
      store,
      sink: 'command',
      clock,
      random: Math.random,
      send: (delivery, request, abort) => runCommand(command, callFor(delivery, request), abort),
      onSent: (delivery, sent) => this.#sent(delivery, sent),
      onError,
    });
  }

  /** Whether somebody is told of a request that nobody looks at; false while that fails. */
  get works(): boolean {
    return this.#outbox !== null && this.#failing === null;
  }

  /** Null without a command. */
  get state(): NotifierState | null {
    return this.#outbox === null ? null : { waiting: this.#outbox.waiting, failing: this.#failing };
  }

  /** When to tell of a request that is being submitted; null for never. */
  dueFor(request: Request, attendance: Attendance, now: EpochMs): EpochMs | null {
    if (this.#outbox === null) return null;
    return attendance.isAttended(request) ? now + ATTENDED_PAUSE : now;
  }

  tick(now: EpochMs): void {
    this.#outbox?.tick(now);
  }

  stop(): void {
    this.#outbox?.stop();
  }

  #sent({ request, attempts }: Delivery, { ok, how, output }: Sent): void {
    const { log, count } = this.#context;
    this.#failing = ok ? null : how;
    count(ok ? 'sent' : 'failed');
    const entry = { id: request, attempt: attempts + 1, how, output };
    if (ok) log.info({ event: 'notified', ...entry });
    else log.warn({ event: 'notify-failed', ...entry });
  }
}

function callFor({ attempts }: Delivery, { id, canonical, answerBy }: Request) {
  return {
    input: `${canonical}\n`,
    variables: {
      COUNTERSIGN_ID: id,
      COUNTERSIGN_ANSWER_BY: formatTime(answerBy),
      COUNTERSIGN_ATTEMPT: String(attempts + 1),
    },
  };
}

/** @throws Problem `usage` where there is no such program, or it may not be run */
export function checkCommand(command: string): void {
  try {
    accessSync(command, constants.X_OK);
  } catch (cause) {
    throw new Problem('usage', `the notification command ${command} cannot be run`, {
      hint: 'give the path of a program that is executable for the user of the broker',
      cause,
    });
  }
}
