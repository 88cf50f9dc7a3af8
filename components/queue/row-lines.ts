import type { RequestDocument } from '../../src/protocol/document.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { examine } from '../detail/examination.js';
import type { Tone } from '../screen/theme.js';
import { joinedNotes, talkNote } from '../talk/comment-lines.js';
import { ageText, leftText } from '../text/clock-text.js';
import { BLANK, cutLine, fitLine, type Line, markedSpans, span, spreadLine } from '../text/line.js';
import { label, type Reading, safeText, spaces } from '../text/safe-text.js';
import { nearestClock } from './nearest-clock.js';
import { readingNote } from './readers.js';
import { type RequestRow, shownRequest } from './request-rows.js';
import { DIFFERS, standingLine, standingOf } from './request-standing.js';

/** From here on a row has a column of its own for how the request stands. */
const WIDE = 112;
export const MARKER = 3;
const LEFT = 11;
const AGE = 7;
/** Columns between the marker and the action. */
export const LEAD = LEFT + AGE;
const STATE = 34;
/** Kept free at the right edge, but for a state that needs it. */
const SPARE = 1;

/** Widths of the columns, gaps included. */
export interface RowColumns {
  readonly isWide: boolean;
  readonly action: number;
  readonly resource: number;
  readonly requester: number;
  readonly state: number;
}

/** What every row of one frame has in common. */
export interface RowFrame {
  readonly columns: RowColumns;
  readonly approver: string;
  /** By the broker's clock. */
  readonly now: EpochMs;
  readonly selected: RequestId | null;
}

export function rowColumns(width: number): RowColumns {
  const isWide = width >= WIDE;
  const action = isWide ? 17 : 15;
  const requester = isWide ? 18 : 13;
  const state = isWide ? STATE : 0;
  const resource = width - MARKER - LEAD - action - requester - state - SPARE;
  return { isWide, action, resource, requester, state };
}

export function headingLine(columns: RowColumns): Line {
  const lead = [
    ...fitLine([span(label`Time left`, 'muted')], LEFT),
    ...fitLine([span(label`Age`, 'muted')], AGE),
  ];
  return requestHeading(lead, columns);
}

/** The names of the columns of {@link requestLines}. */
export function requestHeading(lead: Line, { isWide, action, resource, requester }: RowColumns): Line {
  return [
    span(spaces(MARKER)),
    ...fitLine(lead, LEAD),
    ...fitLine([span(label`Action`, 'muted')], action),
    ...fitLine([span(label`Resource`, 'muted')], resource),
    ...fitLine([span(isWide ? label`Requester, door` : label`Requester`, 'muted')], requester),
    span(isWide ? label`State` : label``, 'muted'),
  ];
}

/** The two lines of a row, at its end what approvers said and who reads it. What is cut here stands in full in the request itself. */
export function rowLines(row: RequestRow, readers: readonly Name[], frame: RowFrame): readonly [Line, Line] {
  const request = shownRequest(row, frame.selected);
  const { now, selected } = frame;
  const lead: Line = [
    ...fitLine([leftSpan(request, now)], LEFT),
    ...fitLine([span(ageText(now - request.submittedAt), 'muted')], AGE),
  ];
  const isPending = row.section === 'pending';
  const isAwake = isPending && !row.isSnoozed;
  const tone: Tone = request.id === selected ? 'strong' : isAwake ? 'text' : 'muted';
  const talk = isPending ? talkNote(request) : BLANK;
  const note = joinedNotes([snoozeNote(row), talk, readingNote(readers)]);
  return requestLines(request, { lead, tone, count: row.members.length, note }, frame);
}

/** That a row is left alone for a while. */
export const snoozeNote = ({ isSnoozed }: RequestRow): Line =>
  isSnoozed ? [span(label`snoozed`, 'muted')] : BLANK;

/** What stands in a row beside the request itself. */
interface RowParts {
  readonly lead: Line;
  readonly tone: Tone;
  readonly count: number;
  /** At the end of the second line. */
  readonly note?: Line;
}

/** A request in two lines, behind whatever stands to its left, which takes {@link LEAD} columns. */
export function requestLines(
  request: RequestView,
  { lead, tone, count, note = BLANK }: RowParts,
  { columns, approver, now, selected }: RowFrame,
): readonly [Line, Line] {
  const { bound, differences } = examine(request);
  const standing = differences.length > 0 ? DIFFERS : standingLine(standingOf(request, approver, now));
  const head: Line = [span(request.id === selected ? label` ▸ ` : label`   `, 'accent'), ...lead];
  const second = span(spaces(MARKER + LEAD));
  const rest = columns.action + columns.resource + columns.requester;
  if (bound === null) {
    const words = [span(label`not a valid request document`, 'muted')];
    if (columns.isWide) {
      return [
        [...head, ...fitLine(words, rest), ...cutLine(standing, columns.state + SPARE)],
        [second, ...noted(BLANK, note, rest + columns.state - 2)],
      ];
    }
    return [
      [...head, ...fitLine(words, rest)],
      [second, ...noted(standing, note, rest)],
    ];
  }
  const { document } = bound;
  const first: Line = [
    ...head,
    ...cell(actionLine(document, count, tone), columns.action),
    ...cell(cellText(document.resource, 'exact', tone), columns.resource),
    ...cell(cellText(document.requester, 'exact', tone), columns.requester),
  ];
  if (columns.isWide) {
    return [
      [...first, ...cutLine(standing, columns.state + SPARE)],
      [
        second,
        ...cell(reasonLine(document, tone), columns.action + columns.resource),
        ...noted(cellText(document.door, 'exact', 'muted'), note, columns.requester + columns.state - 2),
      ],
    ];
  }
  const door: Line = [span(label`  `), ...cellText(document.door, 'exact', 'muted'), span(label`  `)];
  return [first, [second, ...noted([...standing, ...door, ...reasonLine(document, tone)], note, rest)]];
}

/** Exactly `width` columns with a note at their end: nothing moves, what stood there is cut. */
export const noted = (line: Line, note: Line, width: number): Line =>
  note.length === 0 ? fitLine(line, width) : spreadLine(line, note, width);

/** A column with a gap of two behind it. */
function cell(line: Line, width: number): Line {
  return [...fitLine(line, width - 2), span(label`  `)];
}

export function cellText(raw: string, reading: Reading, tone: Tone): Line {
  return markedSpans(safeText(raw, { reading }), tone);
}

/** Until the nearest of its clocks is over. */
export function leftSpan(request: RequestView, now: EpochMs): Line[number] {
  const end = nearestClock(request);
  if (end === null) return span(label``);
  const isUrgent = end - now < 60_000;
  return span(leftText(end - now), isUrgent ? 'warning' : request.state === 'pending' ? 'text' : 'muted');
}

export function actionLine({ action }: RequestDocument, count: number, tone: Tone): Line {
  const counter: Line = count > 1 ? [span(label`×${count} `, 'accent')] : [];
  return [...counter, ...cellText(action, 'exact', tone)];
}

export function reasonLine({ context }: RequestDocument, tone: Tone): Line {
  const { reason } = context;
  if (typeof reason !== 'string' || reason === '') return [span(label`no reason given`, 'muted')];
  return cellText(reason, 'prose', tone === 'strong' ? 'text' : tone);
}
