import { BROKER_SUBMITTER } from '../../src/protocol/change-messages.js';
import type { Claim, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Outcome } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Limits } from '../options.js';
import type { Directory, PolicyText, TokenHash } from '../store/store.js';
import { revealed } from './canary-steps.js';
import { Decisions } from './decisions.js';
import * as grants from './grants.js';
import * as lifecycle from './lifecycle.js';
import type { NewEvent, Request } from './request.js';
import { type Standing, standingOf, watchKey } from './standings.js';
import { Submissions, type SubmissionsContext } from './submissions.js';
import { Talk } from './talk.js';
import { found, Transitions, type TransitionsContext, written } from './transitions.js';
import { checkMayReveal, checkStillSubmits, verifyCanary, verifyStanding } from './verification.js';
import type { Waiters } from './waiters.js';
import { Watches } from './watches.js';

export interface RequestsContext extends TransitionsContext, SubmissionsContext {
  readonly limits: Limits;
  /** A broker that stops keeps nobody waiting. */
  readonly isDraining: () => boolean;
}

/** What the broker did where it is the door itself. */
export interface Deed {
  /** null for done, else a word for why not. */
  readonly code: string | null;
  /** How the request ended, for a reader. */
  readonly words: string;
  readonly events: readonly NewEvent[];
  readonly directory?: Directory;
  readonly policy?: PolicyText;
}

/** How long somebody waits for a request to move, and how the broker hears that he is gone. */
export interface Patience {
  readonly seconds: number;
  readonly hangUp: AbortSignal;
}

/**
 * Every verb on requests: those of people are in decisions.ts and talk.ts, how requests come in is in submissions.ts, and here is what
 * doors and their askers do with them.
 */
export class Requests {
  readonly #context: RequestsContext;
  readonly #transitions: Transitions;
  readonly #submissions: Submissions;
  readonly #decisions: Decisions;
  readonly #talk: Talk;
  /** Tokens whose detach is being written, so that one which is sent twice at once counts once. */
  readonly #leaving = new Set<TokenHash>();
  readonly #watches = new Watches();

  constructor(context: RequestsContext) {
    this.#context = context;
    this.#transitions = new Transitions(context);
    this.#submissions = new Submissions(context, this.#transitions);
    this.#decisions = new Decisions(context, this.#transitions);
    this.#talk = new Talk(context, this.#transitions);
  }

  get waiters(): Waiters {
    return this.#transitions.waiters;
  }

  /** See {@link Submissions.submit}. */
  submit(...asked: Parameters<Submissions['submit']>): ReturnType<Submissions['submit']> {
    return this.#submissions.submit(...asked);
  }

  /** See {@link Decisions.decide}. */
  decide(...signed: Parameters<Decisions['decide']>): ReturnType<Decisions['decide']> {
    return this.#decisions.decide(...signed);
  }

  /** See {@link Decisions.review}. */
  review(...signed: Parameters<Decisions['review']>): ReturnType<Decisions['review']> {
    return this.#decisions.review(...signed);
  }

  /** See {@link Decisions.revoke}. */
  revoke(...signed: Parameters<Decisions['revoke']>): ReturnType<Decisions['revoke']> {
    return this.#decisions.revoke(...signed);
  }

  /** See {@link Decisions.unlock}. */
  unlock(...signed: Parameters<Decisions['unlock']>): ReturnType<Decisions['unlock']> {
    return this.#decisions.unlock(...signed);
  }

  /** See {@link Talk.comment}. */
  comment(...said: Parameters<Talk['comment']>): ReturnType<Talk['comment']> {
    return this.#talk.comment(...said);
  }

  /** See {@link Talk.escalate}. */
  escalate(...asked: Parameters<Talk['escalate']>): ReturnType<Talk['escalate']> {
    return this.#talk.escalate(...asked);
  }

  /** To be called once the roster or a group has changed. */
  reconsider(): Promise<void> {
    return this.#transitions.reconsider();
  }

  /** To be called once a second. */
  tick(): Promise<void> {
    this.#watches.tick(this.#context.clock());
    return this.#transitions.tick();
  }

  /** What doors watch just now, to end it once it is revoked; the newest first. */
  watched(): readonly RequestId[] {
    return this.#watches.current(this.#context.clock());
  }

  /** The request as it stands, or as it stands when it moved or the patience ended. */
  async read(id: RequestId, patience: Patience): Promise<Request> {
    return this.#wait(id, patience, () => {});
  }

