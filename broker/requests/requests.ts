import { BROKER_SUBMITTER } from '../../src/protocol/change-messages.js';
import type { SubmitBody } from '../../src/protocol/messages.js';
import type { BearerToken, Claim, Digest, Fingerprint, Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { formatSignedText } from '../../src/protocol/receipt.js';
import { isLive, type Outcome } from '../../src/protocol/request-view.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import { type PinnedRule, parseRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { parseVerifiedFacts } from '../../src/protocol/verified-facts.js';
import { checkLimits, type VouchedSubmit } from '../access/submitters.js';
import { hashToken, type RandomBytes, randomToken } from '../access/tokens.js';
import type { Limits } from '../options.js';
import type { Policy } from '../policy/policy.js';
import { checkApprover, type Evaluation, evaluate, groupsOf } from '../policy/quorum.js';
import type { Principals } from '../roster/principals.js';
import {
  type Committed,
  type Directory,
  type Door,
  EVERYBODY,
  type PolicyText,
  type RequestChange,
  type RequestKey,
  type Store,
  type TokenHash,
} from '../store/store.js';
import { checkAlone, isAlone, reviewOf, signedOff } from './break-glass.js';
import { Deadlines } from './deadlines.js';
import * as grants from './grants.js';
import * as lifecycle from './lifecycle.js';
import { unlocked } from './locks.js';
import { aloneSigned, reviewed } from './lone-steps.js';
import { PendingBudget } from './pending-budget.js';
import {
  afterApproval,
  afterDenial,
  checkMayTrouble,
  checkNobodyLocked,
  type Protection,
  whyBarred,
} from './protection.js';
import type { NewEvent, Request, Vote } from './request.js';
import { countedAs } from './restraints.js';
import { type Standing, standingOf, watchKey } from './standings.js';
import {
  standingVotes,
  type VerificationContext,
  verifyDecision,
  verifyReview,
  verifyRevocation,
  verifyStanding,
  verifyUnlocking,
} from './verification.js';
import { Waiters } from './waiters.js';

export interface RequestsContext {
  readonly store: Store;
  readonly policy: Policy;
  /** What a statement may call this broker. */
  readonly brokers: (now: EpochMs) => readonly Fingerprint[];
  readonly limits: Limits;
  readonly clock: () => EpochMs;
  readonly random: RandomBytes;
  readonly newId: () => RequestId;
  readonly principals: () => Principals;
  /** Called when askers came or went. */
  readonly onWaiting: (request: Request) => void;
  /** When to tell the world of a new request; null for never. */
  readonly notifyAt: (request: Request, now: EpochMs) => EpochMs | null;
  /** A broker that stops keeps nobody waiting. */
  readonly isDraining: () => boolean;
}

export interface Submitted {
  readonly request: Request;
  readonly isNew: boolean;
  /** null where there is nothing left to watch. */
  readonly watch: BearerToken | null;
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

/** Every verb on requests: reads the clock, runs the pure step inside the store, and wakes who waited. */
export class Requests {
  readonly waiters = new Waiters();
  readonly #context: RequestsContext;
  readonly #deadlines = new Deadlines<RequestId>();
  readonly #budget: PendingBudget;
  /** Tokens whose detach is being written, so that one which is sent twice at once counts once. */
  readonly #leaving = new Set<TokenHash>();

  constructor(context: RequestsContext) {
    this.#context = context;
    this.#budget = new PendingBudget(context.limits);
    for (const request of context.store.live()) {
      this.#deadlines.set(request.id, this.#isBarred(request) ? 0 : lifecycle.nextDeadline(request));
      if (request.state === 'pending') this.#budget.hold(request.id, this.#holderOf(request));
    }
    context.store.onCommitted((entries) => this.#afterCommit(entries));
  }

  /**
   * Makes a request, or joins the standing one of the same document and submitter. Never waits. With a claim an
   * approved request is redeemed at once. `verified` is the text of the facts that were verified about the caller.
   */
  async submit(
    body: SubmitBody,
    submitter: Submitter,
    nonce: VouchedSubmit['nonce'] | null,
    verified: string | null = null,
  ): Promise<Submitted> {
    const { policy, random, newId } = this.#context;
    const { bound, statement, claim, signers } = body;
    checkLimits(submitter, bound);
    if (this.#principals.approvers === 0) throw new Problem('no-approver', 'nobody could approve this');
    const rule = policy.ruleFor({
      bound,
      submitter,
      verified: verified === null ? null : parseVerifiedFacts(verified),
      principals: this.#principals,
      now: this.#context.clock(),
    });
    const id = newId();
    const watch = randomToken(random);
    const vouched = statement === null ? null : formatSignedText(statement);
    const spent = nonce === null ? {} : { nonce };
    let isNew = false;
    try {
      const submitted = await this.#change<Submitted>(
        { digest: bound.digest, submitter: submitter.name },
        (standing, moment) => {
          const { now } = moment;
          const remember = { ...spent, ...this.#doorChange(bound.document.door, signers, now) };
          if (standing === null) {
            checkNobodyLocked(bound.document, this.#protection(moment));
            const { missing } = evaluate(rule, bound.document.requester, [], this.#principals);
            const submission = {
              id,
              bound,
              submitter: submitter.name,
              vouched,
              verified,
              signers,
              rule,
              missing,
            };
            const fresh = lifecycle.submitted(submission, now);
            const passed = grants.passedAtOnce(fresh.request, claim, moment);
            const { request, others = [] }: grants.Steps = passed ?? fresh;
            const events = [...fresh.events, ...(passed?.events ?? [])];
            const asker = { hash: hashToken(watch), request: id, attached: true };
            const result = { request, isNew: true, watch };
            if (request.state !== 'pending') return { request, events, others, ...remember, asker, result };
            checkMayTrouble(bound.document, this.#protection(moment));
            this.#budget.take(id, this.#holderOf(request));
            const due = this.#context.notifyAt(request, now);
            const delivery = due === null ? {} : { delivery: { sink: 'command' as const, due } };
            return { request, events, others, ...remember, ...delivery, asker, result };
          }
          // What was approved with these facts beside it is not for a caller with others.
          if (standing.verified !== verified) {
            throw new Problem('forbidden', 'the same document was asked with a token of another run', {
              hint: 'ask with a nonce of your own',
            });
          }
          const late = grants.overdue(standing, moment);
          const used: grants.Steps | null =
            late ?? (claim === null ? null : grants.redeemed(standing, claim, moment));
          const request = used?.request ?? standing;
          const watches =
            lifecycle.isUsedBy(request, claim) || (isLive(request.state) && request.claim === null);
          if (!watches) {
            return { events: [], ...used, ...remember, result: { request, isNew: false, watch: null } };
          }
          const step = lifecycle.joined(request);
          const asker = { hash: hashToken(watch), request: request.id, attached: true };
          const result = { request: step.request, isNew: false, watch };
          return { events: [], ...used, request: step.request, ...remember, asker, result };
        },
      );
      isNew = submitted.isNew;
      if (!isNew && submitted.watch !== null) this.#context.onWaiting(submitted.request);
      return submitted;
    } finally {
      if (!isNew) this.#budget.release(id);
    }
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
    const redeemed = await this.#step(id, (standing, moment) => grants.redeemed(standing, claim, moment));
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
    const { request } = await this.#change({ id }, (current, moment, directory) => {
      const { now } = moment;
      const standing = found(current);
      const used = grants.redeemed(standing, claim, moment);
      if (used?.request.state !== 'redeemed') return settled(used, standing);
      for (const vote of used.request.votes) verifyStanding(vote, standing, this.#principals);
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

  /** The broker takes back what it asked for itself, while nobody's yes is enough for it yet. */
  async withdraw(id: RequestId, because: string): Promise<Request> {
    return this.#step(id, (request, { now }) =>
      request.state === 'pending' ? lifecycle.withdrawn(request, now, because) : null,
    );
  }

  async report(
    id: RequestId,
    report: { readonly claim: Claim; readonly outcome: Outcome; readonly code: string | null },
  ): Promise<Request> {
    return this.#step(id, (request, { now }) => lifecycle.reported(request, report, now));
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
      const request = await this.#settled(id);
      const grant = request.grant === null ? null : await this.#settled(request.grant);
      const standing = standingOf(request, grant);
      if (standing.state === 'revoked' || !this.#isPatient(until, patience)) return standing;
      if (request.watchedAt === null) {
        await this.#step(id, (current, { now }) => lifecycle.watched(current, now));
        continue;
      }
      const keys = [id, ...(grant === null ? [] : [grant.id])].map(watchKey);
      await this.waiters.wait(keys, until, patience.hangUp);
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
      const { request } = await this.#change({ id }, (current, { now }) => {
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

  /** Counts one signed decision. The same receipt twice is one decision. */
  async decide(id: RequestId, receipt: string): Promise<Request> {
    const isCounted = ({ votes }: Request): boolean => votes.some((vote) => vote.receipt === receipt);
    const asked = await this.#settled(id);
    if (isCounted(asked)) return asked;
    const rule = parseRule(asked.rule);
    const principals = this.#principals;
    const vote = verifyDecision(receipt, asked, rule, this.#verification());
    const { requester } = asked.document;
    if (isAlone(rule, requester, vote, principals)) return this.#decideAlone(id, vote, rule);
    if (vote.verdict === 'approve') checkApprover(rule, requester, vote.approver, principals);
    const evaluateVotes = (votes: readonly Vote[]): Evaluation =>
      evaluate(rule, requester, votes, principals);
    const decided = await this.#step(id, (request, moment) => {
      const { now } = moment;
      if (isCounted(request)) return null;
      const protection = this.#protection(moment);
      if (vote.verdict === 'deny') return afterDenial(lifecycle.denied(request, vote, now), vote, protection);
      checkNobodyLocked(request.document, protection);
      const votes = standingVotes(request.votes, principals, now);
      const over = request.votes.filter((one) => !votes.includes(one)).map(({ approver }) => approver);
      const groups = groupsOf(rule, vote.approver, principals);
      const standing = { ...request, votes };
      const step = lifecycle.approved(standing, vote, rule, evaluateVotes, now, groups, over);
      return afterApproval(step, protection);
    });
    if (this.#isBarred(decided)) await this.#endBarred();
    return decided;
  }

  /** Lifts lock and mutes of a requester, on the signed statement of a person of the roster other than him. */
  async unlock(statement: string): Promise<{ readonly locks: number; readonly mutes: number }> {
    const { unlocking, nonce } = verifyUnlocking(statement, this.#verification());
    const { approver, requester: asked } = unlocking;
    const requester = countedAs(asked, this.#principals);
    let lifted = { locks: 0, mutes: 0 };
    await this.#context.store.changeRestraints((current) => {
      const { restraints, locks, mutes } = unlocked(current, [requester, asked]);
      if (locks + mutes === 0)
        throw new Problem('nothing-to-unlock', `${requester} is neither locked nor muted`);
      lifted = { locks, mutes };
      const body = { requester, approver, ...lifted, statement };
      return { restraints, nonce, events: [{ kind: 'requester.unlocked', at: this.#context.clock(), body }] };
    });
    return lifted;
  }

  /** The requester lets himself in after the delay of the rule; everybody is told at once. */
  async #decideAlone(id: RequestId, vote: Vote, rule: PinnedRule): Promise<Request> {
    checkAlone(rule, vote, this.#principals);
    const { request } = await this.#change({ id }, (current, moment) => {
      const { now } = moment;
      const standing = found(current);
      checkNobodyLocked(standing.document, this.#protection(moment));
      if (standing.alone?.vote.receipt === vote.receipt) return settled(null, standing);
      const step = aloneSigned(standing, vote, rule.alone?.delay ?? 0, now);
      return {
        ...settled(step, standing),
        delivery: { sink: 'command' as const, due: now, step: EVERYBODY },
      };
    });
    return request;
  }

  /** One more person has looked at what was opened by its requester alone; a signed statement says so. */
  async review(id: RequestId, statement: string): Promise<Request> {
    const standing = await this.#settled(id);
    const { approver } = verifyReview(statement, standing, this.#verification());
    const { request } = await this.#change({ id }, (current, { now }) => {
      const opened = found(current);
      const open = this.#context.store.reviews().get(id);
      if (open === undefined) throw new Problem('nothing-to-review', 'there is nothing to review about this');
      const opener = opened.alone?.vote.approver ?? null;
      const review = signedOff(open, { approver, statement }, opener, this.#principals);
      return {
        ...settled(reviewed(opened, approver, statement, review === null, now), opened),
        review,
      };
    });
    return request;
  }

  /** Takes an approval, a grant or what a door watches back, on a signed revocation by somebody who may. */
  async revoke(id: RequestId, statement: string): Promise<Request> {
    const standing = await this.#settled(id);
    const rule = parseRule(standing.rule);
    const { approver } = verifyRevocation(statement, standing, rule, this.#verification());
    const isWaitedFor = this.waiters.waitsFor(watchKey(id));
    return this.#step(id, (request, { now }) =>
      lifecycle.revoked(request, approver, statement, now, isWaitedFor || lifecycle.isWatched(request)),
    );
  }

  /** To be called once the roster or a group has changed. */
  async reconsider(): Promise<void> {
    const live = this.#context.store.live();
    await Promise.all(live.map(({ id }) => this.#step(id, grants.reconsidered)));
  }

  /** Once a second: ends what is overdue, and sends home who waited long enough. */
  async tick(): Promise<void> {
    const now = this.#context.clock();
    this.waiters.tick(now);
    await Promise.all(this.#deadlines.take(now).map((id) => this.#end(id, now)));
  }

  /** What cannot be written now is tried again at the next tick. */
  async #end(id: RequestId, now: EpochMs): Promise<void> {
    try {
      await this.#step(id, grants.overdue);
    } catch (error) {
      this.#deadlines.set(id, now);
      throw error;
    }
  }

  get #principals(): Principals {
    return this.#context.principals();
  }

  #verification(): VerificationContext {
    const now = this.#context.clock();
    return { brokers: this.#context.brokers(now), principals: this.#principals, now };
  }

  async #wait(id: RequestId, patience: Patience, check: (request: Request) => void): Promise<Request> {
    const until = this.#context.clock() + patience.seconds * 1000;
    for (;;) {
      const request = await this.#settled(id);
      check(request);
      if (isSettled(request) || !this.#isPatient(until, patience)) return request;
      await this.waiters.wait([id], until, patience.hangUp);
    }
  }

  #isPatient(until: EpochMs, { hangUp }: Patience): boolean {
    return this.#context.clock() < until && !hangUp.aborted && !this.#context.isDraining();
  }

  /** @throws Problem `not-found`. What is overdue is ended first, so that nobody acts on a request past its clocks. */
  async #settled(id: RequestId): Promise<Request> {
    const request = found(await this.#context.store.find({ id }));
    const { clock, store } = this.#context;
    const moment = { principals: this.#principals, restraints: store.restraints(), now: clock() };
    return grants.overdue(request, moment) === null ? request : this.#step(id, grants.overdue);
  }

  #isBarred(request: Request): boolean {
    const restraints = this.#context.store.restraints();
    return whyBarred(request, { restraints, principals: this.#principals }) !== null;
  }

  /** Ends what lives in the name of those who are locked. What is not reached here ends where it is next looked at. */
  async #endBarred(): Promise<void> {
    const now = this.#context.clock();
    const live = this.#context.store.live().filter((request) => this.#isBarred(request));
    await Promise.all(live.map(({ id }) => this.#end(id, now)));
  }

  #protection(moment: grants.Moment): Protection {
    return { ...moment, limits: this.#context.limits };
  }

  #holderOf({ submitter, document }: Pick<Request, 'submitter' | 'document'>) {
    const requester = countedAs(document.requester, this.#principals);
    return { submitter, resource: document.resource, requester };
  }

  async #step(
    id: RequestId,
    step: (request: Request, moment: grants.Moment) => grants.Steps | null,
  ): Promise<Request> {
    const { request } = await this.#change({ id }, (current, moment) => {
      const standing = found(current);
      return settled(step(standing, moment), standing);
    });
    return request;
  }

  /** Runs a step inside the store with all that follows for other requests, and sets the clocks for what comes next. */
  async #change<Result extends { readonly request: Request }>(
    key: RequestKey,
    decide: (current: Request | null, moment: grants.Moment, directory: Directory) => RequestChange<Result>,
  ): Promise<Result> {
    let changed: readonly Request[] = [];
    const result = await this.#context.store.change(key, (current, restraints, peers, directory) => {
      const moment = { principals: this.#principals, peers, restraints, now: this.#context.clock() };
      const change = decide(current, moment, directory);
      const { request, others = [] } = change;
      const following =
        current === null || request === undefined ? [] : grants.following(current.state, request, moment);
      const all = [...others, ...following];
      changed = all.map((other) => other.request);
      return { ...change, others: all };
    });
    for (const request of [result.request, ...changed]) {
      this.#deadlines.set(request.id, lifecycle.nextDeadline(request));
    }
    return result;
  }

  /** What there is to write when a door asks with another signers file than before. */
  #doorChange(name: Name, signers: Digest | null, now: EpochMs): { readonly door?: Door } {
    if (signers === null || this.#context.store.doors().get(name)?.signers === signers) return {};
    return { door: { name, signers, since: now } };
  }

  #checkSubmitterEnrolled(request: Request): void {
    if (this.#principals.submitter(request.submitter) !== null) return;
    throw new Problem('unauthenticated', `the submitter ${request.submitter} is not enrolled any more`);
  }

  #afterCommit(entries: readonly Committed[]): void {
    for (const { request } of entries) {
      if (request === null || request.state === 'pending') continue;
      this.#budget.release(request.id);
      this.waiters.release(request.id);
      if (request.state === 'revoked') this.waiters.release(watchKey(request.id));
    }
  }
}

/** What the store writes for a step; nothing for null. */
function settled(step: grants.Steps | null, standing: Request): RequestChange<{ readonly request: Request }> {
  if (step === null) return { events: [], result: { request: standing } };
  const opensAlone = step.request.alone?.opened === true && standing.alone?.opened !== true;
  const review = opensAlone ? { review: reviewOf(step.request, step.events[0]?.at ?? 0) } : {};
  return { ...step, ...review, result: { request: step.request } };
}

/** Whether there is no point in waiting. An approval that the broker itself uses is used at once. */
const isSettled = ({ state, submitter }: Request): boolean =>
  state !== 'pending' && !(state === 'approved' && submitter === BROKER_SUBMITTER);

function found(request: Request | null): Request {
  if (request === null) throw new Problem('not-found', 'there is no such request');
  return request;
}
