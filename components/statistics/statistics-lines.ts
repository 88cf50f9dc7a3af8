import { zonedTime } from '../../src/client/shown-time.js';
import type { OutcomeCounts, Statistics } from '../../src/protocol/statistics.js';
import type { Action } from '../keys/key-table.js';
import { bodyRows } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { ageText, lengthText } from '../text/clock-text.js';
import { BLANK, cutLine, fitLine, type Line, markedSpans, span } from '../text/line.js';
import { placardLines, wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { canaryLines } from './canary-lines.js';
import { bar, bucketed, sparkline } from './chart.js';
import { heading, MARGIN } from './section.js';
import { PERIODS } from './statistics-state.js';

/** What a row is about: an approver, a rule, an outcome. */
const NAME = 14;
const WIDE_NAME = 24;
const NUMBER = 9;
/** From here on there is room for wide names. */
const WIDE = 100;

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
const nameColumns = (columns: number): number => (columns >= WIDE ? WIDE_NAME : NAME);

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
  return [
    [span(label`   Days `, 'muted'), ...periods, span(label`   ← → changes`, 'muted')],
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
    span(bar(seconds, p99, columns - 2 * MARGIN - NAME - NUMBER)),
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
  const most = Math.max(...totals);
  const names = nameColumns(columns);
  const rest = columns - 2 * MARGIN - names - 4 * NUMBER;
  return [
    ...heading(label`Load`, all === 1 ? label`1 signed decision` : label`${all} signed decisions`, columns),
    columnNames(names, [label`decided`, label`share`, label`denied`, label`half in`]),
    ...approvers.map(({ name, denied, p50 }, at): Line => {
      const total = totals[at] ?? 0;
      return [
        ...nameCell(exact(name), names),
        ...numbers([total, label`${Math.round((total / all) * 100)}%`, denied, lengthOf(p50)]),
        span(bar(total, most, rest)),
      ];
    }),
  ];
}

/** What became of what was asked, day by day. */
function dayLines({ days }: Statistics, columns: number): readonly Line[] {
  if (days.length < 2) return [];
  const room = columns - 2 * MARGIN - NAME - NUMBER;
  const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? ''];
  const asExact = (text: string): SafeText => safeText(text, { reading: 'exact' });
  const note = label`${asExact(first)} to ${asExact(last)}`;
  return [...heading(label`By day`, note, columns), ...outcomeSparklines(days, room)];
}

/** The same by the hour at which it was asked. */
function hourLines({ hours, zone }: Statistics, columns: number): readonly Line[] {
  const room = columns - 2 * MARGIN - NAME - NUMBER;
  const each = Math.max(1, Math.min(3, Math.floor(room / hours.length)));
  const quarter = (text: SafeText): Line => fitLine([span(text, 'muted')], 6 * each);
  const note = label`0 to 24, ${safeText(zone, { reading: 'exact' })}`;
  return [
    ...heading(label`By hour of the day`, note, columns),
    ...outcomeSparklines(hours, room),
    [
      span(spaces(MARGIN + NAME + NUMBER)),
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

/** A row for each outcome, each by its own highest, which is told beside it. */
function outcomeSparklines(groups: readonly OutcomeCounts[], room: number): readonly Line[] {
  return OUTCOMES.map(([name, outcome]): Line => {
    const values = bucketed(
      groups.map((group) => group[outcome]),
      room,
    );
    const most = Math.max(...values);
    const each = Math.max(1, Math.min(3, Math.floor(room / values.length)));
    return [
      span(spaces(MARGIN)),
      ...fitLine([span(name, 'muted')], NAME),
      ...fitLine([span(label`≤ ${most}`, 'muted')], NUMBER),
      span(most === 0 ? label`none` : sparkline(values, each), most === 0 ? 'muted' : 'text'),
    ];
  });
}

/** What became of what was asked, by the rule that was in force for it. */
function ruleLines({ rules }: Statistics, columns: number): readonly Line[] {
  const most = Math.max(...rules.map(({ asked }) => asked));
  const names = nameColumns(columns);
  const rest = columns - 2 * MARGIN - names - 4 * NUMBER;
  return [
    ...heading(label`By rule`, label``, columns),
    columnNames(names, [label`asked`, label`approved`, label`denied`, label`expired`]),
    ...rules.map(
      ({ rule, asked, approved, denied, expired }): Line => [
        ...nameCell(exact(rule), names),
        ...numbers([asked, approved, denied, expired]),
        span(bar(asked, most, rest)),
      ],
    ),
  ];
}

const nameCell = (name: Line, columns: number): Line => [
  span(spaces(MARGIN)),
  ...fitLine(fitLine(name, columns - 1), columns),
];

const numbers = (cells: readonly (number | SafeText)[]): Line =>
  cells.flatMap((cell) => fitLine([span(label`${cell}`)], NUMBER));

const columnNames = (names: number, columns: readonly SafeText[]): Line => [
  span(spaces(MARGIN + names)),
  ...columns.flatMap((name) => fitLine([span(name, 'muted')], NUMBER)),
];

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
  const since = safeText(zonedTime(told.since, state.display.zone), { reading: 'exact' });
  const end = {
    days: label``,
    search: label`, and no further back`,
    kept: label`, older ones are not kept`,
  }[told.reach];
  const age = label`counted ${ageText(brokerNow(state) - told.until)} ago`;
  const tone = told.reach === 'days' ? 'muted' : 'warning';
  return [span(label`since ${since}${end}`, tone), span(label`; ${age}, g counts again`, 'muted')];
}

export function statisticsPosition(state: ConsoleState): SafeText {
  const total = allLines(state).length;
  const height = bodyRows(state);
  const { top } = state.statistics;
  return total <= height ? label`` : label`lines ${top + 1}–${Math.min(total, top + height)} of ${total}`;
}

export function hiddenInStatistics(state: ConsoleState): readonly Action[] {
  return allLines(state).length <= bodyRows(state) ? ['down', 'up', 'pageDown'] : [];
}
