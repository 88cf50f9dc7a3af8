import { OWNER } from '../../src/protocol/change-messages.js';
import { exactly } from '../../src/protocol/filter.js';
import type { Digest, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { CompiledPolicy } from '../policy/compile.js';
import type { Request } from '../requests/request.js';
import type { Requests } from '../requests/requests.js';
import type { Store } from '../store/store.js';
import { type Changes, isOwn } from './changes.js';
import { describePolicy, POLICY_RESOURCE, policyChangeOf } from './policy-change.js';

export interface PolicyProposalsContext {
  readonly store: Pick<Store, 'live' | 'list' | 'find'>;
  readonly requests: Pick<Requests, 'withdraw'>;
  readonly changes: Pick<Changes, 'ask'>;
  readonly startedAt: EpochMs;
}

/** Why a good policy is not in force. */
export interface Withheld {
  /** Whether that may still change by itself. */
  readonly waiting: boolean;
  readonly why: string;
}

/** How far back a request for the same change is looked for. */
const LOOKED_AT = 50;

/** The requests for another policy: one at a time, and none again for a change that was answered (A17). */
export class PolicyProposals {
  readonly #context: PolicyProposalsContext;
  /** The newest one; undefined before anybody looked. */
  #newest: RequestId | null | undefined;

  constructor(context: PolicyProposalsContext) {
    this.#context = context;
  }

  /** Takes back what is pending for any other change than this one. */
  async keepOnly(previous: Digest, next: Digest): Promise<void> {
    const { store, requests } = this.#context;
    for (const request of store.live()) {
      const change = isOwn(request) ? policyChangeOf(request) : null;
      if (change === null || (change.previous === previous && change.next === next)) continue;
      const why = change.previous === previous ? 'the policy file' : 'the policy in force';
      await requests.withdraw(request.id, `${why} was changed since this was asked`);
    }
  }

  /**
   * Asks for another policy, where that was not done before, and says what came of it.
   *
   * @throws Problem of a request that cannot be made
   */
  async ask(current: CompiledPolicy, next: CompiledPolicy, file: string): Promise<Withheld> {
    const before = await this.#find(current.digest, next.digest);
    if (before !== null && this.#isAnswer(before)) return withheldBy(before);
    const { request } = await this.#submit(current, next, file);
    this.#newest = request.id;
    return withheldBy(request);
  }

  async #submit(current: CompiledPolicy, next: CompiledPolicy, file: string) {
    const reason = `the policy file ${file} was changed`.slice(0, 1000);
    try {
      return await this.#context.changes.ask(describePolicy(current, next), { requester: OWNER, reason });
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'body-too-large') throw error;
      throw new Problem(
        'body-too-large',
        'it differs from the policy in force by more than a request can hold: change it in smaller steps, or stop the broker and use countersign policy install',
        { cause: error },
      );
    }
  }

  /** What nobody answered in time is asked once more by a broker that starts. */
  #isAnswer({ state, endedAt }: Request): boolean {
    if (state === 'denied' || endedAt === null) return true;
    return endedAt >= this.#context.startedAt;
  }

  async #find(previous: Digest, next: Digest): Promise<Request | null> {
    const { store } = this.#context;
    if (this.#newest === undefined) {
      const filter = { terms: [exactly('requester', OWNER), exactly('resource', POLICY_RESOURCE)] };
      const { requests } = await store.list({ filter, before: null, limit: LOOKED_AT });
      this.#newest =
        requests.find((request) => isOwn(request) && policyChangeOf(request) !== null)?.id ?? null;
    }
    if (this.#newest === null) return null;
    const request = await store.find({ id: this.#newest });
    const change = request === null ? null : policyChangeOf(request);
    return change?.previous === previous && change.next === next ? request : null;
  }
}

function withheldBy({ id, state, endedBy }: Request): Withheld {
  const differs = 'it differs from the policy in force';
  if (state === 'pending' || state === 'approved') {
    return { waiting: true, why: `${differs}: waits for approval ${id}` };
  }
  const how = endedBy ?? state;
  const words = how.startsWith(state) || state === 'redeemed' ? how : `${state}: ${how}`;
  return { waiting: false, why: `${differs}: ${words} (${id}); change the file to ask again` };
}
