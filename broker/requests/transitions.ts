import type { Fingerprint, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Principals } from '../roster/principals.js';
import type { Committed, Directory, RequestChange, RequestKey, Store } from '../store/store.js';
import { reviewOf } from './break-glass.js';
import { Deadlines } from './deadlines.js';
import type { FatigueLimits } from './fatigue.js';
import * as grants from './grants.js';
import { nextDeadline } from './lifecycle.js';
import { type Protection, whyBarred } from './protection.js';
import type { Request } from './request.js';
import { watchKey } from './standings.js';
import type { VerificationContext } from './verification.js';
import { Waiters } from './waiters.js';

export interface TransitionsContext {
  readonly store: Store;
  /** What a statement may call this broker. */
  readonly brokers: (now: EpochMs) => readonly Fingerprint[];
  readonly limits: FatigueLimits;
  readonly clock: () => EpochMs;
  readonly principals: () => Principals;
}

/**
 * Takes requests from state to state: runs pure steps inside the store with all that follows from them, ends what is
 * overdue, and wakes who waited.
 */
export class Transitions {
  readonly waiters = new Waiters();
  readonly #context: TransitionsContext;
  readonly #deadlines = new Deadlines<RequestId>();

  constructor(context: TransitionsContext) {
    this.#context = context;
    for (const request of context.store.live()) {
      this.#deadlines.set(request.id, this.#isBarred(request) ? 0 : nextDeadline(request));
    }
    context.store.onCommitted((entries) => this.#wake(entries));
  }

  /** @throws Problem `not-found`. What is overdue is ended first, so that nobody acts on a request past its clocks. */
  async look(id: RequestId): Promise<Request> {
    const request = found(await this.#context.store.find({ id }));
    return grants.overdue(request, this.#protection()) === null ? request : this.step(id, grants.overdue);
  }

  /**
   * One step of a request that stands; null changes nothing.
   *
   * @throws Problem `not-found`, and whatever the step throws
   */
  async step(
    id: RequestId,
    step: (request: Request, moment: grants.Moment) => grants.Steps | null,
  ): Promise<Request> {
    const { request } = await this.change({ id }, (current, moment) => {
      const standing = found(current);
      return written(step(standing, moment), standing);
    });
    return request;
  }

  /** A change with all that follows for other requests. Sets the clocks for what comes next. */
  async change<Result extends { readonly request: Request }>(
    key: RequestKey,
    decide: (current: Request | null, moment: grants.Moment, directory: Directory) => RequestChange<Result>,
  ): Promise<Result> {
    let changed: readonly Request[] = [];
    const result = await this.#context.store.change(key, (current, restraints, peers, directory) => {
      const own = this.#protection();
      const moment = { ...own, principals: own.principals.over(directory), restraints, peers };
      const change = decide(current, moment, directory);
      const { request, others = [] } = change;
      const following =
        current === null || request === undefined ? [] : grants.following(current.state, request, moment);
      const all = [...others, ...following];
      changed = all.map((other) => other.request);
      return { ...change, others: all };
    });
    for (const request of [result.request, ...changed]) {
      this.#deadlines.set(request.id, nextDeadline(request));
    }
    return result;
  }

  /** By what signed statements are verified now. */
  verification(): VerificationContext {
    const now = this.#context.clock();
    return { brokers: this.#context.brokers(now), principals: this.#context.principals(), now };
  }

  /** To be called once the roster or a group has changed. */
  async reconsider(): Promise<void> {
    const live = this.#context.store.live();
    await Promise.all(live.map(({ id }) => this.step(id, grants.reconsidered)));
  }

  /** Once a second: ends what is overdue, and sends home who waited long enough. */
  async tick(): Promise<void> {
    const now = this.#context.clock();
    this.waiters.tick(now);
    await Promise.all(this.#deadlines.take(now).map((id) => this.#end(id, now)));
  }

  /**
   * Where the requester of this one is locked, ends what lives in the name of all who are. What is not reached here ends
   * where it is next looked at.
   */
  async endBarredWith(request: Request): Promise<void> {
    if (!this.#isBarred(request)) return;
    const now = this.#context.clock();
    const live = this.#context.store.live().filter((other) => this.#isBarred(other));
    await Promise.all(live.map(({ id }) => this.#end(id, now)));
  }

  /** What cannot be written now is tried again at the next tick. */
  async #end(id: RequestId, now: EpochMs): Promise<void> {
    try {
      await this.step(id, grants.overdue);
    } catch (error) {
      this.#deadlines.set(id, now);
      throw error;
    }
  }

  #isBarred(request: Request): boolean {
    return whyBarred(request, this.#protection()) !== null;
  }

  #protection(): Protection {
    const { store, principals, limits, clock } = this.#context;
    return { restraints: store.restraints(), principals: principals(), limits, now: clock() };
  }

  #wake(entries: readonly Committed[]): void {
    for (const { request } of entries) {
      if (request === null || request.state === 'pending') continue;
      this.waiters.release(request.id);
      if (request.state === 'revoked') this.waiters.release(watchKey(request.id));
    }
  }
}

/** @throws Problem `not-found` */
export function found(request: Request | null): Request {
  if (request === null) throw new Problem('not-found', 'there is no such request');
  return request;
}

/** What the store writes for a step; nothing for null. */
export function written(
  step: grants.Steps | null,
  standing: Request,
): RequestChange<{ readonly request: Request }> {
  if (step === null) return { events: [], result: { request: standing } };
  const opensAlone = step.request.alone?.opened === true && standing.alone?.opened !== true;
  const review = opensAlone ? { review: reviewOf(step.request, step.events[0]?.at ?? 0) } : {};
  return { ...step, ...review, result: { request: step.request } };
}
