import { zonedTime } from '../../src/client/shown-time.js';
import type { OutcomeCounts, Statistics } from '../../src/protocol/statistics.js';
import type { Action } from '../keys/key-row.js';
import { NARROW_COLUMNS } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import { statusColumns, windowText } from '../screen/window-text.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { ageText, lengthText } from '../text/clock-text.js';
import { BLANK, cutLine, fitLine, fittingForm, type Line, markedSpans, span } from '../text/line.js';
import { placardLines, wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { canaryLines } from './canary-lines.js';
import { bar, bucketed, sparkline } from './chart.js';
import { countedLines } from './counted-lines.js';
import { heading, MARGIN } from './section.js';
import { PERIODS } from './statistics-state.js';

/** What a row is about: a part of the waits, an outcome. */
const NAME = 14;
const NUMBER = 9;
/** The same beside a chart on a narrow terminal. */
const NARROW_NAME = 9;
const NARROW_NUMBER = 9;

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

/** The window on the figures. */
export function statisticsLines(state: ConsoleState, height: number): readonly Line[] {
  const { top } = state.statistics;
  const lines = allLines(state);
  return lines.length === 0 ? emptyLines(state, height) : lines.slice(top, top + height);
}

/** All figures, one section below the other; none while there are none. */
export function allLines(state: ConsoleState): readonly Line[] {
  const { told, days } = state.statistics;
  if (told === null) return [];
  const { columns } = state.size;
  const canaries = canaryLines(state);
  const period = periodLines(told, days, columns);
  if (told.asked === 0) return canaries.length === 0 ? [] : [...period, ...canaries];
  return [
    ...period,
    ...waitLines(told, columns),
    ...approverLines(told, columns),
    ...canaries,
    ...dayLines(told, columns),
    ...hourLines(told, columns),
    ...ruleLines(told, columns),
  ].map((line) => cutLine(line, columns));
}

/** Which days, and what was asked in them. */
function periodLines(told: Statistics, days: number, columns: number): readonly Line[] {
  const { asked, approved, denied, expired, passed } = told;
  const periods = PERIODS.flatMap(
    (period): Line => [
      span(label`  `),
      span(period === days ? label`[${period}]` : label`${period}`, period === days ? 'strong' : 'muted'),
    ],
  );
  const counted: Line = [
    span(label`${asked} asked`, 'strong'),
    span(
      label`: ${approved} approved, ${denied} denied, ${expired} expired, ${passed} passed without a signature`,
    ),
  ];
  const choice: Line = [span(label`   Days `, 'muted'), ...periods];
  return [
    fittingForm([[...choice, span(label`   ← → changes`, 'muted')], choice], columns),
    ...wrapLine(counted, columns - 2 * MARGIN, 'words').map((line): Line => [span(spaces(MARGIN)), ...line]),
  ];
}

/** From the ask to the signature that decided. */
function waitLines({ waits }: Statistics, columns: number): readonly Line[] {
  const title = heading(label`Waiting`, label`from the ask to the decision`, columns);
  if (waits === null) return [...title, [span(label`   nobody has decided anything`, 'muted')]];
  const { decisions, p50, p90, p99 } = waits;
  const row = (name: SafeText, seconds: number): Line => [
    span(spaces(MARGIN)),
    ...fitLine([span(name, 'muted')], NAME),
    ...fitLine([span(lengthOf(seconds), 'strong')], NUMBER),
    span(bar(seconds, p99, columns - 2 * MARGIN - NAME - NUMBER), 'muted'),
  ];
  return [
    ...title,
    row(label`half of ${decisions}`, p50),
    row(label`9 of 10`, p90),
    row(label`99 of 100`, p99),
  ];
}

const lengthOf = (seconds: number): SafeText => (seconds === 0 ? label`0s` : lengthText(seconds));

/** Who decides how much, and how fast. */
function approverLines({ approvers }: Statistics, columns: number): readonly Line[] {
  if (approvers.length === 0) return [];
  const totals = approvers.map(({ approved, denied }) => approved + denied);
  const all = totals.reduce((sum, total) => sum + total, 0);
  return [
    ...heading(label`Load`, all === 1 ? label`1 signed decision` : label`${all} signed decisions`, columns),
    ...countedLines(
      approvers.map(({ name, denied, p50 }, at) => {
        const total = totals[at] ?? 0;
        const share = label`${Math.round((total / all) * 100)}%`;
        const half = lengthOf(p50);
        return {
          name: exact(name),
          value: total,
          cells: [
            { number: share, words: label`${share} of all` },
            { number: label`${denied}`, words: label`${denied} denied` },
            { number: half, words: label`half in ${half}` },
          ],
        };
      }),
      [label`decided`, label`share`, label`denied`, label`half in`],
      columns,
    ),
  ];
}

/** What became of what was asked, day by day. */
function dayLines({ days }: Statistics, columns: number): readonly Line[] {
  if (days.length < 2) return [];
  const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? ''];
  const asExact = (text: string): SafeText => safeText(text, { reading: 'exact' });
  const note = label`${asExact(first)} to ${asExact(last)}`;
  return [...heading(label`By day`, note, columns), ...outcomeSparklines(days, columns)];
}

