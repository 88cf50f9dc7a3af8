import { sha256Digest } from '../../src/protocol/canonical.js';
import { BROKER_SUBMITTER } from '../../src/protocol/change-messages.js';
import { parseDocument } from '../../src/protocol/document.js';
import { usesLeft } from '../../src/protocol/grant.js';
import type { Fingerprint, Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseReceipt, parseSignedText } from '../../src/protocol/receipt.js';
import { isFraudComment } from '../../src/protocol/restraints.js';
import { parseCanary, parseReview, parseRevocation, parseUnlocking } from '../../src/protocol/statements.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { checkAlone } from '../requests/break-glass.js';
import { submitted } from '../requests/lifecycle.js';
import { locked, lockOn, unlocked } from '../requests/locks.js';
import type { Request, Vote } from '../requests/request.js';
import { countedAs, NO_RESTRAINTS, type Restraints } from '../requests/restraints.js';
import {
  CLOCK_SKEW,
  type VerificationContext,
  verifyCanary,
  verifyDecision,
  verifyReview,
  verifyRevocation,
  verifyUnlocking,
} from '../requests/verification.js';
import { ApprovalReplay, inGroups } from './approval-replay.js';
import {
  COMMIT_DELAY,
  compact,
  type EndedRequest,
  type LiveRequest,
  type Moment,
  readRule,
  UNKNOWN_RULE,
} from './replayed-request.js';
import { BODIES } from './request-bodies.js';
import type { RosterReplay } from './roster-replay.js';

/**
 * Lives all requests of a log again, and verifies whatever people signed in them against the roster as it stood.
 */
export class RequestReplay {
  readonly #roster: RosterReplay;
  readonly #approvals: ApprovalReplay;
  readonly #live = new Map<RequestId, LiveRequest>();
  readonly #past = new Map<RequestId, EndedRequest>();
  /** The newest that have ended unused: any of them may turn out to have been a canary. */
  readonly #unused = new Map<RequestId, Unused>();
  #isUnusedForgotten = false;
  /** Changes of the broker itself that were used and whose effect has not been seen. */
  readonly #changes = new Map<RequestId, Request>();
  #restraints: Restraints = NO_RESTRAINTS;
  #fraud: { readonly request: RequestId; readonly by: Name; readonly comment: string } | null = null;

