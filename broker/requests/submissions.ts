import type { BoundDocument } from '../../src/protocol/document.js';
import type { SubmitBody } from '../../src/protocol/messages.js';
import type { BearerToken, Claim, Digest, Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { formatSignedText } from '../../src/protocol/receipt.js';
import { isLive } from '../../src/protocol/request-view.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { parseVerifiedFacts } from '../../src/protocol/verified-facts.js';
import { checkLimits, type VouchedSubmit } from '../access/submitters.js';
import { hashToken, type RandomBytes, randomToken } from '../access/tokens.js';
import { BROKER_ITSELF } from '../changes/broker-submitter.js';
import type { Policy } from '../policy/policy.js';
import { evaluate } from '../policy/quorum.js';
import type { Principals } from '../roster/principals.js';
import type { Asker, Committed, Door, RequestChange, Store } from '../store/store.js';
import * as grants from './grants.js';
import * as lifecycle from './lifecycle.js';
import { type Holder, PendingBudget, type PendingLimits } from './pending-budget.js';
import { checkMayTrouble, checkNobodyLocked } from './protection.js';
import type { Request } from './request.js';
import { countedAs } from './restraints.js';
import type { Transitions } from './transitions.js';

/** Others who have a say in whether a new request is made. */
export interface Validation {
  isAskedFor(action: Name): boolean;
  /**
   * @returns the names of those who allow it
   * @throws Problem where not all of them do
   */
  check(ask: {
    readonly bound: BoundDocument;
    readonly submitter: Name;
    /** Text of the facts that were verified about the caller. */
    readonly verified: string | null;
  }): Promise<readonly string[]>;
}

export interface SubmissionsContext {
  readonly store: Store;
  readonly policy: Policy;
  readonly validation: Validation;
  readonly limits: PendingLimits;
  readonly clock: () => EpochMs;
  readonly random: RandomBytes;
  readonly newId: () => RequestId;
  readonly principals: () => Principals;
  /** Called when askers came or went. */
  readonly onWaiting: (request: Request) => void;
  /** When to tell the world of a new request; null for never. */
  readonly notifyAt: (request: Request, now: EpochMs) => EpochMs | null;
}

export interface Submitted {
  readonly request: Request;
  readonly isNew: boolean;
  /** null where there is nothing left to watch. */
  readonly watch: BearerToken | null;
}

/** What somebody asks for, as it would be submitted, and the watch token that he would get. */
interface Ask {
  readonly submission: Omit<lifecycle.Submission, 'missing'>;
  readonly claim: Claim | null;
  readonly watch: BearerToken;
}

/** How requests come in. */
export class Submissions {
  readonly #context: SubmissionsContext;
  readonly #transitions: Transitions;
  readonly #budget: PendingBudget;

  constructor(context: SubmissionsContext, transitions: Transitions) {
    this.#context = context;
    this.#transitions = transitions;
    this.#budget = new PendingBudget(context.limits);
    const principals = context.principals();
    for (const request of context.store.live()) {
      if (request.state === 'pending') this.#budget.hold(request.id, holderOf(request, principals));
    }
    context.store.onCommitted((entries) => this.#release(entries));
  }

  /**
   * Makes a request, or joins the standing one of the same document and submitter. Waits for nobody but those who validate
   * new requests. With a claim an approved request is redeemed at once. `verified` is the text of the facts that were verified about the caller.
   */
  async submit(
    { bound, statement, claim, signers }: SubmitBody,
    submitter: Submitter,
    nonce: VouchedSubmit['nonce'] | null,
    verified: string | null = null,
  ): Promise<Submitted> {
    const { policy, random, newId, clock, onWaiting } = this.#context;
    const principals = this.#context.principals();
    checkLimits(submitter, bound);
    if (principals.approvers === 0) throw new Problem('no-approver', 'nobody could approve this');
    const facts = verified === null ? null : parseVerifiedFacts(verified);
    const ruled = () =>
      policy.ruleFor({
        bound,
        submitter,
        verified: facts,
        principals: this.#context.principals(),
        now: clock(),
      });
    const atFirst = ruled();
    const validated = await this.#validate({ bound, submitter, verified });
    // Others may take a while, and only what is in force when the request is made is pinned.
    if (validated !== null) this.#checkStillEnrolled(submitter, bound);
    const rule = validated === null ? atFirst : ruled();
    const id = newId();
    const watch = randomToken(random);
    const vouched = statement === null ? null : formatSignedText(statement);
    const submission = { id, bound, submitter: submitter.name, vouched, verified, signers, validated, rule };
    const ask: Ask = { submission, claim, watch };
    const spent = nonce === null ? {} : { nonce };
    let isNew = false;
    try {
      const key = { digest: bound.digest, submitter: submitter.name };
      const submitted = await this.#transitions.change<Submitted>(key, (standing, moment) => ({
        ...(standing === null ? this.#made(ask, moment) : joined(standing, ask, moment)),
        ...spent,
        ...this.#doorChange(bound.document.door, signers, moment.now),
      }));
      isNew = submitted.isNew;
      if (!isNew && submitted.watch !== null) onWaiting(submitted.request);
      return submitted;
    } finally {
      if (!isNew) this.#budget.release(id);
    }
  }

  /** Has others allow what would be a new request; null where nobody has a say. */
  async #validate({
    bound,
    submitter,
    verified,
  }: {
    readonly bound: BoundDocument;
    readonly submitter: Submitter;
    readonly verified: string | null;
  }): Promise<readonly string[] | null> {
    const { store, validation } = this.#context;
    // Nobody outside may keep the broker from having its own changes approved, such as that of its submitters.
    if (submitter === BROKER_ITSELF || !validation.isAskedFor(bound.document.action)) return null;
    if ((await store.find({ digest: bound.digest, submitter: submitter.name })) !== null) return null;
    return validation.check({ bound, submitter: submitter.name, verified });
  }

  /**
   * Who asked may have been removed, or confined, while others were asked.
   *
   * @throws Problem `unauthenticated`, `submitter-limits`
   */
  #checkStillEnrolled({ name, credential }: Submitter, bound: BoundDocument): void {
    const now = this.#context.principals().submitter(name);
    if (now === null || JSON.stringify(now.credential) !== JSON.stringify(credential)) {
      throw new Problem('unauthenticated', `${name} is not enrolled any more with what it asked by`);
    }
    checkLimits(now, bound);
  }

  /** A new request, which takes its place among the pending ones unless it passes at once. */
  #made({ submission, claim, watch }: Ask, moment: grants.Moment): RequestChange<Submitted> {
    const { id, bound, rule } = submission;
    const { principals, now } = moment;
    checkNobodyLocked(bound.document, moment);
    const { missing } = evaluate(rule, bound.document.requester, [], principals);
    const fresh = lifecycle.submitted({ ...submission, missing }, now);
    const passed = grants.passedAtOnce(fresh.request, claim, moment);
    const { request, others = [] }: grants.Steps = passed ?? fresh;
    const events = [...fresh.events, ...(passed?.events ?? [])];
    const result = { request, isNew: true, watch };
    const change = { request, events, others, asker: askerOf(request, watch), result };
    if (request.state !== 'pending') return change;
    checkMayTrouble(bound.document, moment);
    this.#budget.take(id, holderOf(request, principals));
    const due = this.#context.notifyAt(request, now);
    return due === null ? change : { ...change, delivery: { sink: 'command', due } };
  }

  /** What there is to write when a door asks with another signers file than before. */
  #doorChange(name: Name, signers: Digest | null, now: EpochMs): { readonly door?: Door } {
    if (signers === null || this.#context.store.doors().get(name)?.signers === signers) return {};
    return { door: { name, signers, since: now } };
  }

  #release(entries: readonly Committed[]): void {
    for (const { request } of entries) {
      if (request !== null && request.state !== 'pending') this.#budget.release(request.id);
    }
  }
}

