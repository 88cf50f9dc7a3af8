import {
  BROKER_SUBMITTER,
  isChangeAction,
  OWNER,
  POLICY_CHANGE,
} from '../../src/protocol/change-messages.js';
import { parseDocument } from '../../src/protocol/document.js';
import { type Fingerprint, isName, type Name, type RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { RandomBytes } from '../access/tokens.js';
import type { CompiledPolicy } from '../policy/compile.js';
import type { Request } from '../requests/request.js';
import type { Deed, Requests } from '../requests/requests.js';
import type { Submitted } from '../requests/submissions.js';
import type { Principals } from '../roster/principals.js';
import type { Directory, PolicyText, Store } from '../store/store.js';
import { BROKER_ITSELF } from './broker-submitter.js';
import {
  APPROVERS_WHO_MUST_AGREE,
  applyChange,
  applyDescribed,
  type ChangeText,
  describeChange,
  type EnrolledChange,
} from './directory-change.js';
import { describedPolicy, policyLoaded } from './policy-change.js';

/** What checks a policy before it comes into force. */
export interface PolicyCompiler {
  /** Where the policy comes from, as the log names it. */
  readonly name: string;
  /** @throws BadPolicy */
  compile(text: string): CompiledPolicy;
}

export interface ChangesContext {
  readonly store: Store;
  readonly requests: Requests;
  readonly principals: () => Principals;
  /** What this broker calls itself, in free text, and its key. */
  readonly name: string;
  readonly fingerprint: () => Fingerprint;
  readonly clock: () => EpochMs;
  readonly random: RandomBytes;
  /** Null where no policy is in force that could be changed. */
  readonly policy: () => PolicyCompiler | null;
  /** Hears of an approved change that could not be applied; it is tried again at each start until it lapses. */
  readonly onError: (error: unknown) => void;
}

/** Who wants a change, and why. */
export interface ChangeAuthor {
  /** {@link OWNER}, or an approver who signed in. */
  readonly requester: Name;
  readonly reason: string | null;
}

/** Either it has happened, or others are asked first. */
export type Changed =
  | { readonly applied: true; readonly directory: Directory }
  | { readonly applied: false; readonly submitted: Submitted };

/**
 * Changes of what the broker itself decides by (A17). With fewer than two approvers the owner's word is enough; from then
 * on each change is a request like any other, and the broker its door: it applies what was approved, exactly that, once,
 * in the commit that uses the approval up. One change after the other.
 */
export class Changes {
  readonly #context: ChangesContext;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: ChangesContext) {
    this.#context = context;
    context.store.onCommitted((entries) => {
      for (const { kind, request } of entries) {
        if (kind !== 'request.approved' || request === null || !isOwn(request)) continue;
        this.#perform(request.id).catch(context.onError);
      }
    });
  }

  /** Applies what was approved before the last stop and is still good. */
  async resume(): Promise<void> {
    for (const request of this.#context.store.live()) {
      if (request.state !== 'approved' || !isOwn(request)) continue;
      await this.#perform(request.id).catch(this.#context.onError);
    }
  }

  /**
   * Changes people or submitters, or asks for it.
   *
   * @throws Problem of the change; `forbidden` for an approver who asks where nobody else could approve
   */
  async change(asked: EnrolledChange, author: ChangeAuthor): Promise<Changed> {
    const { store, principals, clock } = this.#context;
    if (principals().approvers >= APPROVERS_WHO_MUST_AGREE) {
      const text = describeChange(store.directory(), asked, clock());
      return { applied: false, submitted: await this.ask(text, author) };
    }
    if (author.requester !== OWNER) {
      throw new Problem('forbidden', 'nobody else is enrolled who could approve this', {
        hint: 'with one approver the owner of the broker changes the roster, on its machine',
      });
    }
    const directory = await this.#inTurn(() =>
      store.changeDirectory((current) => applyChange(current, asked, clock(), { by: OWNER })),
    );
    return { applied: true, directory };
  }

  /**
   * Makes the request for a change.
   *
   * @throws Problem `body-too-large`, `roster-conflict`, and those of any request
   */
  async ask(
    { action, resource, details }: ChangeText,
    { requester, reason }: ChangeAuthor,
  ): Promise<Submitted> {
    const { principals, random, requests } = this.#context;
    const namesake = requester === OWNER ? principals().personBehind(OWNER) : null;
    if (namesake !== null) {
      throw new Problem(
        'roster-conflict',
        `${OWNER} is a name of ${namesake.name}, so that nobody can tell who asks`,
        {
          hint: 'stop the broker, and give that person another name or alias',
        },
      );
    }
    const bound = parseDocument({
      version: 1,
      action,
      door: this.#door,
      requester,
      resource,
      details,
      context: reason === null ? {} : { reason },
      duration: 0,
      nonce: random(16).toString('hex'),
    });
    return requests.submit({ bound, statement: null, claim: null, signers: null }, BROKER_ITSELF, null);
  }

  /** `broker:NAME`, or by its key where the name is free text. */
  get #door(): Name {
    const { name, fingerprint } = this.#context;
    const named = `broker:${name}`;
    if (isName(named)) return named;
    const key = Buffer.from(fingerprint().slice('SHA256:'.length), 'base64').toString('hex');
    return `broker:${key.slice(0, 16)}` as Name;
  }

  async #perform(id: RequestId): Promise<void> {
    const { requests, store, policy } = this.#context;
    await this.#inTurn(() =>
      requests.perform(id, (request, directory, now) =>
        deedOf(() =>
          request.document.action === POLICY_CHANGE
            ? policyDeed(request, store.policy(), policy(), now)
            : applyDescribed(directory, request.document.details, now, { request: request.id }),
        ),
      ),
    );
  }

  /** So that each is decided by the roster that the one before has left. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

export const isOwn = ({ submitter, document }: Request): boolean =>
  submitter === BROKER_SUBMITTER && isChangeAction(document.action);

/** What was approved, or why it cannot be done any more: then everything stays as it is. */
function deedOf(change: () => Pick<Deed, 'events' | 'directory' | 'policy'>): Deed {
  try {
    return { ...change(), code: null, words: 'applied by the broker' };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { code: error.code, words: `not applied: ${error.message}`, events: [] };
  }
}

/** @throws Problem `change-outdated`; `bad-policy` where the roster of now does not bear it any more */
function policyDeed(
  { id, document }: Request,
  kept: PolicyText | null,
  source: PolicyCompiler | null,
  now: EpochMs,
): Pick<Deed, 'events' | 'policy'> {
  const text = describedPolicy(kept, document.details);
  if (source === null) throw new Problem('change-outdated', 'no policy is in force any more');
  const policy = source.compile(text);
  return {
    policy: { text, digest: policy.digest, since: now },
    events: [policyLoaded(source.name, policy, now, { request: id })],
  };
}
