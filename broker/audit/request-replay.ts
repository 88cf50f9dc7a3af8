import { sha256Digest } from '../../src/protocol/canonical.js';
import { BROKER_SUBMITTER } from '../../src/protocol/change-messages.js';
import { parseDocument } from '../../src/protocol/document.js';
import { usesLeft } from '../../src/protocol/grant.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseReceipt } from '../../src/protocol/receipt.js';
import { formatTime } from '../../src/protocol/time.js';
import { checkAlone } from '../requests/break-glass.js';
import { submitted } from '../requests/lifecycle.js';
import type { Request, Vote } from '../requests/request.js';
import { verifyDecision } from '../requests/verification.js';
import { ApprovalReplay, inGroups } from './approval-replay.js';
import { FollowUpReplay } from './follow-up-replay.js';
import { KnownRequests, noSuch } from './known-requests.js';
import { COMMIT_DELAY, type LiveRequest, type Moment, readRule, UNKNOWN_RULE } from './replayed-request.js';
import { another, contextOf, self } from './replayed-statement.js';
import { BODIES } from './request-bodies.js';
import { RestraintReplay } from './restraint-replay.js';
import type { RosterReplay } from './roster-replay.js';

/**
 * Lives all requests of a log again, and verifies whatever people signed in them against the roster as it stood.
 */
