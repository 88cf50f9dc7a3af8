import type { RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type PinnedRule, parseRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { checkApprover, type Evaluation, evaluate, groupsAmong, groupsOf } from '../policy/quorum.js';
import { EVERYBODY } from '../store/deliveries.js';
import type { Store } from '../store/store.js';
import { checkAlone, isAlone, signedOff } from './break-glass.js';
import type { Moment } from './grants.js';
import * as lifecycle from './lifecycle.js';
import { unlocked } from './locks.js';
import { aloneSigned, reviewed } from './lone-steps.js';
import { afterApproval, afterDenial, checkNobodyLocked } from './protection.js';
import type { Request, Vote } from './request.js';
import { countedAs } from './restraints.js';
import { watchKey } from './standings.js';
import { found, type Transitions, written } from './transitions.js';
import {
  standingVotes,
  verifyDecision,
  verifyReview,
  verifyRevocation,
  verifyUnlocking,
} from './verification.js';

export interface DecisionsContext {
  readonly store: Store;
  readonly clock: () => EpochMs;
}

/** What people sign about requests: yes, no, and what takes either back. */
export class Decisions {
  readonly #store: Store;
  readonly #clock: () => EpochMs;
  readonly #transitions: Transitions;

  constructor({ store, clock }: DecisionsContext, transitions: Transitions) {
    this.#store = store;
    this.#clock = clock;
    this.#transitions = transitions;
  }

  /** Counts one signed decision. The same receipt twice is one decision. */
  async decide(id: RequestId, receipt: string): Promise<Request> {
    const isCounted = ({ votes }: Request): boolean => votes.some((vote) => vote.receipt === receipt);
    const asked = await this.#transitions.look(id);
    if (isCounted(asked)) return asked;
    const rule = parseRule(asked.rule);
    const verification = this.#transitions.verification();
    const { principals } = verification;
    const vote = verifyDecision(receipt, asked, rule, verification);
    const { requester } = asked.document;
    if (isAlone(rule, requester, vote, principals)) {
      checkAlone(rule, vote, principals);
      return this.#decideAlone(id, vote, rule);
    }
    if (vote.verdict === 'approve') checkApprover(rule, requester, vote.approver, principals);
    const decided = await this.#transitions.step(id, (request, moment) => {
      const { now } = moment;
      if (isCounted(request)) return null;
      checkStillEnrolled(vote, moment);
      const evaluateVotes = (votes: readonly Vote[]): Evaluation =>
        evaluate(rule, requester, votes, moment.principals);
      if (vote.verdict === 'deny') return afterDenial(lifecycle.denied(request, vote, now), vote, moment);
      checkNobodyLocked(request.document, moment);
      const votes = standingVotes(request.votes, moment.principals, now);
      const over = request.votes.filter((one) => !votes.includes(one)).map(({ approver }) => approver);
      const groups = groupsOf(rule, vote.approver, moment.principals);
      const standing = { ...request, votes };
      const step = lifecycle.approved(standing, vote, rule, evaluateVotes, now, groups, over);
      return afterApproval(step, moment);
    });
    await this.#transitions.endBarredWith(decided);
    return decided;
  }

  /** The requester lets himself in after the delay of the rule; everybody is told at once. */
  async #decideAlone(id: RequestId, vote: Vote, rule: PinnedRule): Promise<Request> {
    const { request } = await this.#transitions.change({ id }, (current, moment) => {
      const { now } = moment;
      const standing = found(current);
      checkNobodyLocked(standing.document, moment);
      if (standing.alone?.vote.receipt === vote.receipt) return written(null, standing);
      checkStillEnrolled(vote, moment);
      const { group, delay } = rule.alone ?? { group: '', delay: 0 };
      const groups = groupsAmong([group], vote.approver, moment.principals);
      const step = aloneSigned(standing, vote, delay, now, groups);
      return {
        ...written(step, standing),
        delivery: { sink: 'command' as const, due: now, step: EVERYBODY },
      };
    });
    return request;
  }

  /** One more person has looked at what was opened by its requester alone; a signed statement says so. */
  async review(id: RequestId, statement: string): Promise<Request> {
    const standing = await this.#transitions.look(id);
    const { approver } = verifyReview(statement, standing, this.#transitions.verification());
    const { request } = await this.#transitions.change({ id }, (current, { principals, now }) => {
      const opened = found(current);
      const open = this.#store.reviews().get(id);
      if (open === undefined) throw new Problem('nothing-to-review', 'there is nothing to review about this');
      const opener = opened.alone?.vote.approver ?? null;
      const review = signedOff(open, { approver, statement }, opener, principals);
      return {
        ...written(reviewed(opened, approver, statement, review === null, now), opened),
        review,
      };
    });
    return request;
  }

  /** Takes an approval, a grant or what a door watches back, on a signed revocation by somebody who may. */
  async revoke(id: RequestId, statement: string): Promise<Request> {
    const standing = await this.#transitions.look(id);
    const rule = parseRule(standing.rule);
    const { approver } = verifyRevocation(statement, standing, rule, this.#transitions.verification());
    const isWaitedFor = this.#transitions.waiters.waitsFor(watchKey(id));
    return this.#transitions.step(id, (request, { principals, now }) => {
      const groups = groupsAmong(rule.revokers ?? [], approver, principals);
      const isWatching = isWaitedFor || lifecycle.isWatched(request);
      return lifecycle.revoked(request, approver, statement, now, isWatching, groups);
    });
  }

  /** Lifts lock and mutes of a requester, on the signed statement of a person of the roster other than him. */
  async unlock(statement: string): Promise<{ readonly locks: number; readonly mutes: number }> {
    const verification = this.#transitions.verification();
    const { unlocking, nonce } = verifyUnlocking(statement, verification);
    const { approver, requester: asked } = unlocking;
    const requester = countedAs(asked, verification.principals);
    let lifted = { locks: 0, mutes: 0 };
    await this.#store.changeRestraints((current) => {
      const { restraints, locks, mutes } = unlocked(current, [requester, asked]);
      if (locks + mutes === 0)
        throw new Problem('nothing-to-unlock', `${requester} is neither locked nor muted`);
      lifted = { locks, mutes };
      const body = { requester, approver, ...lifted, statement };
      return { restraints, nonce, events: [{ kind: 'requester.unlocked', at: this.#clock(), body }] };
    });
    return lifted;
  }
}

/**
 * A change of the roster may stand before it in the same commit: the log must never show a vote by a key that it has
 * shown to be removed.
 *
 * @throws Problem `unknown-key`
 */
function checkStillEnrolled(vote: Vote, { principals, now }: Moment): void {
  if (standingVotes([vote], principals, now).length > 0) return;
  throw new Problem('unknown-key', `the key that signed is not enrolled for ${vote.approver} any more`);
}
