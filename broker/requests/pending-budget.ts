import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';

/** Who and what a pending request is counted for. */
export interface Holder {
  readonly submitter: Name;
  readonly resource: string;
  /** The person, whatever the alias, or the account that is nobody's. */
  readonly requester: Name;
}

export interface PendingLimits {
  readonly pendingPerSubmitter: number;
  readonly pendingPerResource: number;
  readonly pendingPerRequester: number;
}

/**
 * How many requests may be pending at once, so that nobody can bury the queue. The places of a resource and of a requester
 * are shared fairly: where they are all taken, a submitter that holds less than its part of them still gets one, so that
 * whoever fills them keeps nobody else out. With k submitters that is at most 1 + 1/2 + … + 1/k times the limit.
 */
export class PendingBudget {
  readonly #perSubmitter: number;
  readonly #holders = new Map<RequestId, Holder>();
  readonly #submitters = new Map<Name, number>();
  readonly #resources: SharedPlaces;
  readonly #requesters: SharedPlaces;

  constructor(limits: PendingLimits) {
    this.#perSubmitter = limits.pendingPerSubmitter;
    this.#resources = new SharedPlaces(limits.pendingPerResource);
    this.#requesters = new SharedPlaces(limits.pendingPerRequester);
  }

  /** Takes a place; again for the same id changes nothing. @throws Problem `too-many-pending` */
  take(id: RequestId, holder: Holder): void {
    if (this.#holders.has(id)) return;
    const { submitter, resource, requester } = holder;
    const own = this.#submitters.get(submitter) ?? 0;
    if (own >= this.#perSubmitter) throw full(`${submitter} has ${own} pending requests`);
    if (!this.#resources.hasRoom(resource, submitter))
      throw full('the resource has too many pending requests');
    if (!this.#requesters.hasRoom(requester, submitter))
      throw full(`${requester} has too many pending requests`);
    this.hold(id, holder);
  }

  /** Counts a request that stands already, whatever the limits say. */
  hold(id: RequestId, holder: Holder): void {
    this.#holders.set(id, holder);
    this.#count(holder, 1);
  }

  release(id: RequestId): void {
    const holder = this.#holders.get(id);
    if (holder === undefined) return;
    this.#holders.delete(id);
    this.#count(holder, -1);
  }

  #count({ submitter, resource, requester }: Holder, by: number): void {
    count(this.#submitters, submitter, by);
    this.#resources.count(resource, submitter, by);
    this.#requesters.count(requester, submitter, by);
  }
}

/** Places of each subject, with how many of them each submitter holds. */
class SharedPlaces {
  readonly #limit: number;
  readonly #held = new Map<string, Map<Name, number>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  hasRoom(subject: string, submitter: Name): boolean {
    const held = this.#held.get(subject) ?? new Map<Name, number>();
    let taken = 0;
    for (const places of held.values()) taken += places;
    if (taken < this.#limit) return true;
    const own = held.get(submitter) ?? 0;
    const sharers = own === 0 ? held.size + 1 : held.size;
    return own < Math.floor(this.#limit / sharers);
  }

  count(subject: string, submitter: Name, by: number): void {
    const held = this.#held.get(subject) ?? new Map<Name, number>();
    count(held, submitter, by);
    if (held.size === 0) this.#held.delete(subject);
    else this.#held.set(subject, held);
  }
}

function count(counts: Map<Name, number>, key: Name, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

const full = (what: string): Problem => new Problem('too-many-pending', what);
