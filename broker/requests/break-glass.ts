import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Rule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Principals } from '../roster/principals.js';
import type { Review } from '../store/store.js';
import type { Request, Vote } from './request.js';
import { standingVotes } from './verification.js';

/** How many other people look at an opening by the requester alone, where there are so many. */
const REVIEWERS = 2;

/**
 * Whether this vote is the requester's own yes, under a rule that lets him in alone after a delay. It never counts towards
 * a quorum, and a door takes it only where its own configuration says so.
 */
export const isAlone = (rule: Rule, requester: Name, vote: Vote, principals: Principals): boolean =>
  rule.alone !== null &&
  vote.verdict === 'approve' &&
  principals.personBehind(requester)?.name === vote.approver;

/** @throws Problem `not-an-approver` for somebody outside the group, `rule-unmet` for a reason that is too short. */
export function checkAlone(
  { alone }: Rule,
  { approver, covers, comment }: Vote,
  principals: Principals,
): void {
  if (alone === null) throw new Problem('self-approval', 'nobody approves for himself');
  if (covers === 'scope') throw new Problem('grant-not-allowed', 'breaking the glass is for one ask alone');
  if (!isMember(approver, alone.group, principals)) {
    throw new Problem('not-an-approver', `only ${alone.group} may break the glass here`, {
      hint: 'somebody else must approve',
    });
  }
  if ([...comment.trim()].length < alone.reason) {
    throw new Problem('rule-unmet', `the reason has fewer than ${alone.reason} characters`, {
      hint: 'say what is broken and why nobody else can sign',
    });
  }
}

/** Whether the requester may still let himself in, with the key that he signed with. */
export function aloneStands(request: Request, rule: Rule, principals: Principals, now: EpochMs): boolean {
  if (request.alone === null || rule.alone === null) return false;
  const { vote } = request.alone;
  return (
    standingVotes([vote], principals, now).length === 1 &&
    principals.personBehind(request.document.requester)?.name === vote.approver &&
    isMember(vote.approver, rule.alone.group, principals)
  );
}

/** What people have to look at once a request was opened by its requester alone. */
export const reviewOf = ({ id, document }: Request, openedAt: EpochMs): Review => ({
  request: id,
  requester: document.requester,
  resource: document.resource,
  openedAt,
  signed: [],
});

/**
 * One more person has looked at it.
 *
 * @param opener who let himself in, which the roster may no longer tell
 * @returns null once enough have: two people other than the requester, or all of them where there are fewer
 * @throws Problem `self-approval`, `already-voted`
 */
export function signedOff(
  review: Review,
  by: { readonly approver: Name; readonly statement: string },
  opener: Name | null,
  principals: Principals,
): Review | null {
  const behind = principals.personBehind(review.requester)?.name ?? null;
  const isOwn = (name: Name): boolean => name === behind || name === opener;
  if (isOwn(by.approver)) {
    throw new Problem(
      'self-approval',
      `${review.requester} is ${by.approver}: somebody else must review this`,
    );
  }
  if (review.signed.some(({ approver }) => approver === by.approver)) {
    throw new Problem('already-voted', `${by.approver} has signed this review already`);
  }
  const signed = [...review.signed, by];
  const others = [...principals.people].filter(({ name }) => !isOwn(name)).length;
  return signed.length >= Math.min(REVIEWERS, Math.max(others, 1)) ? null : { ...review, signed };
}

function isMember(approver: Name, group: string, principals: Principals): boolean {
  const person = principals.approver(approver);
  return person !== null && principals.isMember(person, group);
}
