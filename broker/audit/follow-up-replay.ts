import { parseSignedText } from '../../src/protocol/receipt.js';
import { parseCanary, parseReview, parseRevocation } from '../../src/protocol/statements.js';
import type { EpochMs } from '../../src/protocol/time.js';
import {
  type VerificationContext,
  verifyCanary,
  verifyReview,
  verifyRevocation,
} from '../requests/verification.js';
import { inGroups } from './approval-replay.js';
import { type KnownRequests, noSuch } from './known-requests.js';
import { compact, type Moment } from './replayed-request.js';
import { another, contextOf, self } from './replayed-statement.js';
import { BODIES } from './request-bodies.js';
import type { RosterReplay } from './roster-replay.js';

/** What people sign about a request later than its approval: that it is taken back, was looked at, was a canary. */
export class FollowUpReplay {
  readonly #roster: RosterReplay;
  readonly #requests: KnownRequests;

  constructor(roster: RosterReplay, requests: KnownRequests) {
    this.#roster = roster;
    this.#requests = requests;
  }

  revoked(body: unknown, moment: Moment): void {
    const { id, statement, groups } = BODIES.revoked.parse(body);
    const standing = this.#requests.live(id);
    const ended = this.#requests.past(id);
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
    if (standing !== undefined) this.#requests.end(standing, 'ended');
    else if (ended !== undefined) this.#requests.endPast(id, ended);
  }

  reviewed(body: unknown, moment: Moment): void {
    const { id, approver, statement } = BODIES.reviewed.parse(body);
    const standing = this.#requests.live(id);
    const found = standing === undefined ? this.#requests.past(id) : compact(standing, 'ended');
    if (found === undefined || found.opener === null) throw noSuch(id);
    const { issued } = parseReview(parseSignedText(statement).statement);
    const review = verifyReview(statement, found, this.#context(moment, issued, statement));
    const behind = this.#roster.principals.personBehind(found.requester)?.name;
    if (review.approver !== approver) throw another();
    if (approver === found.opener || approver === behind) throw self(approver);
    moment.witness.verified('review');
  }

  canary(body: unknown, moment: Moment): void {
    const { id, statement } = BODIES.canary.parse(body);
    const standing = this.#requests.live(id);
    const unused = this.#requests.unused(id);
    if (id !== moment.request || standing?.request.redeemedAt) throw noSuch(id);
    if (unused === undefined) {
      // What was used is not forgotten, and nothing is before so many have ended.
      const past = this.#requests.past(id);
      const isUsed = past !== undefined && (past.state === 'redeemed' || past.opener === null);
      if (isUsed || !this.#requests.isUnusedForgotten) throw noSuch(id);
      moment.witness.unchecked('whether what ended long before was made as a canary');
    } else {
      const { issued } = parseCanary(parseSignedText(statement).statement);
      verifyCanary(statement, unused, this.#context(moment, issued, statement));
      moment.witness.verified('canary');
    }
    if (standing !== undefined) this.#requests.end(standing, 'ended');
  }

  #context(moment: Moment, signed: EpochMs, text: string): VerificationContext {
    return contextOf(moment, this.#roster.principals, signed, text);
  }
}
