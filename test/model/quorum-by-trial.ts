import type { Quorum } from '../../src/protocol/quorum.js';
import type { History } from './history.js';

/** People by the groups that each of them is in. */
export type Team = readonly (readonly string[])[];

/** Whether a quorum is met, by trying all ways to give each place to somebody. */
export function isMet({ people, groups }: Quorum, team: Team): boolean {
  const places = groups.flatMap(({ group, count }) => Array<string>(count).fill(group));
  return team.length >= people && canFill(places, team);
}

function canFill([place, ...others]: readonly string[], team: Team): boolean {
  if (place === undefined) return true;
  return team.some((groups, at) => groups.includes(place) && canFill(others, team.toSpliced(at, 1)));
}

/** The people of a history, and whether those who signed are enough: told a second time in the plainest way. */
export class PeopleByTrial {
  readonly groups: Map<string, readonly string[]>;
  readonly #history: History;

  constructor(history: History) {
    this.groups = new Map(Object.entries(history.groups));
    this.#history = history;
  }

  /** Enrolled, not the requester, and of use for one of the quorums. */
  isAble(who: string): boolean {
    const own = this.groups.get(who);
    if (own === undefined || who === this.#requester) return false;
    return this.#history.policy.approvals.some(({ people, groups }) => {
      const places = groups.reduce((sum, { count }) => sum + count, 0);
      return places < people || groups.some(({ group }) => own.includes(group));
    });
  }

  isEnough(votes: readonly { readonly who: string }[]): boolean {
    const { approvals, sharedRequester } = this.#history.policy;
    const team = votes.map(({ who }) => this.groups.get(who) ?? []);
    const isShared = !this.groups.has(this.#requester);
    const isLess = isShared && sharedRequester === 'one-more';
    const teams = isLess ? team.map((_, at) => team.toSpliced(at, 1)) : [team];
    if (teams.length === 0 || (isShared && sharedRequester === 'refuse')) return false;
    return approvals.some((quorum) => teams.every((some) => isMet(quorum, some)));
  }

  get #requester(): string {
    return this.#history.requester.replace('-admin', '');
  }
}
