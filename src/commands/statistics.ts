import * as z from 'zod';
import { caughtWords, fetchCanaries, MISSED_WORDS } from '../client/canaries.js';
import { zonedTime } from '../client/shown-time.js';
import { fetchStatistics } from '../client/statistics.js';
import { type CanariesReply, canariesReply } from '../protocol/canary.js';
import { Problem } from '../protocol/problems.js';
import { lengthWords } from '../protocol/rule-words.js';
import {
  MOST_STATISTICS_DAYS,
  type OutcomeCounts,
  STATISTICS_DAYS,
  type Statistics,
  statisticsReply,
} from '../protocol/statistics.js';
import { callAs, openAsApprover, withBroker } from './open-broker.js';
import { exact, print, printJson } from './output.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

/** Columns of the longest bar. */
const BAR = 30;

export const verb = defineVerb({
  help: `
How long people wait for a decision, who decides how much, and what becomes of what is
asked: by rule, by hour of the day and by day. The broker counts the newest 50,000
requests at most, and says from when on. countersign audit report counts the log itself.
If you decided on canaries in 90 days, it tells you, and nobody else, how many you caught.

Usage
  countersign statistics [--days N] [--json]

Flags
  --days N        of the last N days (default ${STATISTICS_DAYS}, at most ${MOST_STATISTICS_DAYS})
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON; waiting times are seconds${BROKER_FLAGS_HELP}

Days and hours go by the zone in which times are shown.

Examples
  countersign statistics
  countersign statistics --days 7
  countersign statistics --days 90 --json | jq '.waits.p90'
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', days: 'text', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    const days = flags.days === undefined ? STATISTICS_DAYS : parseDays(flags.days);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const call = callAs(broker);
      const [statistics, canaries] = await Promise.all([
        fetchStatistics(call, { days, zone }),
        fetchCanaries(call),
      ]);
      if (flags.json) {
        printJson({
          ...z.encode(statisticsReply, statistics),
          canaries: z.encode(canariesReply, canaries),
        });
      } else print(formatStatistics(statistics, canaries));
      return 0;
    });
  },
});

/** Figures as tables, with bars that any terminal can draw. */
export function formatStatistics(statistics: Statistics, canaries: CanariesReply): string {
  const { since, zone, reach, asked, approved, denied, expired, passed, waits } = statistics;
  const counted = `asked since ${zonedTime(since, zone)}${REACH_WORDS[reach]}`;
  const others = asked - approved - denied - expired - passed;
  const parts = [
    `${counted}: ${asked}`,
    `${approved} approved, ${denied} denied, ${expired} expired, ${passed} passed without a signature, ${others} others`,
    waits === null
      ? 'nobody has decided anything'
      : `${waits.decisions} decided: half within ${lengthWords(waits.p50)}, 9 of 10 within ${lengthWords(waits.p90)}, 99 of 100 within ${lengthWords(waits.p99)}`,
  ];
  const own = canariesText(canaries, zone);
  const sections =
    asked === 0
      ? [parts.slice(0, 1).join('\n'), own]
      : [parts.join('\n'), approversTable(statistics), own, ...outcomeTables(statistics)];
  return sections.filter((part) => part !== '').join('\n\n');
}

/** How the reader did on canaries (A33); empty where there were none. */
function canariesText(canaries: CanariesReply, zone: string): string {
  const caught = caughtWords(canaries, zone);
  if (caught === null) return '';
  const { missed, missedCount } = canaries;
  const more = missedCount - missed.length;
  return [
    `canaries: ${caught}`,
    ...(missedCount > 0 ? [MISSED_WORDS] : []),
    ...missed.map(({ id, revealed }) => `${id}  ${zonedTime(revealed, zone)}`),
    ...(more > 0 ? [`and ${more} older`] : []),
  ].join('\n');
}

const REACH_WORDS: Readonly<Record<Statistics['reach'], string>> = {
  days: '',
  search: ', and no further back',
  kept: ', older ones are not kept',
};

function approversTable({ approvers }: Statistics): string {
  if (approvers.length === 0) return '';
  const all = approvers.reduce((sum, { approved, denied }) => sum + approved + denied, 0);
  return formatTable([
    ['APPROVER', 'DECIDED', 'SHARE', 'APPROVED', 'DENIED', 'HALF WITHIN'],
    ...approvers.map(({ name, approved, denied, p50 }) => [
      exact(name),
      String(approved + denied),
      `${Math.round(((approved + denied) / all) * 100)}%`,
      String(approved),
      String(denied),
      lengthWords(p50),
    ]),
  ]);
}

function outcomeTables({ rules, hours, days }: Statistics): readonly string[] {
  const hour = (at: number): string => `${String(at).padStart(2, '0')}:00`;
  return [
    outcomesTable(
      'RULE',
      rules.map(({ rule, ...counts }) => [exact(rule), counts]),
    ),
    outcomesTable(
      'HOUR',
      hours.map((counts, at) => [hour(at), counts]),
    ),
    outcomesTable(
      'DAY',
      days.map(({ day, ...counts }) => [day, counts]),
    ),
  ];
}

function outcomesTable(name: string, rows: readonly (readonly [string, OutcomeCounts])[]): string {
  const most = Math.max(1, ...rows.map(([, { asked }]) => asked));
  return formatTable([
    [name, 'ASKED', 'APPROVED', 'DENIED', 'EXPIRED', ''],
    ...rows.map(([label, { asked, approved, denied, expired }]) => [
      label,
      ...[asked, approved, denied, expired].map(String),
      '#'.repeat(asked === 0 ? 0 : Math.max(1, Math.round((asked / most) * BAR))),
    ]),
  ]);
}

/** @throws Problem `usage` */
function parseDays(text: string): number {
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MOST_STATISTICS_DAYS)
    throw new Problem('usage', `--days is not a number from 1 to ${MOST_STATISTICS_DAYS}`);
  return days;
}