export class RequestReplay {
  readonly #roster: RosterReplay;
  readonly #approvals: ApprovalReplay;
  readonly #requests = new KnownRequests();
  readonly #followUps: FollowUpReplay;
  readonly #restraints: RestraintReplay;
  /** Changes of the broker itself that were used and whose effect has not been seen. */
  readonly #changes = new Map<RequestId, Request>();
  readonly #steps: Readonly<Record<string, (body: unknown, moment: Moment) => void>> = {
    'request.submitted': (body, moment) => this.#submitted(body, moment),
    'request.voted': (body, moment) => this.#voted(body, moment),
    'request.alone': (body, moment) => this.#alone(body, moment),
    'request.approved': (body, moment) => this.#given(body, moment),
    'request.reconsidered': (body, moment) => this.#reconsidered(body, moment),
    'request.used': (body, moment) => this.#used(body, moment),
    'request.redeemed': (body, moment) => this.#redeemed(body, moment),
    'request.denied': (body, moment) => this.#denied(body, moment),
    'request.revoked': (body, moment) => this.#followUps.revoked(body, moment),
    'request.reviewed': (body, moment) => this.#followUps.reviewed(body, moment),
    'request.commented': (body, moment) => this.#talked(BODIES.commented.parse(body), moment),
    'request.escalated': (body, moment) => this.#escalated(body, moment),
    'request.canary': (body, moment) => this.#followUps.canary(body, moment),
    'request.expired': (body, moment) => this.#ended(body, false, moment),
    'request.cancelled': (body, moment) => this.#ended(body, false, moment),
    'request.lapsed': (body, moment) => this.#ended(body, true, moment),
    'requester.locked': (body, moment) => this.#restraints.locked(body, moment),
    'requester.unlocked': (body, moment) => this.#restraints.unlocked(body, moment),
  };

  constructor(roster: RosterReplay) {
    this.#roster = roster;
    this.#approvals = new ApprovalReplay(roster, (id) => this.#requests.live(id)?.request);
    this.#followUps = new FollowUpReplay(roster, this.#requests);
    this.#restraints = new RestraintReplay(roster);
  }

  /** A change that people approved and that was used just now, once. */
  takeChange(id: unknown): Request | null {
    const used = this.#changes.get(id as RequestId) ?? null;
    this.#changes.delete(id as RequestId);
    return used;
  }

  /** A lock was set by a request that was erased: whom it was on is not known any more. */
  forgetLocks(): void {
    this.#restraints.forget();
  }

  /**
   * An entry about a request, or about who may ask.
   *
   * @returns false for an entry about something else
   * @throws Problem or ZodError for an entry that no honest broker could have written there
   */
  step(kind: string, body: unknown, moment: Moment): boolean {
    const step = this.#steps[kind];
    step?.(body, moment);
    return step !== undefined;
  }

  #submitted(body: unknown, { at, request: own, witness }: Moment): void {
    const said = BODIES.submitted.parse(body);
    const { id, submitter, rule: text, policy } = said;
    const bound = parseDocument(said.document);
    if (bound.digest !== said.digest || bound.scope !== said.scope) {
      throw new Problem('statement-mismatch', 'its digest or scope is not that of its document');
    }
    if (id !== own || this.#requests.knows(id))
      throw new Problem('statement-mismatch', 'its id is not its own');
    if (sha256Digest(text) !== policy) throw new Problem('statement-mismatch', 'its rule has another digest');
    const known = readRule(text);
    if (known === null) witness.unchecked('whether rules of another version were met');
    const rule = known ?? { ...UNKNOWN_RULE, text, digest: policy };
    const verified = said.verified ?? null;
    const submission = {
      id,
      bound,
      submitter,
      vouched: null,
      verified,
      signers: null,
      validated: null,
      rule,
      missing: [],
    };
    const { request } = submitted(submission, at);
    this.#requests.add({
      request: { ...request, answerBy: said.answerBy },
      rule,
      isRuleKnown: known !== null,
    });
  }

  #voted(body: unknown, moment: Moment): void {
    const { id, approver, receipt } = BODIES.voted.parse(body);
    const standing = this.#requests.pending(id, moment);
    const { request } = standing;
    const vote = this.#decision(receipt, standing, moment);
    if (vote.verdict !== 'approve' || vote.approver !== approver) throw another();
    if (moment.at >= request.answerBy + COMMIT_DELAY && request.alone === null) {
      throw new Problem('request-ended', `the time to answer was over at ${formatTime(request.answerBy)}`);
    }
    if (request.votes.some((other) => other.approver === approver)) {
      throw new Problem('already-voted', `${approver} had signed already`);
    }
    if (request.votes.some(({ covers }) => covers !== vote.covers)) {
      throw new Problem('covers-differ', `${approver} signed for something else than the others`);
    }
    this.#checkNotSelf(vote.approver, request);
    this.#requests.keep(standing, { votes: [...request.votes, vote] });
    moment.witness.verified('decision');
  }

  /** The requester lets himself in after a delay. */
  #alone(body: unknown, moment: Moment): void {
    const { id, approver, receipt, opensAt, groups } = BODIES.alone.parse(body);
    const standing = this.#requests.pending(id, moment);
    const { request, rule } = standing;
    const vote = this.#decision(receipt, standing, moment);
    if (vote.verdict !== 'approve' || vote.approver !== approver) throw another();
    const { principals } = this.#roster;
    if (principals.personBehind(request.document.requester)?.name !== approver) {
      throw new Problem('wrong-principal', `${approver} is not who asked`);
    }
    if (standing.isRuleKnown) {
      const delay = rule.alone?.delay ?? 0;
      if (opensAt < Math.floor(moment.at / 1000 + delay) * 1000) {
        throw new Problem('alone-too-early', `the rule delays this by ${delay} s`);
      }
      inGroups(
        this.#roster,
        { [approver]: groups ?? {} },
        groups === undefined ? [] : [rule.alone?.group ?? ''],
        moment,
        () => checkAlone(rule, vote, principals),
      );
    }
    this.#requests.keep(standing, { alone: { vote, opensAt, opened: false } });
    moment.witness.verified('break-glass');
  }

  #given(body: unknown, moment: Moment): void {
    const said = BODIES.approved.parse(body);
    const standing = this.#requests.pending(said.id, moment);
    const { request } = standing;
    if (standing.isRuleKnown) this.#approvals.check(said, standing, moment);
    const { alone } = request;
    const grant = said.grant ?? null;
    const opened = said.alone === true && alone !== null ? { alone: { ...alone, opened: true } } : {};
    this.#requests.keep(standing, { state: 'approved', grant, ...opened });
  }

  #denied(body: unknown, moment: Moment): void {
    const { id, receipt } = BODIES.denied.parse(body);
    const standing = this.#requests.pending(id, moment);
    const { requester } = standing.request.document;
    if (receipt === undefined) {
      this.#restraints.checkLocked(requester, moment);
    } else {
      const vote = this.#decision(receipt, standing, moment);
      if (vote.verdict !== 'deny') throw another();
      this.#restraints.denied(id, vote);
      moment.witness.verified('decision');
    }
    this.#requests.end(standing, 'ended');
  }

  /** Nothing is signed, but only somebody of the roster can have said it, while there was something to say. */
  #talked({ id, approver }: { readonly id: RequestId; readonly approver: Name }, { request }: Moment): void {
    if (this.#requests.live(id) === undefined || id !== request) throw noSuch(id);
    if (this.#roster.principals.approver(approver) !== null) return;
    throw new Problem('not-an-approver', `${approver} is nobody of the roster`);
  }

  #escalated(body: unknown, moment: Moment): void {
    const said = BODIES.escalated.parse(body);
    const { request } = this.#requests.pending(said.id, moment);
    this.#talked(said, moment);
    if (this.#roster.principals.personBehind(request.document.requester)?.name === said.approver) {
      throw self(said.approver);
    }
  }

  #reconsidered(body: unknown, moment: Moment): void {
    const { id, dropped } = BODIES.reconsidered.parse(body);
    const standing = this.#requests.pending(id, moment);
    const { votes, alone } = standing.request;
    const isDropped = (name: Name): boolean => dropped.includes(name);
    this.#requests.keep(standing, {
      votes: votes.filter(({ approver }) => !isDropped(approver)),
      alone: alone !== null && isDropped(alone.vote.approver) ? null : alone,
    });
  }

  /** A use of a grant, its own or that of a later ask. */
  #used(body: unknown, moment: Moment): void {
    const standing = this.#requests.approved(BODIES.about.parse(body).id, moment);
    const { redeemedAt, uses } = standing.request;
    if (usesLeft(standing.request) < 1)
      throw new Problem('spent', `all uses of the grant were made: ${uses}`);
    this.#requests.keep(standing, { state: 'active', redeemedAt: redeemedAt ?? moment.at, uses: uses + 1 });
  }

  #redeemed(body: unknown, moment: Moment): void {
    const standing = this.#requests.approved(BODIES.about.parse(body).id, moment);
    const { request } = standing;
    if (request.submitter === BROKER_SUBMITTER) this.#changes.set(request.id, request);
    this.#requests.end(standing, 'redeemed');
  }

  /** Nobody answered, nobody waited, nobody used it. */
  #ended(body: unknown, isAfterApproval: boolean, moment: Moment): void {
    const { id } = BODIES.about.parse(body);
    this.#requests.end(
      isAfterApproval ? this.#requests.approved(id, moment) : this.#requests.pending(id, moment),
      'ended',
    );
  }

  #decision(receipt: string, { request, rule }: LiveRequest, moment: Moment): Vote {
    const { decision } = parseReceipt(receipt);
    const context = contextOf(moment, this.#roster.principals, decision.decided, receipt, decision.notAfter);
    return verifyDecision(receipt, request, rule, context);
  }

  #checkNotSelf(approver: Name, { document }: Request): void {
    if (this.#roster.principals.personBehind(document.requester)?.name === approver) throw self(approver);
  }
}