/** The same by the hour at which it was asked. */
function hourLines({ hours, zone }: Statistics, columns: number): readonly Line[] {
  const quarter = (text: SafeText): Line => fitLine([span(text, 'muted')], chartWidth(hours, columns) / 4);
  const note = label`0 to 24, ${safeText(zone, { reading: 'exact' })}`;
  return [
    ...heading(label`By hour of the day`, note, columns),
    ...outcomeSparklines(hours, columns),
    [
      span(spaces(MARGIN + chartLead(columns))),
      ...quarter(label`0`),
      ...quarter(label`6`),
      ...quarter(label`12`),
      ...quarter(label`18`),
    ],
  ];
}

const OUTCOMES: readonly (readonly [SafeText, keyof OutcomeCounts])[] = [
  [label`asked`, 'asked'],
  [label`approved`, 'approved'],
  [label`denied`, 'denied'],
  [label`expired`, 'expired'],
];

/** Columns left of a chart: what it counts, and its highest. */
const chartLead = (columns: number): number =>
  columns < NARROW_COLUMNS ? NARROW_NAME + NARROW_NUMBER : NAME + NUMBER;

/** Values in as many columns as there are, one to three each. */
function chartOf(values: readonly number[], columns: number) {
  const room = columns - 2 * MARGIN - chartLead(columns);
  const shown = bucketed(values, room);
  return { shown, each: Math.max(1, Math.min(3, Math.floor(room / shown.length))) };
}

function chartWidth(groups: readonly OutcomeCounts[], columns: number): number {
  const { shown, each } = chartOf(
    groups.map(({ asked }) => asked),
    columns,
  );
  return shown.length * each;
}

/** A row for each outcome, each by its own highest, which is told beside it. */
function outcomeSparklines(groups: readonly OutcomeCounts[], columns: number): readonly Line[] {
  const names = columns < NARROW_COLUMNS ? NARROW_NAME : NAME;
  return OUTCOMES.map(([name, outcome]): Line => {
    const { shown, each } = chartOf(
      groups.map((group) => group[outcome]),
      columns,
    );
    const most = Math.max(...shown);
    return [
      span(spaces(MARGIN)),
      ...fitLine([span(name, 'muted')], names),
      ...fitLine([span(label`max ${most}`, 'muted')], chartLead(columns) - names),
      span(most === 0 ? label`none` : sparkline(shown, each), 'muted'),
    ];
  });
}

/** What became of what was asked, by the rule that was in force for it. */
function ruleLines({ rules }: Statistics, columns: number): readonly Line[] {
  return [
    ...heading(label`By rule`, label``, columns),
    ...countedLines(
      rules.map(({ rule, asked, approved, denied, expired }) => ({
        name: exact(rule),
        value: asked,
        cells: [
          { number: label`${approved}`, words: label`${approved} approved` },
          { number: label`${denied}`, words: label`${denied} denied` },
          { number: label`${expired}`, words: label`${expired} expired` },
        ],
      })),
      [label`asked`, label`approved`, label`denied`, label`expired`],
      columns,
    ),
  ];
}

/** No figures yet, or none at all: what is going on, and what can be done. */
function emptyLines(state: ConsoleState, height: number): readonly Line[] {
  const { columns } = state.size;
  return placardLines(emptyWords(state), columns, height);
}

function emptyWords(state: ConsoleState): readonly Line[] {
  const { failure, told, days } = state.statistics;
  if (failure !== null) return [[span(label`✗ ${failure.message}`, 'danger')], [span(failure.hint)]];
  if (told !== null) {
    return [
      [
        span(
          label`Nothing was asked in the last ${days === 1 ? label`24 hours` : label`${days} days`}.`,
          'strong',
        ),
      ],
      BLANK,
      [span(label`← → counts other days.`, 'muted')],
    ];
  }
  if (!isLiveLink(state))
    return [[span(label`Not connected: the broker counts when it is back.`, 'warning')]];
  return [
    [
      span(
        label`The broker counts the last ${days === 1 ? label`24 hours` : label`${days} days`}…`,
        'strong',
      ),
    ],
  ];
}

/** From when on it was counted, and how old that is. */
export function statisticsStatus(state: ConsoleState): Line {
  const { told, failure, isWaiting } = state.statistics;
  if (told === null || allLines(state).length === 0) return BLANK;
  if (failure !== null) return [span(label`✗ ${failure.message} (g tries again)`, 'danger')];
  if (isWaiting) return [span(label`the broker counts…`, 'muted')];
  const since = zonedTime(told.since, state.display.zone);
  const end = {
    days: label``,
    search: label`, and no further back`,
    kept: label`, older ones are not kept`,
  }[told.reach];
  const age = label`; counted ${ageText(brokerNow(state) - told.until)} ago`;
  const tone = told.reach === 'days' ? 'muted' : 'warning';
  const from = (time: string): Line[number] =>
    span(label`since ${safeText(time, { reading: 'exact' })}${end}`, tone);
  const day = from(since.slice(0, '2026-01-31'.length));
  return fittingForm(
    [[from(since), span(label`${age}, g counts again`, 'muted')], [day, span(age, 'muted')], [day]],
    statusColumns(statisticsPosition(state), state.size.columns),
  );
}

export function statisticsPosition(state: ConsoleState): SafeText {
  const total = allLines(state).length;
  const { top } = state.statistics;
  return windowText({ top, height: bodyRows(state), total }, state.size.columns);
}

export function hiddenInStatistics(state: ConsoleState): readonly Action[] {
  return allLines(state).length <= bodyRows(state) ? ['down', 'up', 'pageDown'] : [];
}
