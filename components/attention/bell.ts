import type { RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { parseRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { RequestRows } from '../queue/request-rows.js';

/** For what the bell has called this person so far. */
export interface Bell {
  /**
   * Up to which step of its rule's escalation each listed request has called, or when somebody had all rung for it, which comes after
   * all steps; null before the first live picture.
   */
  readonly called: ReadonlyMap<RequestId, number> | null;
  /** When it last rang, by our clock. */
  readonly rangAt: EpochMs;
  /** When the next step of a listed request begins that may remind this person, by the broker's clock. */
  readonly nextStepAt: EpochMs;
  /** That it would have rung in quiet hours. */
  readonly isHeld: boolean;
}

export const SILENT_BELL: Bell = {
  called: null,
  rangAt: Number.NEGATIVE_INFINITY,
  nextStepAt: Number.POSITIVE_INFINITY,
  isHeld: false,
};

/** The bell rings at most once in so many ms (A31), and not for longer where our clock was set back. */
const PAUSE_MS = 2000;

/** Who would be called, and when. */
export interface Hearing {
  readonly approver: string;
  /** Our clock. */
  readonly at: EpochMs;
  /** The broker's. */
  readonly now: EpochMs;
  readonly isQuiet: boolean;
}

/**
 * What a live picture calls a person for: once for each ask that somebody waits for and that he may decide, again at each later step
 * of its rule's escalation and each time that somebody else has all rung, never more (A31). Asks of equal scope are one. Those of the
 * first picture are seen, so they call nobody. What is snoozed calls nobody, and calls as if it were new once it wakes. What quiet
 * hours held back rings once when they are over, if it still waits.
 */
export function listen(
  bell: Bell,
  rows: RequestRows,
  hearing: Hearing,
): { readonly bell: Bell; readonly isNews: boolean; readonly rings: boolean } {
  const known = bell.called;
  const called = new CalledChange(known);
  let [isNews, isWaitedFor, nextStepAt] = [false, false, Number.POSITIVE_INFINITY];
  for (const { section, members, isSnoozed } of rows.rows) {
    if (isSnoozed) continue;
    let [before, due] = [0, 0];
    for (const member of members) {
      const reached = known?.get(member.id) ?? 0;
      before = Math.max(before, reached);
      const steps = section === 'pending' ? stepsFor(member, hearing) : NO_STEPS;
      const isHeard = known === null || member.waiting > 0;
      const step = isHeard ? Math.max(reached, steps.begun) : reached;
      if (step > 0) called.take(member.id, step);
      if (steps.begun > 0) nextStepAt = Math.min(nextStepAt, steps.next);
      if (member.waiting > 0) due = Math.max(due, steps.begun);
    }
    if (due > before) isNews = true;
    if (due > 0) isWaitedFor = true;
  }
  const calls = (known !== null && isNews) || (bell.isHeld && isWaitedFor && !hearing.isQuiet);
  const rings = calls && !hearing.isQuiet && Math.abs(hearing.at - bell.rangAt) >= PAUSE_MS;
  const isHeld = hearing.isQuiet && (bell.isHeld || calls);
  const rangAt = rings ? hearing.at : bell.rangAt;
  return {
    bell: { called: called.result(), rangAt, nextStepAt, isHeld },
    isNews: known !== null && isNews,
    rings,
  };
}

/** What was called so far, written anew only where something of it is another thing: the queue may have ten thousand rows. */
class CalledChange {
  readonly #known: ReadonlyMap<RequestId, number> | null;
  readonly #taken: [RequestId, number][] = [];
  #isSame: boolean;

  constructor(known: ReadonlyMap<RequestId, number> | null) {
    this.#known = known;
    this.#isSame = known !== null;
  }

  take(id: RequestId, step: number): void {
    this.#taken.push([id, step]);
    this.#isSame = this.#isSame && this.#known?.get(id) === step;
  }

  result(): ReadonlyMap<RequestId, number> {
    const isSame = this.#isSame && this.#known?.size === this.#taken.length;
    return isSame && this.#known !== null ? this.#known : new Map(this.#taken);
  }
}

interface Steps {
  /** How many have begun; 0 where none calls this person. */
  readonly begun: number;
  readonly next: EpochMs;
}
const NO_STEPS: Steps = { begun: 0, next: Number.POSITIVE_INFINITY };

/** The steps of a request for one person: the broker says whom they call so far, and the rule when they begin. */
function stepsFor(
  { ring, rule, submittedAt, document, votes, escalated }: RequestView,
  { approver, now }: Hearing,
): Steps {
  if (document.requester === approver || votes.some((vote) => vote.approver === approver)) return NO_STEPS;
  if (ring !== null && !ring.some((name) => name === approver)) return NO_STEPS;
  if (escalated !== null) return escalated.by === approver ? NO_STEPS : { ...NO_STEPS, begun: escalated.at };
  if (ring === null) return { ...NO_STEPS, begun: 1 };
  const times = stepTimes(rule).map((after) => submittedAt + after * 1000);
  const begun = times.filter((time) => time <= now).length;
  // Its clock may be a little ahead of the one that we know, but it has called.
  return { begun: Math.max(1, begun), next: Math.min(...times.filter((time) => time > now)) };
}

/** Seconds after the ask; none where the rule has no escalation, or is one of another version. */
function stepTimes(rule: string): readonly number[] {
  try {
    return parseRule(rule).escalation?.map(({ after }) => after) ?? [];
  } catch (error) {
    if (error instanceof Problem) return [];
    throw error;
  }
}
