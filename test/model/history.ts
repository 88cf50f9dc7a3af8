import type { Quorum } from '../../src/protocol/quorum.js';

/** A deterministic stream of choices, so that a history is named by its number alone. */
export class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  }

  /** 0 to below `count` (mulberry32). */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  some<Item>(items: readonly Item[], percent: number): Item[] {
    return items.filter(() => this.chance(percent));
  }
}

export const NAMES = ['ann', 'bob', 'cid', 'dot', 'eve'] as const;
export const GROUPS = ['x', 'y', 'z'] as const;
/** Asks that differ only in their nonce. */
export const ASKS = 3;
const WAITS = [1, 20, 59, 60, 61, 120, 240, 300, 590, 601] as const;
const VALIDITIES = [30, 120, 300, 900] as const;

export interface Policy {
  readonly approvals: readonly Quorum[];
  readonly sharedRequester: 'one-more' | 'refuse' | 'accept';
  readonly grants: { readonly uses: number } | null;
}

export type Step =
  | { readonly do: 'submit'; readonly ask: number; readonly claim: string | null }
  | { readonly do: 'leave'; readonly ask: number }
  | {
      readonly do: 'approve';
      readonly ask: number;
      readonly who: string;
      readonly covers: 'request' | 'scope';
      readonly duration: number;
      readonly uses: number;
      readonly validity: number;
    }
  | { readonly do: 'deny' | 'revoke'; readonly ask: number; readonly who: string }
  | { readonly do: 'redeem'; readonly ask: number; readonly claim: string }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'dismiss'; readonly who: string }
  | { readonly do: 'regroup'; readonly who: string; readonly groups: readonly string[] };

export interface History {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** A NAME, the alias of ann, or an account that is nobody's. */
  readonly requester: string;
  readonly duration: number;
  readonly policy: Policy;
  readonly steps: readonly Step[];
}

function quorum(choices: Choices): Quorum {
  const groups = choices.some(GROUPS, 35).map((group) => ({ group, count: 1 + choices.below(2) }));
  return { people: 1 + choices.below(3), groups };
}

function policy(choices: Choices): Policy {
  return {
    approvals: choices.chance(25) ? [quorum(choices), quorum(choices)] : [quorum(choices)],
    sharedRequester: choices.of(['one-more', 'one-more', 'refuse', 'accept'] as const),
    grants: choices.chance(60) ? { uses: choices.of([0, 0, 2, 3]) } : null,
  };
}

function step(choices: Choices): Step {
  const ask = choices.chance(60) ? 0 : choices.below(ASKS);
  const who = choices.of(NAMES);
  const kind = choices.below(100);
  if (kind < 22) return { do: 'submit', ask, claim: choices.chance(40) ? choices.of(['a', 'b']) : null };
  if (kind < 54) {
    return {
      do: 'approve',
      ask,
      who,
      covers: choices.chance(50) ? 'scope' : 'request',
      duration: choices.of([0, 60, 300, 600]),
      uses: choices.of([0, 1, 2, 3]),
      validity: choices.of(VALIDITIES),
    };
  }
  if (kind < 58) return { do: 'deny', ask, who };
  if (kind < 62) return { do: 'revoke', ask, who };
  if (kind < 80) return { do: 'redeem', ask, claim: choices.of(['a', 'b']) };
  if (kind < 90) return { do: 'wait', seconds: choices.of(WAITS) };
  if (kind < 93) return { do: 'leave', ask };
  if (kind < 95) return { do: 'dismiss', who };
  return { do: 'regroup', who, groups: choices.some(GROUPS, 50) };
}

/** The history of a number: a roster, a policy, and what happens then. */
export function history(seed: number): History {
  const choices = new Choices(seed);
  const groups = Object.fromEntries(NAMES.map((who) => [who, choices.some(GROUPS, 55)]));
  return {
    groups,
    requester: choices.of(['ann', 'ann', 'ann-admin', 'bob', 'deploy']),
    duration: choices.of([0, 600]),
    policy: policy(choices),
    steps: [
      { do: 'submit', ask: 0, claim: null },
      ...Array.from({ length: 5 + choices.below(10) }, () => step(choices)),
    ],
  };
}
