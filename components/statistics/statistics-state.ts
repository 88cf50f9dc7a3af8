import type { CanariesReply } from '../../src/protocol/canary.js';
import type { Statistics } from '../../src/protocol/statistics.js';
import type { Complaint } from '../history/history-state.js';

/** The figures as they are looked at. */
export interface StatisticsState {
  /** Of so many days. */
  readonly days: number;
  /** Replies to questions with other numbers are nobody's; 0 before the first. */
  readonly number: number;
  readonly isWaiting: boolean;
  readonly failure: Complaint | null;
  /** Null before the first reply, and where those are asked for of other days. */
  readonly told: Statistics | null;
  readonly canaries: CanariesState;
  /** The first line that is on the screen. */
  readonly top: number;
}

/** How the reader decided on canaries, whatever days are counted. */
export interface CanariesState {
  /** Replies to questions with other numbers are nobody's; 0 before the first. */
  readonly number: number;
  readonly told: CanariesReply | null;
  readonly failure: Complaint | null;
}

/** Between so many days one goes to and fro. */
export const PERIODS: readonly number[] = [1, 7, 30, 90, 365];

export const CLOSED_STATISTICS: StatisticsState = {
  days: 30,
  number: 0,
  isWaiting: false,
  failure: null,
  told: null,
  canaries: { number: 0, told: null, failure: null },
  top: 0,
};

/** The period before or after; the same at either end. */
export function periodBeside(days: number, way: 1 | -1): number {
  const at = PERIODS.indexOf(days) + way;
  return PERIODS[Math.max(0, Math.min(PERIODS.length - 1, at))] ?? days;
}
