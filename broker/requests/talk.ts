import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { ESCALATION_PAUSE, MAX_ESCALATIONS } from '../../src/protocol/talk.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Principals } from '../roster/principals.js';
import { EVERY_SIGNER } from '../store/deliveries.js';
import type { Request } from './request.js';
import { commented, escalated } from './talk-steps.js';
import { found, type Transitions, written } from './transitions.js';

export interface TalkContext {
  /** When to tell of a request that is asked now; null where nobody is ever told. */
  readonly notifyAt: (request: Request, now: EpochMs) => EpochMs | null;
}

/** What approvers say and do about a request among themselves. Nothing of it counts as a decision, and nothing is signed. */
export class Talk {
  readonly #context: TalkContext;
  readonly #transitions: Transitions;
  /** When each approver had everybody rung lately. In memory only: after a restart the count begins anew. */
  readonly #rung = new Map<Name, readonly EpochMs[]>();

  constructor(context: TalkContext, transitions: Transitions) {
    this.#context = context;
    this.#transitions = transitions;
  }

  /** @throws Problem `not-found`, `request-ended`, `too-many-comments`, `unauthenticated` */
  async comment(id: RequestId, by: Name, text: string): Promise<Request> {
    await this.#transitions.look(id);
    return this.#transitions.step(id, (request, { principals, now }) => {
      checkEnrolled(by, principals);
      return commented(request, by, text, now);
    });
  }

  /**
   * Has everybody rung who could sign; not by who asks, who would ring people until one gives in, and not for many requests at
   * once, which is what a stolen session would do (A31).
   *
   * @throws Problem `not-found`, `request-ended`, `escalated-lately`, `forbidden`, `unauthenticated`
   */
  async escalate(id: RequestId, by: Name): Promise<Request> {
    await this.#transitions.look(id);
    const { request } = await this.#transitions.change({ id }, (current, { principals, now }) => {
      const standing = found(current);
      checkEnrolled(by, principals);
      if (principals.personBehind(standing.document.requester)?.name === by) {
        throw new Problem('forbidden', `${by} has asked for this, and has nobody rung for it`, {
          hint: 'somebody else may: countersign escalate ID',
        });
      }
      const step = escalated(standing, by, now);
      this.#countRinging(by, now);
      const isTold = this.#context.notifyAt(step.request, now) !== null;
      const delivery = { sink: 'command' as const, due: now, step: EVERY_SIGNER };
      return { ...written(step, standing), ...(isTold ? { delivery } : {}) };
    });
    return request;
  }

  /** @throws Problem `escalated-lately` */
  #countRinging(by: Name, now: EpochMs): void {
    const since = now - ESCALATION_PAUSE * 1000;
    const lately = (this.#rung.get(by) ?? []).filter((at) => at > since && at <= now);
    const [oldest = now] = lately;
    if (lately.length >= MAX_ESCALATIONS) {
      throw new Problem('escalated-lately', `${by} has had everybody rung for ${lately.length} requests`, {
        retryAfter: Math.ceil((oldest - since) / 1000),
      });
    }
    this.#rung.set(by, [...lately, now]);
  }
}

/** Who signed in may have been removed in the same commit: the log must never show words of somebody whom it has shown to be gone. */
function checkEnrolled(by: Name, principals: Principals): void {
  if (principals.approver(by) !== null) return;
  throw new Problem('unauthenticated', `${by} is not enrolled any more`);
}
