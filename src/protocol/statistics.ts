import * as z from 'zod';
import { isName, type Name } from './names.js';
import { time } from './request-view.js';

/** How far back figures go unless told otherwise, and at most, in days. */
export const STATISTICS_DAYS = 30;
export const MOST_STATISTICS_DAYS = 366;
/** Most approvers and rules that have figures of their own, those with the most decisions and asks. */
export const MOST_ROWS = 100;

/** How the look back ended: after all of the days, because it must end at some point, or where nothing older is kept. */
export const STATISTICS_REACHES = ['days', 'search', 'kept'] as const;

const count = z.int().min(0);

/** Whole seconds from an ask to its decision, by nearest rank: each is one that somebody has waited. */
const waits = z.object({ decisions: count, p50: count, p90: count, p99: count });
export type DecisionWaits = z.output<typeof waits>;

/** What became of asks that have something in common. The rest of them waits, was cancelled, or passed by a rule or grant alone. */
const outcomes = { asked: count, approved: count, denied: count, expired: count };
export interface OutcomeCounts {
  readonly asked: number;
  /** By as many people as the rule asks for. */
  readonly approved: number;
  readonly denied: number;
  /** Nobody answered in time. */
  readonly expired: number;
}

/**
 * Wire form of `GET /v1/statistics`, times as text. Counted are the requests that were asked from `since` on. It is the word of the
 * broker; `countersign audit report` counts the log itself.
 */
export const statisticsReply = z.object({
  since: time,
  until: time,
  reach: z.enum(STATISTICS_REACHES),
  /** By this zone go days and hours. */
  zone: z.string().max(64),
  ...outcomes,
  /** Without another signature: under a lasting grant, by a rule that asks nobody, or by break-glass. */
  passed: count,
  /** Until people approved or denied; null where nobody did. */
  waits: z.nullable(waits),
  /** Those who decided most first. */
  approvers: z
    .array(
      z.object({
        name: z.custom<Name>(isName, 'not a name'),
        approved: count,
        denied: count,
        /** Whole seconds from the ask to this person's own yes or no, half of them at most. */
        p50: count,
      }),
    )
    .max(MOST_ROWS)
    .readonly(),
  /** Those that were asked most first; `-` for a rule of another version. */
  rules: z
    .array(z.object({ rule: z.string().max(256), ...outcomes }))
    .max(MOST_ROWS)
    .readonly(),
  /** By the hour at which they were asked: 24 of them, from midnight on. */
  hours: z.array(z.object(outcomes)).length(24).readonly(),
  /** By the day on which they were asked, the oldest first, days without any among them. */
  days: z
    .array(z.object({ day: z.string().regex(/^\d{4}-\d\d-\d\d$/), ...outcomes }))
    .max(MOST_STATISTICS_DAYS + 2)
    .readonly(),
});
export type Statistics = z.output<typeof statisticsReply>;
