import type { History, Step } from './history.js';
import { PeopleByTrial } from './quorum-by-trial.js';

type Approval = Extract<Step, { do: 'approve' }>;
interface Ask {
  state: string;
  votes: (Approval & { until: number })[];
  waiting: number;
  answerBy: number;
  claimBy: number;
  claim: string | null;
  /** The grant that it passed under. */
  under: Ask | null;
  first: number | null;
  uses: number;
}

const isLive = ({ state }: Ask) => ['pending', 'approved', 'active'].includes(state);
const isGrant = ({ under, votes }: Ask) => under === null && votes[0]?.covers === 'scope';
const hasUsed = (ask: Ask, claim: string | null) =>
  claim !== null && ask.claim === claim && ['redeemed', 'active'].includes(ask.state);
const least = (ask: Ask, of: 'until' | 'duration') => Math.min(...ask.votes.map((vote) => vote[of]));
const most = ({ votes }: Ask) => Math.min(...votes.map(({ uses }) => uses || Number.POSITIVE_INFINITY));
function over(grant: Ask): number {
  if (grant.first === null) return grant.claimBy;
  return least(grant, 'duration') === 0 ? least(grant, 'until') : grant.first + least(grant, 'duration');
}

/** Who may do what and what becomes of it, told a second time in the plainest way. Times in seconds. */
export class Oracle {
  readonly #named: (Ask | null)[] = [null, null, null];
  readonly #asks: Ask[] = [];
  readonly #people: PeopleByTrial;
  readonly #history: History;
  #now = 0;

  constructor(history: History) {
    this.#history = history;
    this.#people = new PeopleByTrial(history);
  }

  standings = () => this.#named.map((ask) => ask && `${ask.state} ${ask.uses}`);

  /** Whether it succeeds. */
  step(step: Step, now: number): boolean {
    this.#now = now;
    this.#settle();
    const succeeds = this.#do(step);
    this.#settle();
    return succeeds;
  }

  #do(step: Step): boolean {
    if (step.do === 'wait') return true;
    const isEnrolled = 'who' in step && this.#people.groups.has(step.who);
    if (step.do === 'dismiss' || step.do === 'regroup') {
      if (step.do === 'dismiss') this.#people.groups.delete(step.who);
      else if (isEnrolled) this.#people.groups.set(step.who, step.groups);
      for (const ask of this.#asks) this.#recount(ask);
      return isEnrolled;
    }
    if (step.do === 'submit') return this.#submit(step.ask, step.claim);
    const ask = this.#named[step.ask] ?? null;
    if (ask === null) return false;
    const isPending = ask.state === 'pending';
    if (step.do === 'redeem') return this.#redeem(ask, step.claim);
    if (step.do === 'deny') return isPending && isEnrolled && this.#end(ask, 'denied');
    if (step.do === 'revoke') return isLive(ask) && !isPending && isEnrolled && this.#end(ask, 'revoked');
    if (step.do === 'leave') {
      if (ask.waiting === 0 || (ask.waiting === 1 && !isPending)) return false;
      ask.waiting -= 1;
      return ask.waiting > 0 || this.#end(ask, 'cancelled');
    }
    return step.do === 'approve' && isPending && this.#approve(ask, step);
  }

  #submit(index: number, claim: string | null): boolean {
    const standing = this.#named[index] ?? null;
    if (standing !== null) {
      if (claim !== null) this.#redeem(standing, claim);
      const isOver = !hasUsed(standing, claim) && !(isLive(standing) && standing.claim === null);
      if (!isOver) standing.waiting += 1;
      return !isOver;
    }
    const times = { answerBy: this.#now + 300, claimBy: 0, first: null, uses: 0 };
    const ask: Ask = { ...times, state: 'pending', votes: [], waiting: 1, claim: null, under: null };
    const grant = this.#asks.find((other) => this.#admits(other));
    this.#asks.push(ask);
    this.#named[index] = ask;
    if (grant !== undefined) this.#pass(ask, grant);
    return claim === null || this.#redeem(ask, claim);
  }

  #approve(ask: Ask, vote: Approval): boolean {
    const { grants } = this.#history.policy;
    const limit = grants?.uses || Number.POSITIVE_INFINITY;
    const uses = vote.uses || Number.POSITIVE_INFINITY;
    const isSound = vote.covers === 'request' ? vote.uses === 1 : vote.uses > 0 || vote.duration > 0;
    if (!isSound || (vote.covers === 'scope' && (grants === null || uses > limit))) return false;
    if (vote.duration > this.#history.duration || !this.#people.isAble(vote.who)) return false;
    ask.votes = ask.votes.filter(({ until }) => until > this.#now);
    if (ask.votes.some(({ who, covers }) => who === vote.who || covers !== vote.covers)) return false;
    ask.votes.push({ ...vote, until: this.#now + vote.validity });
    this.#count(ask);
    return true;
  }

  #redeem(ask: Ask, claim: string): boolean {
    if (ask.state === 'pending' || hasUsed(ask, claim)) return true;
    if (ask.claim !== null || !isLive(ask)) return false;
    const grant = isGrant(ask) ? ask : ask.under;
    Object.assign(ask, { claim, state: 'redeemed' });
    if (grant !== null)
      Object.assign(grant, { state: 'active', first: grant.first ?? this.#now, uses: grant.uses + 1 });
    return true;
  }

  /** A grant keeps a use for its own ask, and one for each that passed and was not used yet. */
  #admits(grant: Ask): boolean {
    if (!isGrant(grant) || !isLive(grant) || grant.state === 'pending') return false;
    const kept = this.#asks.filter((ask) => ask.under === grant && ask.state === 'approved').length;
    return most(grant) - grant.uses - kept > (grant.claim === null ? 1 : 0);
  }

  #pass(ask: Ask, under: Ask): void {
    Object.assign(ask, { state: 'approved', under, claimBy: Math.min(this.#now + 600, over(under)) });
  }

  /** Votes that are enough approve; a grant lets equal asks pass too. */
  #count(ask: Ask): void {
    if (!this.#people.isEnough(ask.votes)) return;
    Object.assign(ask, { state: 'approved', claimBy: Math.min(this.#now + 600, least(ask, 'until')) });
    for (const other of this.#asks)
      if (other.state === 'pending' && this.#admits(ask)) this.#pass(other, ask);
  }

  #recount(ask: Ask): void {
    if (ask.under !== null || !isLive(ask)) return;
    const asOf = ask.first !== null && least(ask, 'duration') > 0 ? ask.first : this.#now;
    const votes = ask.votes.filter(({ until, who }) => until > asOf && this.#people.isAble(who));
    if (ask.state !== 'pending' && !this.#people.isEnough(votes)) this.#end(ask, 'revoked');
    if (ask.state !== 'pending') return;
    ask.votes = votes;
    this.#count(ask);
  }

  /** What passed under a grant and was not used ends with it. */
  #end(ask: Ask, state: string): true {
    ask.state = state;
    for (const other of this.#asks)
      if (other.under === ask && other.state === 'approved')
        other.state = state === 'revoked' ? state : 'lapsed';
    return true;
  }

  #settle(): void {
    for (const ask of this.#asks) {
      if (ask.state === 'pending' && this.#now >= ask.answerBy) ask.state = 'expired';
      if (ask.state === 'approved' && this.#now >= ask.claimBy) this.#end(ask, 'lapsed');
      if (ask.state === 'active' && (this.#now >= over(ask) || ask.uses >= most(ask)))
        this.#end(ask, 'redeemed');
    }
  }
}
