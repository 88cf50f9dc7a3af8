import { sha256Digest } from '../../src/protocol/canonical.js';
import { BROKER_SUBMITTER } from '../../src/protocol/change-messages.js';
import { MAX_DURATION_SECONDS, parseDocument } from '../../src/protocol/document.js';
import { usesLeft } from '../../src/protocol/grant.js';
import type { Digest, Fingerprint, Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseReceipt, parseSignedText } from '../../src/protocol/receipt.js';
import { isFraudComment } from '../../src/protocol/restraints.js';
import { type PinnedRule, parseRule, pinRule } from '../../src/protocol/rule.js';
import { parseReview, parseRevocation, parseUnlocking } from '../../src/protocol/statements.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { ONE_OTHER_PERSON } from '../policy/one-other-person.js';
import { type Counted, evaluate } from '../policy/quorum.js';
import { aloneStands, checkAlone } from '../requests/break-glass.js';
import { submitted } from '../requests/lifecycle.js';
import { locked, lockOn, unlocked } from '../requests/locks.js';
import type { Request, Vote } from '../requests/request.js';
import { countedAs, NO_RESTRAINTS, type Restraints } from '../requests/restraints.js';
import {
  CLOCK_SKEW,
  standingVotes,
  type VerificationContext,
  verifyDecision,
  verifyReview,
  verifyRevocation,
  verifyUnlocking,
} from '../requests/verification.js';
import type { ApprovedBody } from './request-bodies.js';
import { BODIES } from './request-bodies.js';
import type { RosterReplay } from './roster-replay.js';

/** Longest time between the check of a signature and the commit of its entry, in ms. */
const COMMIT_DELAY = 10_000;

/** For requests whose rule this version cannot read: forbids nothing. Their quorum is not checked. */
const UNKNOWN_RULE = pinRule({
  ...withoutText(ONE_OTHER_PERSON),
  longestValidity: 86_400,
  grants: { uses: 0 },
  work: { default: 0, longest: MAX_DURATION_SECONDS },
});

/** What must be known of a request that has ended: what is still signed about it. */
interface EndedRequest {
  readonly digest: Digest;
  readonly scope: Digest;
  readonly rule: PinnedRule;
  readonly votes: readonly { readonly approver: Name }[];
  readonly opener: Name | null;
  readonly requester: Name;
  readonly state: 'redeemed' | 'ended';
}

interface LiveRequest {
  readonly request: Request;
  readonly rule: PinnedRule;
  readonly isRuleKnown: boolean;
}

/** What is told of an entry beside whether it is good. */
export interface Witness {
  /** Something that the log alone cannot show. */
  unchecked(what: string): void;
  /** A signature that holds. */
  verified(what: SignedKind): void;
}
export type SignedKind =
  | 'decision'
  | 'break-glass'
  | 'revocation'
  | 'review'
  | 'unlocking'
  | 'roster'
  | 'handover';

/** The entry under examination. */
export interface Moment {
  readonly at: EpochMs;
  readonly request: string | null;
  /** What a statement may call the broker; null where the log does not say. */
  readonly brokers: (at: EpochMs) => readonly Fingerprint[] | null;
  readonly witness: Witness;
  /** Whether entries of a request have lost their text before this one. */
  readonly isErased: (id: string) => boolean;
}

/**
 * Lives all requests of a log again, and verifies whatever people signed in them against the roster as it stood.
 */
