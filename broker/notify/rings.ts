import type { Name, RequestId } from '../../src/protocol/names.js';
import { parseRule, type Rule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { couldApprove, couldHelp, isOpenToAnybody } from '../policy/quorum.js';
import { Deadlines } from '../requests/deadlines.js';
import type { Request } from '../requests/request.js';
import type { Principals } from '../roster/principals.js';
import type { Committed, Store } from '../store/store.js';

/** One step of an escalation: whom to ring, and when. Null groups: everybody who could sign. */
export interface RingStep {
  readonly at: EpochMs;
  readonly groups: readonly string[] | null;
}

/**
 * The steps that the pinned rule asks for, in the order in which they come: without an escalation one, at once. One for
 * everybody in the place of all of them where an approver has asked for that.
 */
export function ringSteps(request: Request): readonly RingStep[] {
  if (request.escalated !== null) return [{ at: request.escalated.at, groups: null }];
  const { escalation } = parseRule(request.rule);
  if (escalation === null) return [{ at: request.submittedAt, groups: null }];
  return escalation
    .map(({ after, groups }) => ({ at: request.submittedAt + after * 1000, groups }))
    .sort((a, b) => a.at - b.at);
}

/** The number of the newest step that has begun; -1 before the first. */
export const stepAt = (steps: readonly RingStep[], now: EpochMs): number =>
  steps.findLastIndex(({ at }) => at <= now);

/**
 * Whom these steps ring: members of their groups whose yes would bring the request on. A step whose groups have nobody who
 * could ever approve, as when the source of an on-call schedule fails, rings everybody who could.
 */
export function ringed(
  request: Request,
  steps: readonly RingStep[],
  principals: Principals,
): readonly Name[] {
  const rule = parseRule(request.rule);
  const names = new Set<Name>();
  for (const { groups } of steps)
    for (const name of ringedBy(groups, request, rule, principals)) names.add(name);
  return [...names].sort();
}

function ringedBy(
  groups: RingStep['groups'],
  { document: { requester }, votes }: Request,
  rule: Rule,
  principals: Principals,
): readonly Name[] {
  const able = [...principals.people].filter((person) => couldApprove(rule, requester, person, principals));
  const members = able.filter(
    (person) => groups?.some((group) => principals.isMember(person, group)) ?? true,
  );
  return (members.length === 0 ? able : members)
    .filter((person) => couldHelp(rule, requester, votes, person, principals))
    .map(({ name }) => name);
}

/** Whether anybody but the requester could sign from the beginning, so that nobody needs to be named. */
function ringsAllOthers({ rule, document: { requester } }: Request, principals: Principals): boolean {
  const { approvals, escalation } = parseRule(rule);
  if (escalation !== null || approvals === 'automatic') return escalation === null;
  const behind = principals.personBehind(requester);
  if (behind !== null && behind.name !== requester) return false;
  return approvals.some(isOpenToAnybody);
}

export interface RingsContext {
  readonly store: Store;
  readonly principals: () => Principals;
  readonly clock: () => EpochMs;
  /** Called when other people are rung for a pending request than before. */
  readonly onRinging: (request: Request, names: readonly Name[]) => void;
}

/** Knows, for every pending request that does not ring everybody, whom it rings now. One timer serves them all. */
export class Rings {
  readonly #context: RingsContext;
  readonly #deadlines = new Deadlines<RequestId>();
  readonly #told = new Map<RequestId, string>();

  constructor(context: RingsContext) {
    this.#context = context;
    for (const request of context.store.live()) this.#follow(request);
    context.store.onCommitted((entries) => this.#committed(entries));
  }

  /** Who has been rung for a request so far; null where everybody else than the requester is, or nobody any more. */
  of(request: Request): readonly Name[] | null {
    const { principals, clock } = this.#context;
    if (request.state !== 'pending' || ringsAllOthers(request, principals())) return null;
    const steps = ringSteps(request);
    const names = ringed(request, steps.slice(0, stepAt(steps, clock()) + 1), principals());
    // Where nobody could sign, as when a schedule cannot be read, it is better that all hear of it.
    return names.length === 0 && steps.every(({ groups }) => groups === null) ? null : names;
  }

  /** Once a second: the steps that begin now. */
  tick(now: EpochMs): void {
    for (const id of this.#deadlines.take(now)) {
      this.#context.store.find({ id }).then(
        (request) => {
          if (request === null) return;
          this.#tell(request);
          this.#follow(request);
        },
        () => this.#deadlines.set(id, now),
      );
    }
  }

  #committed(entries: readonly Committed[]): void {
    for (const { kind, request } of entries) {
      if (request === null) continue;
      this.#follow(request);
      if (kind !== 'request.submitted') this.#tell(request);
    }
  }

  #follow(request: Request): void {
    const ring = this.of(request);
    if (ring === null) {
      this.#told.delete(request.id);
      this.#deadlines.set(request.id, null);
      return;
    }
    if (!this.#told.has(request.id)) this.#told.set(request.id, ring.join());
    const now = this.#context.clock();
    this.#deadlines.set(request.id, ringSteps(request).find(({ at }) => at > now)?.at ?? null);
  }

  #tell(request: Request): void {
    const ring = this.of(request);
    if (ring === null || this.#told.get(request.id) === ring.join()) return;
    this.#told.set(request.id, ring.join());
    this.#context.onRinging(request, ring);
  }
}
