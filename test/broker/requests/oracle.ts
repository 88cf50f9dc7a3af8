import type { ProblemCode } from '../../../src/protocol/problems.js';
import type { Outcome, RequestState } from '../../../src/protocol/request-view.js';

interface Vote {
  readonly voter: string;
  readonly key: string;
  readonly notAfter: number;
}

/** What an operation should be answered with: null is success. */
type Answer = ProblemCode | null;

/** The life of one request as design §4 tells it, written a second time in the plainest way. `alice` asks. */
export class Oracle {
  state: RequestState | 'none' = 'none';
  /** Watch tokens by number, and whether they are attached. */
  readonly askers = new Map<number, boolean>();
  readonly #need: number;
  readonly #keys: Map<string, Set<string>>;
  readonly #votes: Vote[] = [];
  #answerBy = 0;
  #claimBy = 0;
  #idleSince: number | null = null;
  #claim: string | null = null;
  #report: string | null = null;

  constructor(need: number, keys: Map<string, Set<string>>) {
    this.#need = need;
    this.#keys = keys;
  }

  get waiting(): number {
    return [...this.askers.values()].filter((attached) => attached).length;
  }

  /** Whoever looks at it finds it ended when its time is over. */
  settle(now: number): void {
    if (this.state === 'pending' && now >= this.#answerBy) this.state = 'expired';
    const idleUntil = this.#idleSince === null ? Number.POSITIVE_INFINITY : this.#idleSince + 60_000;
    if (this.state === 'pending' && now >= idleUntil) this.state = 'cancelled';
    if (this.state === 'approved' && now >= this.#claimBy) this.state = 'lapsed';
  }

  /** True where the asker gets a watch token. */
  submit(asker: number, claim: string | null, now: number): boolean {
    if (this.state === 'none') {
      this.state = 'pending';
      this.#answerBy = now + 300_000;
    }
    if (claim !== null && this.state === 'approved') this.#use(claim, now);
    const isTheirs = this.state === 'redeemed' && claim !== null && this.#claim === claim;
    const watches = this.state === 'pending' || this.state === 'approved' || isTheirs;
    if (!watches) return false;
    this.askers.set(asker, true);
    this.#idleSince = null;
    return true;
  }

  detach(asker: number, cancel: boolean, now: number): Answer {
    const others = this.waiting - (this.askers.get(asker) ? 1 : 0);
    if (cancel && others === 0) {
      if (this.state !== 'pending') return 'request-ended';
      this.state = 'cancelled';
    }
    const wasAttached = this.askers.get(asker) === true;
    this.askers.set(asker, false);
    if (wasAttached && others === 0 && this.state === 'pending') this.#idleSince = now;
    return null;
  }

  approve(voter: string, key: string, notAfter: number, now: number): Answer {
    if (!this.#keys.get(voter)?.has(key)) return 'unknown-key';
    if (voter === 'alice') return 'self-approval';
    if (this.state !== 'pending') return 'request-ended';
    const standing = this.#standing(now);
    if (standing.some((vote) => vote.voter === voter)) return 'already-voted';
    this.#votes.push({ voter, key, notAfter });
    if (standing.length + 1 < this.#need) return null;
    this.state = 'approved';
    this.#claimBy = Math.min(now + 600_000, notAfter, ...standing.map((vote) => vote.notAfter));
    return null;
  }

  deny(voter: string, key: string): Answer {
    if (!this.#keys.get(voter)?.has(key)) return 'unknown-key';
    if (this.state !== 'pending') return 'request-ended';
    this.state = 'denied';
    return null;
  }

  redeem(claim: string, now: number): Answer {
    if (this.state === 'approved') this.#use(claim, now);
    if (this.state === 'redeemed') return this.#claim === claim ? null : 'spent';
    return this.state === 'pending' ? null : (this.state as ProblemCode);
  }

  report(claim: string, outcome: Outcome): Answer {
    const said = `${claim} ${outcome}`;
    if (this.#report !== null) return this.#report === said ? null : 'already-reported';
    if (outcome === 'observed') {
      if (this.state !== 'pending') return 'request-ended';
      this.state = 'cancelled';
    } else if (this.state !== 'redeemed' || this.#claim !== claim) return 'not-redeemed';
    this.#report = said;
    return null;
  }

  revoke(voter: string, key: string): Answer {
    if (!this.#keys.get(voter)?.has(key)) return 'unknown-key';
    if (this.state !== 'approved') return 'nothing-to-revoke';
    this.state = 'revoked';
    return null;
  }

  #use(claim: string, now: number): void {
    if (this.#standing(now).length < this.#need) this.state = 'revoked';
    else {
      this.state = 'redeemed';
      this.#claim = claim;
    }
  }

  /** Votes that have not run out, of people who still have the key. A person has at most one. */
  #standing(now: number): Vote[] {
    return this.#votes.filter(
      ({ voter, key, notAfter }) => notAfter > now && this.#keys.get(voter)?.has(key),
    );
  }
}
