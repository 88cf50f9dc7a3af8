import { changesBetween, PersistentMap } from '../../src/client/persistent-map.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { knownRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { RequestGroups } from '../queue/request-groups.js';
import type { RequestRow, RequestRows } from '../queue/request-rows.js';

/** For what the bell has called this person so far. */
export interface Bell {
  /**
   * Up to which step of its rule's escalation each listed request has called, or when somebody had all rung for it, which comes after
   * all steps; null before the first live picture.
   */
  readonly called: PersistentMap<RequestId, number> | null;
  /** The picture of which all has been heard; null where some of it was asleep, or before the first live one. */
  readonly heard: RequestGroups | null;
  /** When it last rang, by our clock. */
  readonly rangAt: EpochMs;
  /** Before this, by the broker's clock, no step of a listed request begins that may remind this person. */
  readonly nextStepAt: EpochMs;
  /** That it would have rung in quiet hours. */
  readonly isHeld: boolean;
}

export const SILENT_BELL: Bell = {
  called: null,
  heard: null,
  rangAt: Number.NEGATIVE_INFINITY,
  nextStepAt: Number.POSITIVE_INFINITY,
  isHeld: false,
};

/** The bell rings at most once in so many ms (A31), and not for longer where our clock was set back. */
const PAUSE_MS = 2000;

/** What is listened to. */
export interface HeardPicture {
  readonly allRows: RequestRows;
  readonly groups: RequestGroups;
}

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
  picture: HeardPicture,
  hearing: Hearing,
): { readonly bell: Bell; readonly isNews: boolean; readonly rings: boolean } {
  const known = bell.called;
  const { rows, gone, stepAt } = toHear(bell, picture, hearing);
  const steps = new Map<RequestId, number | undefined>(gone.map((id) => [id, undefined]));
  let [isNews, isWaitedFor, nextStepAt] = [false, false, stepAt];
  for (const { section, members, isSnoozed } of rows) {
    if (isSnoozed) continue;
    let [before, due] = [0, 0];
    for (const member of members) {
      const reached = known?.get(member.id) ?? 0;
      before = Math.max(before, reached);
      const { begun, next } = section === 'pending' ? stepsFor(member, hearing) : NO_STEPS;
      const isHeard = known === null || member.waiting > 0;
      const step = isHeard ? Math.max(reached, begun) : reached;
      if (step > reached) steps.set(member.id, step);
      if (begun > 0) nextStepAt = Math.min(nextStepAt, next);
      if (member.waiting > 0) due = Math.max(due, begun);
    }
    if (due > before) isNews = true;
    if (due > 0) isWaitedFor = true;
  }
  const calls = (known !== null && isNews) || (bell.isHeld && isWaitedFor && !hearing.isQuiet);
  const rings = calls && !hearing.isQuiet && Math.abs(hearing.at - bell.rangAt) >= PAUSE_MS;
  const isHeld = hearing.isQuiet && (bell.isHeld || calls);
  const rangAt = rings ? hearing.at : bell.rangAt;
  const called = (known ?? NOBODY_CALLED).with(steps);
  // What is asleep now is heard when it wakes, which changes no group.
  const heard = picture.allRows.snoozed === 0 ? picture.groups : null;
  return { bell: { called, heard, rangAt, nextStepAt, isHeld }, isNews: known !== null && isNews, rings };
}

const NOBODY_CALLED = PersistentMap.of<RequestId, number>([]);

/**
 * Which rows have to be listened to, and which requests are forgotten; until when nothing is due for the other rows. Those that stand as
 * they stood say what they said: of ten thousand all are gone through only where time alone may have brought something.
 */
function toHear(
  { called, heard, nextStepAt, isHeld }: Bell,
  { allRows, groups }: HeardPicture,
  { now }: Hearing,
): { readonly rows: readonly RequestRow[]; readonly gone: readonly RequestId[]; readonly stepAt: EpochMs } {
  if (called === null || heard === null || allRows.snoozed > 0 || isHeld || now >= nextStepAt) {
    const asleep = new Set(
      allRows.rows.flatMap(({ isSnoozed, members }) => (isSnoozed ? members.map(({ id }) => id) : [])),
    );
    const gone = [...(called?.keys() ?? [])].filter((id) => asleep.has(id) || !groups.requests.has(id));
    return { rows: allRows.rows, gone, stepAt: Number.POSITIVE_INFINITY };
  }
  const changes = changesBetween(heard.byKey, groups.byKey);
  const left = changes.flatMap(({ before }) => before?.members.map(({ id }) => id) ?? []);
  return {
    rows: changes.flatMap(({ after }) => after ?? []),
    gone: left.filter((id) => !groups.requests.has(id)),
    stepAt: nextStepAt,
  };
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
  return knownRule(rule)?.escalation?.map(({ after }) => after) ?? [];
}