export class RequestReplay {
  readonly #roster: RosterReplay;
  readonly #live = new Map<RequestId, LiveRequest>();
  readonly #past = new Map<RequestId, EndedRequest>();
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
    'request.expired': (body, moment) => this.#ended(body, false, moment),
    'request.cancelled': (body, moment) => this.#ended(body, false, moment),
    'request.lapsed': (body, moment) => this.#ended(body, true, moment),
    'requester.locked': (body, moment) => this.#locked(body, moment),
    'requester.unlocked': (body, moment) => this.#unlocked(body, moment),
  };

  constructor(roster: RosterReplay) {
    this.#roster = roster;
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
      this.#inGroups(
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
    if (standing.isRuleKnown) this.#checkApproved(said, standing, moment);
    const { alone } = request;
    const grant = said.grant ?? null;
    const opened = said.alone === true && alone !== null ? { alone: { ...alone, opened: true } } : {};
    this.#keep(standing, { state: 'approved', grant, ...opened });
  }

  #checkApproved(said: ApprovedBody, { request, rule }: LiveRequest, moment: Moment): void {
    const { principals } = this.#roster;
    if (said.automatic === true) {
      if (rule.approvals === 'automatic') return;
      throw new Problem('no-quorum', 'its rule asks for people, and it names nobody');
    }
    if (said.alone === true) {
      const { alone } = request;
      if (alone === null) throw new Problem('no-receipt', 'nobody has signed to be let in alone');
      if (moment.at < alone.opensAt) {
        throw new Problem('alone-too-early', `it may open at ${formatTime(alone.opensAt)} only`);
      }
      const group = rule.alone?.group ?? '';
      // Whether he is in the group was checked when he signed.
      const own = { [alone.vote.approver]: { [group]: 'the entry' } };
      const stands = (): boolean => aloneStands(request, rule, principals, alone.opensAt);
      if (this.#roster.withGroups(own, [group], stands).result) return;
      throw new Problem('no-quorum', `${alone.vote.approver} may no longer let himself in`);
    }
    if (said.grant !== undefined && moment.isErased(said.grant)) {
      moment.witness.unchecked('who gave grants that were erased before what passed under them');
      return;
    }
    const votes = said.grant === undefined ? request.votes : this.#votesOfGrant(said.grant, request, moment);
    this.#checkQuorum(said.counted as Counted | undefined, votes, { request, rule }, moment);
  }

  #votesOfGrant(id: RequestId, request: Request, moment: Moment): readonly Vote[] {
    const grant = this.#live.get(id)?.request;
    const covers =
      grant !== undefined &&
      (grant.state === 'approved' || grant.state === 'active') &&
      grant.scope === request.scope &&
      grant.submitter === request.submitter &&
      grant.votes.every((vote) => vote.covers === 'scope');
    if (!covers) throw new Problem('no-receipt', `${id} is no grant in force that covers it`);
    const { redeemedAt } = grant;
    // From its first use on a grant with a duration is good beyond the end of its votes.
    const isWorking = redeemedAt !== null && grant.votes.every(({ duration }) => duration > 0);
    const end = Math.min(...grant.votes.map(({ duration }) => (redeemedAt ?? 0) + duration * 1000));
    if (isWorking && moment.at >= end + COMMIT_DELAY) {
      throw new Problem('grant-ended', `the time of the grant was over at ${formatTime(end)}`);
    }
    return isWorking
      ? grant.votes.map((vote) => ({ ...vote, notAfter: Number.POSITIVE_INFINITY }))
      : grant.votes;
  }

  #checkQuorum(
    counted: Counted | undefined,
    votes: readonly Vote[],
    { request, rule }: Pick<LiveRequest, 'request' | 'rule'>,
    moment: Moment,
  ): void {
    const { principals } = this.#roster;
    const { requester } = request.document;
    const standing = standingVotes(votes, principals, moment.at - COMMIT_DELAY);
    const names = counted === undefined ? null : (Object.keys(counted) as Name[]);
    const absent = names?.find((one) => !standing.some(({ approver }) => approver === one));
    if (absent !== undefined)
      throw new Problem('no-receipt', `${absent} is counted, and has no vote that stands`);
    const counting = standing.filter(({ approver }) => names?.includes(approver) ?? true);
    const asked = rule.approvals === 'automatic' ? [] : rule.approvals.flatMap(({ groups }) => groups);
    const groups = asked.map(({ group }) => group);
    if (counted === undefined && groups.length > 0) {
      moment.witness.unchecked('groups, which entries of an older version do not tell');
    }
    // Without a word of groups all are taken to be in all of them: their number is what can be checked.
    const believed = Object.fromEntries(
      counting.map(({ approver }) => [
        approver,
        Object.fromEntries(groups.map((group) => [group, 'unknown'])),
      ]),
    );
    const { satisfied } = this.#inGroups(counted ?? believed, groups, moment, () =>
      evaluate(rule, requester, counting, principals),
    );
    if (satisfied) return;
    throw new Problem(
      'no-quorum',
      `the votes of ${counting.map(({ approver }) => approver).join(', ') || 'nobody'} do not meet its rule`,
    );
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
      this.#inGroups({ [approver]: groups ?? {} }, groups === undefined ? [] : (revokers ?? []), moment, () =>
        verifyRevocation(statement, found, found.rule, this.#context(moment, issued, statement)),
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

  #inGroups<Result>(
    counted: Counted,
    groups: readonly string[],
    { witness }: Moment,
    work: () => Result,
  ): Result {
    const { result, isBelieved } = this.#roster.withGroups(counted, groups, work);
    if (isBelieved) witness.unchecked('who was in groups that a program names: the entries are believed');
    return result;
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

  #keep(standing: LiveRequest, change: Partial<Request>): void {
    const request = { ...standing.request, ...change };
    this.#live.set(request.id, { ...standing, request });
  }

  #end(standing: LiveRequest, state: EndedRequest['state']): void {
    const { id } = standing.request;
    this.#live.delete(id);
    const ended = compact(standing, state);
    // Nothing more can be signed about the others.
    if (state === 'redeemed' || ended.opener !== null) this.#past.set(id, ended);
  }
}

function compact({ request, rule }: LiveRequest, state: EndedRequest['state']): EndedRequest {
  const { digest, scope, votes, alone, document } = request;
  return {
    digest,
    scope,
    rule,
    state,
    requester: document.requester,
    votes: votes.map(({ approver }) => ({ approver })),
    opener: alone?.opened ? alone.vote.approver : null,
  };
}

function readRule(text: string): PinnedRule | null {
  try {
    return parseRule(text);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function withoutText({ text: _text, digest: _digest, ...rule }: PinnedRule) {
  return rule;
}

const another = (): Problem =>
  new Problem('statement-mismatch', 'the entry says another thing than the signed text');
const self = (name: Name): Problem => new Problem('self-approval', `${name} is who asked`);
const noSuch = (id: string): Problem =>
  new Problem('request-ended', `this cannot happen to ${id} as it stands`);
