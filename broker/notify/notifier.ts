import { accessSync, constants } from 'node:fs';
import type { Logger } from 'pino';
import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseRule } from '../../src/protocol/rule.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { pauseBefore } from '../outbox/backoff.js';
import type { Request } from '../requests/request.js';
import { countedAs } from '../requests/restraints.js';
import type { Principals } from '../roster/principals.js';
import { type Delivery, EVERY_SIGNER, EVERYBODY, type NextTry } from '../store/deliveries.js';
import type { Store } from '../store/store.js';
import type { Attendance } from './attendance.js';
import { runCommand, type Sent } from './command.js';
import { Pace, type Ringer } from './pace.js';
import { type Attempt, PendingOutbox } from './pending-outbox.js';
import { ringed, ringSteps, stepAt } from './rings.js';

/** How long somebody who has a console open is given before others are told, in ms. */
export const ATTENDED_PAUSE = 30_000;
/** When it is looked again whether an older equal request has been told of, in ms. */
const EQUAL_PAUSE = 5_000;
/** Longest pause between tries, in ms. */
const LONGEST_PAUSE = 60_000;
/** Most names that a command is given. */
const MAX_RUNG = 256;

export interface NotifierContext {
  readonly store: Store;
  /** Path of a program; null for none. */
  readonly command: string | null;
  readonly clock: () => EpochMs;
  /** From 0 to below 1, for the jitter. */
  readonly random: () => number;
  readonly principals: () => Principals;
  /** Most rings a minute of one requester, and of one submitter. */
  readonly limits: { readonly ringsPerRequester: number; readonly ringsPerSubmitter: number };
  readonly log: Logger;
  readonly count: (outcome: 'sent' | 'failed') => void;
  /** Runs the command; another one in tests. */
  readonly run?: typeof runCommand;
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
  readonly #outbox: PendingOutbox | null;
  readonly #pace: Pace;
  /** Held back, and being told of by a ring that is under way. */
  readonly #summarised = new Set<RequestId>();
  #failing: string | null = null;

  constructor(context: NotifierContext) {
    this.#context = context;
    const { store, command, clock, log, limits } = context;
    this.#pace = new Pace(limits);
    const onError = (error: unknown): void => log.error({ err: error }, 'cannot record a notification');
    if (command === null) {
      // What an earlier start with a command has left.
      for (const delivery of store.deliveries()) store.settleDelivery(delivery, null).catch(onError);
      this.#outbox = null;
      return;
    }
    this.#outbox = new PendingOutbox({
      store,
      sink: 'command',
      clock,
      attempt: (delivery, request, abort) => this.#attempt(command, delivery, request, abort),
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
    const first = ringSteps(request)[0]?.at ?? now;
    return Math.max(first, attendance.isAttended(request) ? now + ATTENDED_PAUSE : now);
  }

  tick(now: EpochMs): void {
    this.#pace.prune(now);
    this.#outbox?.tick();
  }

  stop(): void {
    this.#outbox?.stop();
  }