  #isLockForgotten = false;
  readonly #steps: Readonly<Record<string, (body: unknown, moment: Moment) => void>> = {
    'request.submitted': (body, moment) => this.#submitted(body, moment),
    'request.voted': (body, moment) => this.#voted(body, moment),
    'request.alone': (body, moment) => this.#alone(body, moment),
    'request.approved': (body, moment) => this.#given(body, moment),
    'request.reconsidered': (body, moment) => this.#reconsidered(body, moment),
    'request.used': (body, moment) => this.#used(body, moment),
    'request.redeemed': (body, moment) => this.#redeemed(body, moment),
    'request.denied': (body, moment) => this.#denied(body, moment),
    'request.revoked': (body, moment) => this.#revoked(body, moment),
    'request.reviewed': (body, moment) => this.#reviewed(body, moment),
    'request.commented': (body, moment) => this.#talked(BODIES.commented.parse(body), moment),
    'request.escalated': (body, moment) => this.#escalated(body, moment),
    'request.canary': (body, moment) => this.#canary(body, moment),
    'request.expired': (body, moment) => this.#ended(body, false, moment),
    'request.cancelled': (body, moment) => this.#ended(body, false, moment),
    'request.lapsed': (body, moment) => this.#ended(body, true, moment),
    'requester.locked': (body, moment) => this.#locked(body, moment),
    'requester.unlocked': (body, moment) => this.#unlocked(body, moment),
  };

  constructor(roster: RosterReplay) {
    this.#roster = roster;
    this.#approvals = new ApprovalReplay(roster, (id) => this.#live.get(id)?.request);
  }

  /** A change that people approved and that was used just now, once. */
  takeChange(id: unknown): Request | null {
    const used = this.#changes.get(id as RequestId) ?? null;
    this.#changes.delete(id as RequestId);
    return used;
  }

  /** A lock was set by a request that was erased: whom it was on is not known any more. */
  forgetLocks(): void {
    this.#isLockForgotten = true;
  }

  knows(id: string): boolean {
    return this.#live.has(id as RequestId) || this.#past.has(id as RequestId);
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
    if (id !== own || this.knows(id)) throw new Problem('statement-mismatch', 'its id is not its own');
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
    this.#live.set(id, {
      request: { ...request, answerBy: said.answerBy },
      rule,
      isRuleKnown: known !== null,
    });
  }

  #voted(body: unknown, moment: Moment): void {
    const { id, approver, receipt } = BODIES.voted.parse(body);
    const standing = this.#pending(id, moment);
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
    this.#keep(standing, { votes: [...request.votes, vote] });
    moment.witness.verified('decision');
  }

  /** The requester lets himself in after a delay. */
  #alone(body: unknown, moment: Moment): void {
    const { id, approver, receipt, opensAt, groups } = BODIES.alone.parse(body);
    const standing = this.#pending(id, moment);
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
    this.#keep(standing, { alone: { vote, opensAt, opened: false } });
    moment.witness.verified('break-glass');
  }

  #given(body: unknown, moment: Moment): void {
    const said = BODIES.approved.parse(body);
    const standing = this.#pending(said.id, moment);
    const { request } = standing;
    if (standing.isRuleKnown) this.#approvals.check(said, standing, moment);
    const { alone } = request;
    const grant = said.grant ?? null;
    const opened = said.alone === true && alone !== null ? { alone: { ...alone, opened: true } } : {};
    this.#keep(standing, { state: 'approved', grant, ...opened });
  }

  #denied(body: unknown, moment: Moment): void {
    const { id, receipt } = BODIES.denied.parse(body);
    const standing = this.#pending(id, moment);
    const { requester } = standing.request.document;
    if (receipt === undefined) {
      const lock = lockOn(this.#restraints, countedAs(requester, this.#roster.principals), requester);
      if (lock === null && this.#isLockForgotten)
        moment.witness.unchecked('who was locked by a request that was erased');
      else if (lock === null) throw new Problem('no-receipt', 'nobody has signed this no');
    } else {
      const vote = this.#decision(receipt, standing, moment);
      if (vote.verdict !== 'deny') throw another();
      this.#fraud = { request: id, by: vote.approver, comment: vote.comment };
      moment.witness.verified('decision');
    }
    this.#end(standing, 'ended');
  }

  #revoked(body: unknown, moment: Moment): void {
    const { id, statement, groups } = BODIES.revoked.parse(body);
    const standing = this.#live.get(id);
    const ended = this.#past.get(id);
    const found = standing === undefined ? ended : { ...standing.request, rule: standing.rule };
    if (found === undefined || found.state === 'pending' || found.state === 'ended') throw noSuch(id);
    if (statement !== undefined) {
      const { issued, approver } = parseRevocation(parseSignedText(statement).statement);
      const { revokers } = found.rule;
      inGroups(
        this.#roster,
        { [approver]: groups ?? {} },
        groups === undefined ? [] : (revokers ?? []),
        moment,
        () => verifyRevocation(statement, found, found.rule, this.#context(moment, issued, statement)),
      );
      moment.witness.verified('revocation');
    }
    if (standing !== undefined) this.#end(standing, 'ended');
    else if (ended !== undefined) this.#past.set(id, { ...ended, state: 'ended' });
  }

  #reviewed(body: unknown, moment: Moment): void {
    const { id, approver, statement } = BODIES.reviewed.parse(body);
    const standing = this.#live.get(id);
    const found = standing === undefined ? this.#past.get(id) : compact(standing, 'ended');
    if (found === undefined || found.opener === null) throw noSuch(id);
    const { issued } = parseReview(parseSignedText(statement).statement);
    const review = verifyReview(statement, found, this.#context(moment, issued, statement));
    const behind = this.#roster.principals.personBehind(found.requester)?.name;
    if (review.approver !== approver) throw another();
    if (approver === found.opener || approver === behind) throw self(approver);
    moment.witness.verified('review');
  }

  /** Nothing is signed, but only somebody of the roster can have said it, while there was something to say. */
  #talked({ id, approver }: { readonly id: RequestId; readonly approver: Name }, { request }: Moment): void {
    if (!this.#live.has(id) || id !== request) throw noSuch(id);
    if (this.#roster.principals.approver(approver) !== null) return;
    throw new Problem('not-an-approver', `${approver} is nobody of the roster`);
  }

  #escalated(body: unknown, moment: Moment): void {
    const said = BODIES.escalated.parse(body);
    const { request } = this.#pending(said.id, moment);
    this.#talked(said, moment);
    if (this.#roster.principals.personBehind(request.document.requester)?.name === said.approver) {
      throw self(said.approver);
    }
  }

  #canary(body: unknown, moment: Moment): void {
    const { id, statement } = BODIES.canary.parse(body);
    const standing = this.#live.get(id);
    const unused = standing === undefined ? this.#unused.get(id) : unusedOf(standing.request);
    if (id !== moment.request || standing?.request.redeemedAt) throw noSuch(id);
    if (unused === undefined) {
      // What was used is not forgotten, and nothing is before so many have ended.
      const past = this.#past.get(id);
      const isUsed = past !== undefined && (past.state === 'redeemed' || past.opener === null);
      if (isUsed || !this.#isUnusedForgotten) throw noSuch(id);
      moment.witness.unchecked('whether what ended long before was made as a canary');
    } else {
      const { issued } = parseCanary(parseSignedText(statement).statement);
      verifyCanary(statement, unused, this.#context(moment, issued, statement));
      moment.witness.verified('canary');
    }
    if (standing !== undefined) this.#end(standing, 'ended');
  }

  #reconsidered(body: unknown, moment: Moment): void {
    const { id, dropped } = BODIES.reconsidered.parse(body);
    const standing = this.#pending(id, moment);
    const { votes, alone } = standing.request;
    const isDropped = (name: Name): boolean => dropped.includes(name);
    this.#keep(standing, {
      votes: votes.filter(({ approver }) => !isDropped(approver)),
      alone: alone !== null && isDropped(alone.vote.approver) ? null : alone,
    });
  }

  /** A use of a grant, its own or that of a later ask. */
  #used(body: unknown, moment: Moment): void {
    const standing = this.#approved(BODIES.about.parse(body).id, moment);
    const { redeemedAt, uses } = standing.request;
    if (usesLeft(standing.request) < 1)
      throw new Problem('spent', `all uses of the grant were made: ${uses}`);
    this.#keep(standing, { state: 'active', redeemedAt: redeemedAt ?? moment.at, uses: uses + 1 });
  }

  #redeemed(body: unknown, moment: Moment): void {
    const standing = this.#approved(BODIES.about.parse(body).id, moment);
    const { request } = standing;
    if (request.submitter === BROKER_SUBMITTER) this.#changes.set(request.id, request);
    this.#end(standing, 'redeemed');
  }

  /** Nobody answered, nobody waited, nobody used it. */
  #ended(body: unknown, isAfterApproval: boolean, moment: Moment): void {
    const { id } = BODIES.about.parse(body);
    this.#end(isAfterApproval ? this.#approved(id, moment) : this.#pending(id, moment), 'ended');
  }

  #locked(body: unknown, { at }: Moment): void {
    const { asked: _asked, ...lock } = BODIES.locked.parse(body);
    const isSigned =
      this.#fraud?.request === lock.request &&
      this.#fraud.by === lock.by &&
      this.#fraud.comment === lock.comment &&
      isFraudComment(lock.comment);
    if (!isSigned)
      throw new Problem('no-receipt', `${lock.by} has not signed that ${lock.request} is a fraud`);
    this.#restraints = locked(this.#restraints, { ...lock, since: at });
  }

  #unlocked(body: unknown, moment: Moment): void {
    const { requester, approver, statement } = BODIES.unlocked.parse(body);
    const { issued } = parseUnlocking(parseSignedText(statement).statement);
    const { unlocking } = verifyUnlocking(statement, this.#context(moment, issued, statement));
    const { principals } = this.#roster;
    if (unlocking.approver !== approver || countedAs(unlocking.requester, principals) !== requester)
      throw another();
    this.#restraints = unlocked(this.#restraints, [requester, unlocking.requester]).restraints;
    moment.witness.verified('unlocking');
  }

  #decision(receipt: string, { request, rule }: LiveRequest, moment: Moment): Vote {
    const { decision } = parseReceipt(receipt);
    const context = this.#context(moment, decision.decided, receipt, decision.notAfter);
    return verifyDecision(receipt, request, rule, context);
  }

  /** When the broker checked a statement is not in the log: at some moment shortly before the entry it must have been good. */
  #context(
    moment: Moment,
    signed: EpochMs,
    text: string,
    notAfter = Number.POSITIVE_INFINITY,
  ): VerificationContext {
    const { at, witness } = moment;
    const now = Math.max(at - COMMIT_DELAY, Math.min(at, signed + CLOCK_SKEW, notAfter - 1));
    const known = moment.brokers(now);
    if (known === null)
      witness.unchecked('what statements call the broker, where no entry before names its key');
    const named = /^broker: (\S+)$/m.exec(text)?.[1] as Fingerprint | undefined;
    const brokers = known ?? (named === undefined ? [] : [named]);
    return { brokers, principals: this.#roster.principals, now };
  }

  #checkNotSelf(approver: Name, { document }: Request): void {
    if (this.#roster.principals.personBehind(document.requester)?.name === approver) throw self(approver);
  }

  #pending(id: RequestId, { request }: Moment): LiveRequest {
    const standing = this.#live.get(id);
    if (standing?.request.state !== 'pending' || id !== request) throw noSuch(id);
    return standing;
  }

  #approved(id: RequestId, { request }: Moment): LiveRequest {
    const standing = this.#live.get(id);
    const isApproved = standing?.request.state === 'approved' || standing?.request.state === 'active';
    if (standing === undefined || !isApproved || id !== request) throw noSuch(id);
    return standing;
  }

  #remember(request: Request): void {
    this.#unused.set(request.id, unusedOf(request));
    const [oldest] = this.#unused.keys();
    if (this.#unused.size <= UNUSED_KEPT || oldest === undefined) return;
    this.#unused.delete(oldest);
    this.#isUnusedForgotten = true;
  }

  #keep(standing: LiveRequest, change: Partial<Request>): void {
    const request = { ...standing.request, ...change };
    this.#live.set(request.id, { ...standing, request });
  }

  #end(standing: LiveRequest, state: EndedRequest['state']): void {
    const { id } = standing.request;
    this.#live.delete(id);
    if (state === 'ended' && standing.request.redeemedAt === null) this.#remember(standing.request);
    const ended = compact(standing, state);
    // Nothing more can be signed about the others.
    if (state === 'redeemed' || ended.opener !== null) this.#past.set(id, ended);
  }
}

/** What is checked of a canary. */
type Unused = Parameters<typeof verifyCanary>[1];
const UNUSED_KEPT = 10_000;

const unusedOf = ({ digest, scope, submitter, document }: Request): Unused => ({
  digest,
  scope,
  submitter,
  nonce: document.nonce,
});

const another = (): Problem =>
  new Problem('statement-mismatch', 'the entry says another thing than the signed text');
const self = (name: Name): Problem => new Problem('self-approval', `${name} is who asked`);
const noSuch = (id: string): Problem =>
  new Problem('request-ended', `this cannot happen to ${id} as it stands`);
