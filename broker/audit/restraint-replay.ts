import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseSignedText } from '../../src/protocol/receipt.js';
import { isFraudComment } from '../../src/protocol/restraints.js';
import { parseUnlocking } from '../../src/protocol/statements.js';
import { locked, lockOn, unlocked } from '../requests/locks.js';
import type { Vote } from '../requests/request.js';
import { countedAs, NO_RESTRAINTS, type Restraints } from '../requests/restraints.js';
import { verifyUnlocking } from '../requests/verification.js';
import type { Moment } from './replayed-request.js';
import { another, contextOf } from './replayed-statement.js';
import { BODIES } from './request-bodies.js';
import type { RosterReplay } from './roster-replay.js';

/** Who is locked at each entry. */
export class RestraintReplay {
  readonly #roster: RosterReplay;
  #restraints: Restraints = NO_RESTRAINTS;
  /** The newest denial. */
  #denial: { readonly request: RequestId; readonly by: Name; readonly comment: string } | null = null;
  #isForgotten = false;

  constructor(roster: RosterReplay) {
    this.#roster = roster;
  }

  /** A lock was set by a request that was erased: whom it was on is not known any more. */
  forget(): void {
    this.#isForgotten = true;
  }

  denied(request: RequestId, { approver, comment }: Vote): void {
    this.#denial = { request, by: approver, comment };
  }

  /** @throws Problem `no-receipt` for a denial that nobody has signed, of somebody who is not locked */
  checkLocked(requester: Name, { witness }: Moment): void {
    const lock = lockOn(this.#restraints, countedAs(requester, this.#roster.principals), requester);
    if (lock !== null) return;
    if (!this.#isForgotten) throw new Problem('no-receipt', 'nobody has signed this no');
    witness.unchecked('who was locked by a request that was erased');
  }

  locked(body: unknown, { at }: Moment): void {
    const { asked: _asked, ...lock } = BODIES.locked.parse(body);
    const isSigned =
      this.#denial?.request === lock.request &&
      this.#denial.by === lock.by &&
      this.#denial.comment === lock.comment &&
      isFraudComment(lock.comment);
    if (!isSigned)
      throw new Problem('no-receipt', `${lock.by} has not signed that ${lock.request} is a fraud`);
    this.#restraints = locked(this.#restraints, { ...lock, since: at });
  }

  unlocked(body: unknown, moment: Moment): void {
    const { requester, approver, statement } = BODIES.unlocked.parse(body);
    const { issued } = parseUnlocking(parseSignedText(statement).statement);
    const { principals } = this.#roster;
    const { unlocking } = verifyUnlocking(statement, contextOf(moment, principals, issued, statement));
    if (unlocking.approver !== approver || countedAs(unlocking.requester, principals) !== requester)
      throw another();
    this.#restraints = unlocked(this.#restraints, [requester, unlocking.requester]).restraints;
    moment.witness.verified('unlocking');
  }
}
