import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { formatTime } from '../../src/protocol/time.js';
import { type Counted, evaluate } from '../policy/quorum.js';
import { aloneStands } from '../requests/break-glass.js';
import type { Request, Vote } from '../requests/request.js';
import { standingVotes } from '../requests/verification.js';
import { COMMIT_DELAY, type LiveRequest, type Moment } from './replayed-request.js';
import type { ApprovedBody } from './request-bodies.js';
import type { RosterReplay } from './roster-replay.js';

/** Judges whether what an entry says that a request passed by was enough under its pinned rule. */
export class ApprovalReplay {
  readonly #roster: RosterReplay;
  readonly #grantOf: (id: RequestId) => Request | undefined;

  /** @param grantOf a request as it stands, for what passes under it */
  constructor(roster: RosterReplay, grantOf: (id: RequestId) => Request | undefined) {
    this.#roster = roster;
    this.#grantOf = grantOf;
  }

  /** @throws Problem where nothing of the kind could have let it pass */
  check(said: ApprovedBody, { request, rule }: LiveRequest, moment: Moment): void {
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
    const grant = this.#grantOf(id);
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
    const { satisfied } = inGroups(this.#roster, counted ?? believed, groups, moment, () =>
      evaluate(rule, requester, counting, principals),
    );
    if (satisfied) return;
    throw new Problem(
      'no-quorum',
      `the votes of ${counting.map(({ approver }) => approver).join(', ') || 'nobody'} do not meet its rule`,
    );
  }
}

/** Does something with groups as an entry tells of them, and says where the word of a program is believed. */
export function inGroups<Result>(
  roster: RosterReplay,
  counted: Counted,
  groups: readonly string[],
  { witness }: Moment,
  work: () => Result,
): Result {
  const { result, isBelieved } = roster.withGroups(counted, groups, work);
  if (isBelieved) witness.unchecked('who was in groups that a program names: the entries are believed');
  return result;
}
