import type { Digest, RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { orderedRows, type RequestRow, type RequestRows } from '../queue/request-rows.js';

/** For how long a row is left alone, in ms. */
export const SNOOZE_MS = 30 * 60_000;
/** With less than this left to answer, in ms, a row is left alone no longer. */
export const LITTLE_LEFT_MS = 60_000;

/** One row that this person leaves alone for a while, with all equal asks, those that come meanwhile among them (A31). */
export interface Snooze {
  /** By our clock. */
  readonly until: EpochMs;
  /** By the broker's clock: the earliest time at which little is left for one of them. */
  readonly littleLeftAt: EpochMs;
  /** What others had done about each request when it began. */
  readonly seen: ReadonlyMap<RequestId, string>;
}

/** By the scope of the row. Immutable: every change makes a new map. */
export type Snoozes = ReadonlyMap<Digest, Snooze>;

export const NO_SNOOZES: Snoozes = new Map();

/** Whom a snooze is for, and when it is looked at. */
export interface Sleeper {
  readonly approver: string;
  /** Our clock. */
  readonly at: EpochMs;
  /** The broker's. */
  readonly now: EpochMs;
}

const timeLeft = ({ alone, answerBy }: RequestView): EpochMs => alone?.opensAt ?? answerBy;

/** By the broker's clock. */
const littleLeftAt = ({ members }: RequestRow): EpochMs =>
  Math.min(...members.map((member) => timeLeft(member) - LITTLE_LEFT_MS));

/** What others have done about a request: another text after each vote, comment, escalation or break-glass that is not one's own. */
function doneBy({ votes, comments, escalated, alone }: RequestView, approver: string): string {
  const signed = votes.filter((vote) => vote.approver !== approver).map((vote) => vote.approver);
  const said = comments.filter(({ by }) => by !== approver).length;
  const rung = escalated === null || escalated.by === approver ? 0 : escalated.at;
  return `${signed.join()} ${said} ${rung} ${alone?.opensAt ?? 0}`;
}

const NOTHING_DONE = ' 0 0 0';

/** Begins to leave a row alone; null where little time is left for it. */
export function snooze(row: RequestRow, { approver, at, now }: Sleeper): Snooze | null {
  const littleLeft = littleLeftAt(row);
  if (now >= littleLeft) return null;
  const seen = new Map(row.members.map((member) => [member.id, doneBy(member, approver)]));
  return { until: at + SNOOZE_MS, littleLeftAt: littleLeft, seen };
}

/** Whether its time is over by the clocks alone. */
export const isDue = ({ until, littleLeftAt: little }: Snooze, { at, now }: Sleeper): boolean =>
  at >= until || now >= little;

/**
 * The rows with those that are left alone behind all others that wait, and the snoozes that go on: a row wakes when its time is
 * over, when little is left to answer, and when somebody else has done something about it.
 */
export function arrange(
  rows: RequestRows,
  snoozes: Snoozes,
  sleeper: Sleeper,
): { readonly rows: RequestRows; readonly snoozes: Snoozes; readonly hasWoken: boolean } {
  if (snoozes.size === 0) return { rows, snoozes, hasWoken: false };
  const goingOn = new Map<Digest, Snooze>();
  const [awake, asleep, earlier]: [RequestRow[], RequestRow[], RequestRow[]] = [[], [], []];
  let hasWoken = false;
  for (const row of rows.rows) {
    const found = row.section === 'pending' ? snoozes.get(row.request.scope) : undefined;
    const now = found === undefined ? null : { ...found, littleLeftAt: littleLeftAt(row) };
    if (now !== null && !isDue(now, sleeper) && !isDisturbed(now, row, sleeper.approver)) {
      goingOn.set(row.request.scope, now);
      asleep.push({ ...row, isSnoozed: true });
      continue;
    }
    hasWoken ||= now !== null;
    (row.section === 'pending' ? awake : earlier).push(row);
  }
  return { rows: orderedRows([...awake, ...asleep, ...earlier]), snoozes: goingOn, hasWoken };
}

const isDisturbed = ({ seen }: Snooze, { members }: RequestRow, approver: string): boolean =>
  members.some((member) => doneBy(member, approver) !== (seen.get(member.id) ?? NOTHING_DONE));