/** One more asker for the standing request, which is used at once where that can be. */
function joined(
  standing: Request,
  { submission, claim, watch }: Ask,
  moment: grants.Moment,
): RequestChange<Submitted> {
  // What was approved with these facts beside it is not for a caller with others.
  if (standing.verified !== submission.verified) {
    throw new Problem('forbidden', 'the same document was asked with a token of another run', {
      hint: 'ask with a nonce of your own',
    });
  }
  const late = grants.overdue(standing, moment);
  const used: grants.Steps | null =
    late ?? (claim === null ? null : grants.redeemed(standing, claim, moment));
  const request = used?.request ?? standing;
  const watches = lifecycle.isUsedBy(request, claim) || (isLive(request.state) && request.claim === null);
  if (!watches) return { events: [], ...used, result: { request, isNew: false, watch: null } };
  const step = lifecycle.joined(request);
  const result = { request: step.request, isNew: false, watch };
  return { events: [], ...used, request: step.request, asker: askerOf(request, watch), result };
}

const askerOf = ({ id }: Request, watch: BearerToken): Asker => ({
  hash: hashToken(watch),
  request: id,
  attached: true,
});

const holderOf = ({ submitter, document }: Request, principals: Principals): Holder => ({
  submitter,
  resource: document.resource,
  requester: countedAs(document.requester, principals),
});