  /**
   * Waits for the approval and records its use under the claim; a pending request is returned when the patience ends.
   *
   * @throws Problem that says how the request ended; `unauthenticated` once the submitter is not enrolled any more.
   */
  async redeem(id: RequestId, claim: Claim, patience: Patience): Promise<Request> {
    const request = await this.#wait(id, patience, (standing) => this.#checkSubmitterEnrolled(standing));
    if (request.state === 'pending') return request;
    const redeemed = await this.#transitions.step(id, (standing, moment) =>
      grants.redeemed(standing, claim, moment),
    );
    if (lifecycle.isUsedBy(redeemed, claim)) return redeemed;
    throw lifecycle.endedProblem(redeemed);
  }

  /**
   * The broker is the door of this request: once more it verifies all that it was approved by, uses the approval and does
   * the deed, all in one commit. What is not approved (any more) stays or ends as it must.
   */
  async perform(
    id: RequestId,
    deed: (request: Request, directory: Directory, now: EpochMs) => Deed,
  ): Promise<Request> {
    const claim = this.#context.random(16).toString('hex') as Claim;
    const { request } = await this.#transitions.change({ id }, (current, moment, directory) => {
      const { now } = moment;
      const standing = found(current);
      const used = grants.redeemed(standing, claim, moment);
      if (used?.request.state !== 'redeemed') return written(used, standing);
      for (const vote of used.request.votes) verifyStanding(vote, standing, this.#context.principals());
      const { events, code, words, ...effects } = deed(used.request, directory, now);
      const done = lifecycle.performed(used.request, { claim, code, words }, now);
      return {
        ...effects,
        request: done.request,
        events: [...used.events, ...events, ...done.events],
        result: { request: done.request },
      };
    });
    return request;
  }

  /** A submitter reveals, signed, that a request of its own was a canary. */
  async reveal(id: RequestId, statement: string): Promise<Request> {
    const { document, ...asked } = await this.#transitions.look(id);
    const key = verifyCanary(
      statement,
      { ...asked, nonce: document.nonce },
      this.#transitions.verification(),
    );
    return this.#transitions.step(id, (request, { principals, now }) => {
      checkMayReveal(checkStillSubmits(key, request, principals));
      return revealed(request, statement, now);
    });
  }

  /** The broker takes back what it asked for itself, while nobody's yes is enough for it yet. */
  async withdraw(id: RequestId, because: string): Promise<Request> {
    return this.#transitions.step(id, (request, { now }) =>
      request.state === 'pending' ? lifecycle.withdrawn(request, now, because) : null,
    );
  }

  async report(
    id: RequestId,
    report: { readonly claim: Claim; readonly outcome: Outcome; readonly code: string | null },
  ): Promise<Request> {
    return this.#transitions.step(id, (request, { now }) => lifecycle.reported(request, report, now));
  }

  /**
   * Whether what was opened may stay open; waits until it may not. Who waits watches, and that is written down: the request
   * can then be revoked although it was used.
   *
   * @throws Problem `not-redeemed`, or one that says how the request ended before anything was opened.
   */
  async standing(id: RequestId, patience: Patience): Promise<Standing> {
    const until = this.#context.clock() + patience.seconds * 1000;
    for (;;) {
      const request = await this.#transitions.look(id);
      const grant = request.grant === null ? null : await this.#transitions.look(request.grant);
      const standing = standingOf(request, grant);
      if (standing.state === 'revoked' || !this.#isPatient(until, patience)) return standing;
      if (request.watchedAt === null) {
        await this.#transitions.step(id, (current, { now }) => lifecycle.watched(current, now));
        continue;
      }
      const keys = [id, ...(grant === null ? [] : [grant.id])].map(watchKey);
      this.#watches.enter(id);
      await this.waiters.wait(keys, until, patience.hangUp);
      this.#watches.leave(id, this.#context.clock());
    }
  }

  /**
   * One asker goes, once: the same token again takes nobody else's place. With `cancel` the request ends at once if
   * nobody else waits.
   */
  async detach(id: RequestId, hash: TokenHash, cancel: boolean): Promise<Request> {
    const asker = await this.#context.store.findAsker(hash);
    const leaves = asker?.attached === true && !this.#leaving.has(hash);
    if (leaves) this.#leaving.add(hash);
    try {
      const { request } = await this.#transitions.change({ id }, (current, { now }) => {
        const standing = found(current);
        const others = leaves ? standing.askers - 1 : standing.askers;
        const step =
          cancel && others <= 0
            ? lifecycle.withdrawn(standing, now)
            : leaves
              ? lifecycle.detached(standing, now)
              : { request: standing, events: [] };
        return { ...step, asker: { hash, request: id, attached: false }, result: { request: step.request } };
      });
      this.#context.onWaiting(request);
      return request;
    } finally {
      if (leaves) this.#leaving.delete(hash);
    }
  }

  async #wait(id: RequestId, patience: Patience, check: (request: Request) => void): Promise<Request> {
    const until = this.#context.clock() + patience.seconds * 1000;
    for (;;) {
      const request = await this.#transitions.look(id);
      check(request);
      if (isSettled(request) || !this.#isPatient(until, patience)) return request;
      await this.waiters.wait([id], until, patience.hangUp);
    }
  }

  #isPatient(until: EpochMs, { hangUp }: Patience): boolean {
    return this.#context.clock() < until && !hangUp.aborted && !this.#context.isDraining();
  }

  #checkSubmitterEnrolled(request: Request): void {
    if (this.#context.principals().submitter(request.submitter) !== null) return;
    throw new Problem('unauthenticated', `the submitter ${request.submitter} is not enrolled any more`);
  }
}

/** Whether there is no point in waiting. An approval that the broker itself uses is used at once. */
const isSettled = ({ state, submitter }: Request): boolean =>
  state !== 'pending' && !(state === 'approved' && submitter === BROKER_SUBMITTER);
