import { Reporter } from '../../../broker/audit/report.js';
import { figuresOf, grouped, peopleOf, type Waits } from '../../../broker/audit/report-figures.js';
import { FIGURES, type Table, tableOf, VIEWS, type View } from '../../../broker/audit/report-tables.js';
import { lastBefore, readEvents } from '../../client/event-pages.js';
import { zonedTime } from '../../client/shown-time.js';
import { parseMoment } from '../../protocol/filter-text.js';
import { Problem } from '../../protocol/problems.js';
import { type EpochMs, formatTime } from '../../protocol/time.js';
import { formatCsv } from '../csv.js';
import { openAsApprover, withBroker } from '../open-broker.js';
import { exact, print, printJson, prose } from '../output.js';
import { formatTable } from '../text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from '../verb.js';

const FORMATS = ['table', 'csv', 'json'] as const;
const DEFAULT_SINCE = '30d';

export const reportVerb = defineVerb({
  help: `
Report on what was asked in a period: who approved what, how long people waited, what was
denied, what its requester opened alone. What was asked in the period counts, and what was
decided about it later. Needs a key that is enrolled as an approver's.

Usage
  countersign audit report [--since TIME] [--until TIME] [--by WHAT] [--format FORM]

Flags
  --since TIME    ${DEFAULT_SINCE} (default), 12h, 2026-11-01, 2026-11-01T08:00:00Z
  --until TIME    until then (default: now); a day is a day of UTC, to its end
  --by WHAT       one of decision request person rule door resource requester
                  (default: figures of all, of each person and of each rule)
  --format FORM   table (default), csv or json; csv is by decision unless told
                  otherwise; waiting times are seconds
  --key FILE      sign in with this key (COUNTERSIGN_KEY)${BROKER_FLAGS_HELP}

Examples
  countersign audit report
  countersign audit report --since 2026-10-01 --until 2026-10-31 --by person
  countersign audit report --since 90d --format csv > decisions.csv
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, since: 'text', until: 'text', by: 'text', format: 'text', key: 'text' },
  async run({ flags, env, display: { zone } }) {
    const format = oneOf('--format', FORMATS, flags.format ?? 'table');
    const by = flags.by === undefined ? null : oneOf('--by', VIEWS, flags.by);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const now = broker.clock.now();
      const since = timeOf('since', flags.since ?? DEFAULT_SINCE, now);
      const until = flags.until === undefined ? now : timeOf('until', flags.until, now);
      if (since >= until) throw new Problem('usage', '--since is not before --until');
      const reporter = new Reporter(since, until);
      const after = await lastBefore(broker, since);
      for await (const entry of readEvents(broker, { after })) reporter.add(entry);
      const report = reporter.report();
      if (format === 'json') {
        const tables = by === null ? allOf(report) : [[by, tableOf(report, by)] as const];
        printJson({
          since: formatTime(since),
          until: formatTime(until),
          figures: figuresOf(report.requests),
          ...Object.fromEntries(tables.map(([view, table]) => [view, records(table)])),
        });
      } else if (format === 'csv') {
        const { head, rows } = tableOf(report, by ?? 'decision');
        process.stdout.write(formatCsv([head, ...rows]));
      } else if (by !== null) {
        print(shown(tableOf(report, by)));
      } else {
        const period = `asked from ${zonedTime(since, zone)} until ${zonedTime(until, zone)}`;
        const figures = figuresOf(report.requests);
        const counts = FIGURES.filter(([, field]) => figures[field] > 0)
          .map(([name, field]) => `${figures[field]} ${name}`)
          .join(', ');
        const parts = [`${period}: ${counts || 'nothing'}`, ...waited(figures.waits)];
        if (peopleOf(report).length > 0) parts.push('', shown(tableOf(report, 'person')));
        if (grouped(report.requests, ({ rule }) => rule).length > 0)
          parts.push('', shown(tableOf(report, 'rule')));
        print(parts.join('\n'));
      }
      return 0;
    });
  },
});

const allOf = (report: Parameters<typeof tableOf>[0]): readonly (readonly [View, Table])[] =>
  VIEWS.map((view) => [view, tableOf(report, view)]);

/** What requesters wrote is marked where it could deceive; comments and nothing else may hold spaces. */
function shown(table: Table): string {
  const { head, rows } = withoutNoughts(table);
  const comment = head.indexOf('comment');
  return formatTable([
    head.map((name) => name.toUpperCase()),
    ...rows.map((row) => row.map((cell, column) => (column === comment ? prose(cell) : exact(cell)))),
  ]);
}

/** Columns in which every figure is nought say nothing. */
function withoutNoughts({ head, rows }: Table): Table {
  const kept = head.flatMap((_, column) => (rows.some((row) => row[column] !== '0') ? [column] : []));
  const pick = (row: readonly string[]): readonly string[] => kept.map((column) => row[column] ?? '');
  return { head: pick(head), rows: rows.map(pick) };
}

const records = ({ head, rows }: Table): readonly object[] =>
  rows.map((row) => Object.fromEntries(head.map((name, column) => [name, row[column]])));

function waited(waits: Waits | null): readonly string[] {
  if (waits === null) return [];
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  const { median, p90, longest } = waits;
  return [
    `answered after ${seconds(median)} at the median, ${seconds(p90)} for nine of ten, ${seconds(longest)} at most`,
  ];
}

/** @throws Problem `usage` */
function timeOf(key: 'since' | 'until', text: string, now: EpochMs): EpochMs {
  const time = parseMoment(text, now, key === 'until');
  if (time === null)
    throw new Problem('usage', `--${key} is not a time like 7d, 2026-11-01 or 2026-11-01T08:00:00Z`);
  return time;
}

/** @throws Problem `usage` */
function oneOf<const Value extends string>(flag: string, values: readonly Value[], given: string): Value {
  const known = values.find((value) => value === given);
  if (known === undefined) throw new Problem('usage', `${flag} is one of ${values.join(', ')}`);
  return known;
}
