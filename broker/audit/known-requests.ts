import type { RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Request } from '../requests/request.js';
import type { verifyCanary } from '../requests/verification.js';
import { compact, type EndedRequest, type LiveRequest, type Moment } from './replayed-request.js';

/** What is checked of a canary. */
export type Unused = Parameters<typeof verifyCanary>[1];
const UNUSED_KEPT = 10_000;

/** The requests of a log as they stand after the entries so far, as far as anything can still be said about them. */
export class KnownRequests {
  readonly #live = new Map<RequestId, LiveRequest>();
  readonly #past = new Map<RequestId, EndedRequest>();
  /** The newest that have ended unused: any of them may turn out to have been a canary. */
  readonly #unused = new Map<RequestId, Unused>();
  #isUnusedForgotten = false;

  knows(id: string): boolean {
    return this.#live.has(id as RequestId) || this.#past.has(id as RequestId);
  }

  live(id: RequestId): LiveRequest | undefined {
    return this.#live.get(id);
  }

  past(id: RequestId): EndedRequest | undefined {
    return this.#past.get(id);
  }

  /** What was not used, live or ended. */
  unused(id: RequestId): Unused | undefined {
    const standing = this.#live.get(id);
    return standing === undefined ? this.#unused.get(id) : unusedOf(standing.request);
  }

  /** Whether there were more that ended unused than are kept. */
  get isUnusedForgotten(): boolean {
    return this.#isUnusedForgotten;
  }

  /** @throws Problem `request-ended` unless it is pending, and the entry about it */
  pending(id: RequestId, { request }: Moment): LiveRequest {
    const standing = this.#live.get(id);
    if (standing?.request.state !== 'pending' || id !== request) throw noSuch(id);
    return standing;
  }

  /** @throws Problem `request-ended` unless it is approved, used or not, and the entry about it */
  approved(id: RequestId, { request }: Moment): LiveRequest {
    const standing = this.#live.get(id);
    const isApproved = standing?.request.state === 'approved' || standing?.request.state === 'active';
    if (standing === undefined || !isApproved || id !== request) throw noSuch(id);
    return standing;
  }

  add(standing: LiveRequest): void {
    this.#live.set(standing.request.id, standing);
  }

  keep(standing: LiveRequest, change: Partial<Request>): void {
    this.add({ ...standing, request: { ...standing.request, ...change } });
  }

  end(standing: LiveRequest, state: EndedRequest['state']): void {
    const { id } = standing.request;
    this.#live.delete(id);
    if (state === 'ended' && standing.request.redeemedAt === null) this.#remember(standing.request);
    const ended = compact(standing, state);
    // Nothing more can be signed about the others.
    if (state === 'redeemed' || ended.opener !== null) this.#past.set(id, ended);
  }

  /** What was used is taken back. */
  endPast(id: RequestId, ended: EndedRequest): void {
    this.#past.set(id, { ...ended, state: 'ended' });
  }

  #remember(request: Request): void {
    this.#unused.set(request.id, unusedOf(request));
    const [oldest] = this.#unused.keys();
    if (this.#unused.size <= UNUSED_KEPT || oldest === undefined) return;
    this.#unused.delete(oldest);
    this.#isUnusedForgotten = true;
  }
}

const unusedOf = ({ digest, scope, submitter, document }: Request): Unused => ({
  digest,
  scope,
  submitter,
  nonce: document.nonce,
});

export const noSuch = (id: string): Problem =>
  new Problem('request-ended', `this cannot happen to ${id} as it stands`);
