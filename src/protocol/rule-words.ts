import { type Terms, worthOf } from './grant.js';
import type { Quorum } from './quorum.js';
import { opensAloneLater, type RequestView } from './request-view.js';
import type { Rule } from './rule.js';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** A length in seconds: `90s` is `1m 30s`. */
export function lengthWords(seconds: number): string {
  let rest = seconds;
  const parts = UNITS.flatMap(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count === 0 ? [] : [`${count}${unit}`];
  });
  return parts.length === 0 ? '0s' : parts.join(' ');
}

const usesWords = (uses: number): string =>
  uses === 0 ? 'any number of uses' : uses === 1 ? 'one use' : `${uses} uses`;

/** What a yes with these terms covers: `this one ask`, `this and every equal ask for 1h, any number of uses`. */
export function coverWords({ covers, duration, uses }: Pick<Terms, 'covers' | 'duration' | 'uses'>): string {
  if (covers === 'request') {
    return duration === 0 ? 'this one ask' : `this one ask, for ${lengthWords(duration)} of work`;
  }
  const time = duration === 0 ? 'until the approval ends' : `for ${lengthWords(duration)} from the first use`;
  return `this and every equal ask ${time}, ${usesWords(uses)}`;
}

/**
 * A rule in plain words, one sentence a line: who must sign, its clocks, and what an approval may cover. Names of groups are
 * as they stand in the rule.
 */
export function ruleWords(rule: Rule): readonly string[] {
  const { grants, work, touch, number, revokers, alone, confirm } = rule;
  return [
    whoSigns(rule),
    ...(rule.sharedRequester === 'one-more'
      ? ['one more where the requester is not one person of the roster']
      : []),
    ...(rule.sharedRequester === 'refuse' ? ['the requester must be one person of the roster'] : []),
    `answered within ${lengthWords(rule.answerBy)}, used within ${lengthWords(rule.claimBy)} of the approval, ${work.longest === 0 ? 'no time of work' : `work up to ${lengthWords(work.longest)}`}`,
    grants === null
      ? 'each ask is approved by itself'
      : `an approval may cover later equal asks: ${usesWords(grants.uses)}${grants.uses === 0 ? '' : ' at most'}, for the time that was asked for`,
    ...(touch ? ['only touched security keys count'] : []),
    ...(number ? ['the number that the requester is shown must be signed'] : []),
    ...(confirm?.resource === true ? ['whoever approves types the resource first'] : []),
    ...(confirm === undefined || confirm.reason === null
      ? []
      : [`whoever approves signs a reason of at least ${confirm.reason} characters`]),
    ...(revokers === null ? [] : [`taken back by ${revokers.join(' or ')}, or by who approved it`]),
    ...(alone === null
      ? []
      : [
          `break-glass: somebody of ${alone.group} is let in alone after ${lengthWords(alone.delay)} without a no`,
        ]),
  ];
}

/** What a rule says beside what is signed for: what an ask must carry, and who is called. */
export function furtherWords({ reason, ticket, escalation, channel }: Rule): readonly string[] {
  return [
    ...(reason === null ? [] : [`asked with a reason of at least ${reason} characters`]),
    ...(ticket === null ? [] : [`asked with a ticket like ${ticket}`]),
    ...(escalation ?? []).map(({ after, groups }) => {
      const when = after === 0 ? 'at once' : `after ${lengthWords(after)}`;
      return `${groups.join(' and ')} ${groups.length === 1 ? 'is' : 'are'} rung ${when}`;
    }),
    ...(channel === null ? [] : [`told to the channel ${channel}`]),
  ];
}

function whoSigns({ approvals }: Rule): string {
  if (approvals === 'automatic') return 'nobody has to sign';
  return `signed by ${approvals.map(quorumWords).join(', or else by ')}`;
}

function quorumWords({ people, groups }: Quorum): string {
  const all = `${people} ${people === 1 ? 'person' : 'people'} other than the requester`;
  if (groups.length === 0) return all;
  const named = groups.map(({ group, count }) => `${count} of ${group}`).join(' and ');
  const places = groups.reduce((sum, { count }) => sum + count, 0);
  return people > places ? `${all}, ${named} among them` : named;
}

/** What taking this approval back ends; null where there is nothing to take back. */
export function revocationWords(view: RequestView): string | null {
  const { state, document, watchedAt, report, votes } = view;
  if (state !== 'approved' && state !== 'active' && state !== 'redeemed') return null;
  const further = worthOf(votes).covers === 'scope' && view.grant === null && state !== 'redeemed';
  if (watchedAt !== null || report?.code === 'watched') {
    const what = further ? 'further uses end, and ' : '';
    return `${what}${document.door} ends what it opened`;
  }
  if (state === 'approved')
    return 'nothing was opened yet; a door that has the receipts may open until they run out';
  if (opensAloneLater(view))
    return `${document.door} has not said that it opened: if it has not, it stays shut`;
  const stays = `${document.door} does not end what it opened`;
  return further ? `further uses end; ${stays}` : stays;
}
