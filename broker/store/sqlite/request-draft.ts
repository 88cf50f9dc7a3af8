import type { RequestId } from '../../../src/protocol/names.js';
import { type Request, requestIsLive } from '../../requests/request.js';
import type { Ask, Peers, RequestKey } from '../store.js';
import { erasedProblem, type Remains } from './erasure.js';
import { addTo, isApproved, type LiveState, scopeKey, standingKey } from './live-state.js';
import { misuse } from './misuse.js';

/** Finds requests that are not in memory. */
export interface RequestReader {
  find(key: RequestKey): Request | null;
  /** Null for what is not there, or erased. */
  remains(id: RequestId): Remains | null;
  isKept(id: RequestId): boolean;
}

/** Fields of a request that are written once. */
const FIXED = [
  'id',
  'digest',
  'scope',
  'canonical',
  'submitter',
  'vouched',
  'verified',
  'rule',
  'policy',
  'submittedAt',
] as const;

/** What one commit changes about requests, laid over what is committed. */
export class RequestDraft implements Peers {
  /** In their newest form. */
  readonly written = new Map<RequestId, Request>();
  /** Those of {@link written} that have no row yet. */
  readonly inserted = new Set<RequestId>();
  /** Requests of which nothing is left. */
  readonly erased = new Set<RequestId>();
  readonly #live: LiveState;
  readonly #history: RequestReader;
  readonly #ids = new Map<string, RequestId>();
  /** Ids of {@link written} by scope and submitter. */
  readonly #equal = new Map<string, Set<RequestId>>();
  /** Of {@link #equal}, those that this draft has in an approved form, or had. */
  readonly #approved = new Map<string, Set<RequestId>>();
  #size = 0;

  constructor(live: LiveState, history: RequestReader) {
    this.#live = live;
    this.#history = history;
  }

  /** Text in it, in UTF-16 units. */
  get size(): number {
    return this.#size;
  }

  /** As it stands after this draft. */
  find(key: RequestKey): Request | null {
    const id = 'id' in key ? key.id : this.#ids.get(standingKey(key));
    const drafted = id === undefined ? undefined : this.written.get(id);
    const found = drafted ?? this.#live.find(key) ?? this.#history.find(key);
    if (found === null || !this.erased.has(found.id)) return found;
    if ('id' in key) return null;
    throw erasedProblem(found.state);
  }

  equal(ask: Ask): readonly Request[] {
    return this.#newest(this.#live.equal(ask), this.#equal.get(scopeKey(ask))).filter(requestIsLive);
  }

  approved(ask: Ask): readonly Request[] {
    return this.#newest(this.#live.approved(ask), this.#approved.get(scopeKey(ask))).filter(isApproved);
  }

  put(request: Request, isNew: boolean): void {
    this.written.set(request.id, request);
    this.#ids.set(standingKey(request), request.id);
    addTo(this.#equal, scopeKey(request), request.id);
    if (isApproved(request)) addTo(this.#approved, scopeKey(request), request.id);
    if (isNew) this.inserted.add(request.id);
    this.#size += request.canonical.length;
  }

  /**
   * @param current what was found by the key
   * @throws TypeError where the next form cannot be one of it
   */
  check(key: RequestKey, current: Request | null, next: Request): void {
    if (current !== null) {
      checkFixed(current, next);
      return;
    }
    const matches =
      'id' in key ? key.id === next.id : key.digest === next.digest && key.submitter === next.submitter;
    if (!matches) throw misuse('a new request has the key that was looked up');
    // The other way round the table refuses a second row of one id.
    const { digest, submitter } = next;
    if ('id' in key && this.find({ digest, submitter }) !== null) {
      throw misuse('a request of this digest and submitter exists');
    }
  }

  /** @throws TypeError where these cannot be next forms of requests that change with another one */
  checkOthers(others: readonly Request[], own: Request | null): void {
    const ids = new Set(others.map(({ id }) => id));
    if (ids.size < others.length || (own !== null && ids.has(own.id))) {
      throw misuse('a request changes once in a change');
    }
    for (const other of others) {
      const current = this.find({ id: other.id });
      if (current === null) throw misuse('only requests that exist change with another');
      checkFixed(current, other);
    }
  }

  /** Oldest first. */
  #newest(live: Iterable<RequestId>, drafted: Iterable<RequestId> = []): readonly Request[] {
    return [...new Set([...live, ...drafted])]
      .sort()
      .map((id) => this.written.get(id) ?? this.#live.find({ id }))
      .filter((request) => request !== null);
  }
}

function checkFixed(current: Request, next: Request): void {
  const changed = FIXED.find((field) => current[field] !== next[field]);
  if (changed !== undefined) throw misuse(`${changed} of a request never changes`);
}