  /** Rings for one request, unless somebody has been rung for it already, or its requester has rung enough. */
  async #attempt(
    command: string,
    delivery: Delivery,
    request: Request,
    abort: AbortSignal,
  ): Promise<Attempt> {
    const { clock, random, principals, store, run = runCommand } = this.#context;
    const now = clock();
    const isForAll = delivery.step === EVERYBODY || delivery.step === EVERY_SIGNER;
    // Somebody has had everybody rung: the steps of the rule bring nobody more.
    if (!isForAll && request.escalated !== null) return { next: null, told: [] };
    const steps = ringSteps(request);
    const step = Math.max(delivery.step, stepAt(steps, now));
    const next = isForAll ? null : nextStep(request, step);
    const names =
      delivery.step === EVERYBODY
        ? everybodyElse(request, principals())
        : ringed(request, isForAll ? steps : steps.slice(delivery.step, step + 1), principals());
    // Those who have signed already were all that these steps could have brought.
    if (delivery.step !== EVERYBODY && names.length === 0 && request.votes.length > 0)
      return { next, told: [] };

    const equal = store.live().filter(({ state, scope }) => state === 'pending' && scope === request.scope);
    const [elder] = equal;
    if (elder !== undefined && elder.id !== request.id && !isForAll) {
      const waits = (this.#outbox?.first(elder.id)?.step ?? Number.POSITIVE_INFINITY) <= step;
      return waits ? { held: now + EQUAL_PAUSE } : { next, told: [] };
    }

    const requester = countedAs(request.document.requester, principals());
    const ringer: Ringer = { requester, submitter: request.submitter };
    const opensAt = this.#pace.opensAt(ringer, now);
    if (!isForAll && (opensAt > now || this.#summarised.has(request.id))) {
      this.#pace.hold(request.id, ringer);
      return { held: Math.max(opensAt, now + EQUAL_PAUSE) };
    }
    const others = this.#heldWith(request.id, ringer);
    const comesToNothing = this.#pace.ring(ringer, now);
    for (const { id } of others) this.#summarised.add(id);
    const rung = { names, channel: parseRule(request.rule).channel, step: step + 1 };
    const counts = { equal: equal.length, more: others.length };
    const sent = await run(command, callFor(delivery, request, rung, counts), abort);
    const settled = (): void => {
      for (const { id } of others) this.#summarised.delete(id);
    };
    if (!abort.aborted) this.#sent(delivery, sent);
    if (!sent.ok) {
      comesToNothing();
      const attempts = delivery.attempts + 1;
      const due = clock() + pauseBefore(attempts, random(), LONGEST_PAUSE);
      return { next: { attempts, due, step: delivery.step }, told: [], settled };
    }
    for (const { id } of [request, ...others]) this.#pace.release(id);
    return {
      next,
      settled,
      told: others.map((other) => ({ id: other.id, next: nextStep(other, stepAt(ringSteps(other), now)) })),
    };
  }

  /** Pending requests that were held back because of the same requester or submitter, where this one was. */
  #heldWith(id: RequestId, ringer: Ringer): readonly Request[] {
    if (!this.#pace.isHeld(id)) return [];
    const held = new Set(this.#pace.heldWith(ringer));
    held.delete(id);
    const { store } = this.#context;
    // For what somebody has had everybody rung, a ring of its own is under way.
    const pending = store
      .live()
      .filter(({ id, state, escalated }) => state === 'pending' && escalated === null && held.has(id));
    for (const gone of held) {
      if (!pending.some((request) => request.id === gone)) this.#pace.release(gone);
    }
    return pending;
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

/** Everybody who can say no to a requester who lets himself in alone. */
const everybodyElse = ({ document }: Request, principals: Principals): readonly Name[] =>
  [...principals.people]
    .filter((person) => person !== principals.personBehind(document.requester))
    .map(({ name }) => name);

/** When the step after this one rings; null after the last. */
function nextStep(request: Request, step: number): NextTry | null {
  const next = ringSteps(request)[step + 1];
  return next === undefined ? null : { attempts: 0, due: next.at, step: step + 1 };
}

function callFor(
  { attempts }: Delivery,
  { id, canonical, answerBy, escalated }: Request,
  rung: { readonly names: readonly Name[]; readonly channel: string | null; readonly step: number },
  { equal, more }: { readonly equal: number; readonly more: number },
) {
  return {
    input: `${canonical}\n`,
    variables: {
      COUNTERSIGN_ID: id,
      COUNTERSIGN_ANSWER_BY: formatTime(answerBy),
      COUNTERSIGN_ATTEMPT: String(attempts + 1),
      COUNTERSIGN_RING: rung.names.slice(0, MAX_RUNG).join(),
      COUNTERSIGN_CHANNEL: rung.channel ?? '',
      COUNTERSIGN_STEP: String(rung.step),
      COUNTERSIGN_ESCALATED_BY: escalated?.by ?? '',
      COUNTERSIGN_EQUAL: String(equal),
      COUNTERSIGN_MORE: String(more),
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
