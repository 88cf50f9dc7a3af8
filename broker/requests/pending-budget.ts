import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';

interface Holder {
  readonly submitter: Name;
  readonly resource: string;
}

/** How many requests may be pending at once, so that nobody can bury the queue. */
export class PendingBudget {
  readonly #perSubmitter: number;
  readonly #perResource: number;
  readonly #holders = new Map<RequestId, Holder>();
  readonly #submitters = new Map<string, number>();
  readonly #resources = new Map<string, number>();

  constructor(limits: { readonly pendingPerSubmitter: number; readonly pendingPerResource: number }) {
    this.#perSubmitter = limits.pendingPerSubmitter;
    this.#perResource = limits.pendingPerResource;
  }

  /** Takes a place; again for the same id changes nothing. @throws Problem `too-many-pending` */
  take(id: RequestId, holder: Holder): void {
    if (this.#holders.has(id)) return;
    const bySubmitter = this.#submitters.get(holder.submitter) ?? 0;
    const byResource = this.#resources.get(holder.resource) ?? 0;
    if (bySubmitter >= this.#perSubmitter)
      throw full(`${holder.submitter} has ${bySubmitter} pending requests`);
    if (byResource >= this.#perResource) throw full(`the resource has ${byResource} pending requests`);
    this.hold(id, holder);
  }

  /** Counts a request that stands already, whatever the limits say. */
  hold(id: RequestId, holder: Holder): void {
    this.#holders.set(id, holder);
    count(this.#submitters, holder.submitter, 1);
    count(this.#resources, holder.resource, 1);
  }

  release(id: RequestId): void {
    const holder = this.#holders.get(id);
    if (holder === undefined) return;
    this.#holders.delete(id);
    count(this.#submitters, holder.submitter, -1);
    count(this.#resources, holder.resource, -1);
  }
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

const full = (what: string): Problem => new Problem('too-many-pending', what);
