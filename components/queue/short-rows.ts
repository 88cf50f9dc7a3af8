import type { Name } from '../../src/protocol/names.js';
import { isLive, type RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { examine } from '../detail/examination.js';
import type { Tone } from '../screen/theme.js';
import { joinedNotes, shortTalkNote } from '../talk/comment-lines.js';
import { ageText } from '../text/clock-text.js';
import { BLANK, cutLine, fitLine, type Line, markedSpans, piecesLine, span } from '../text/line.js';
import { label, type SafeText, spaces } from '../text/safe-text.js';
import { readingNote } from './readers.js';
import { type RequestRow, shownRequest } from './request-rows.js';
import { DIFFERS, standingLine, standingOf } from './request-standing.js';
import { actionLine, cellText, leftSpan, noted, type RowFrame, reasonLine, snoozeNote } from './row-lines.js';

const MARKER = 3;
const LEFT = 8;
/** Kept free at the right edge. */
const SPARE = 1;
const GAP = span(label`  `);

/** What every short row of one frame has in common. */
export interface ShortRowFrame extends Omit<RowFrame, 'columns'> {
  readonly width: number;
  /** Lines of a row. */
  readonly lines: 1 | 2;
}

export const shortHeading = (width: number): Line =>
  cutLine([span(label`   Time left, action, resource`, 'muted')], width);

/**
 * A row of the queue without columns: what is asked and, in a second line, by whom, how it stands if it does anything but wait, and
 * why. What is cut here stands in full in the request itself.
 */
export function shortLines(row: RequestRow, readers: readonly Name[], frame: ShortRowFrame): readonly Line[] {
  const { now, selected, approver, width, lines } = frame;
  const request = shownRequest(row, selected);
  const isSelected = request.id === selected;
  const isPending = row.section === 'pending';
  const tone: Tone = isSelected ? 'strong' : isPending && !row.isSnoozed ? 'text' : 'muted';
  const clock = isLive(request.state)
    ? leftSpan(request, now)
    : span(ageText(now - request.submittedAt), 'muted');
  const head: Line = [span(isSelected ? label` ▸ ` : label`   `, 'accent'), ...fitLine([clock], LEFT)];
  const rest = width - MARKER - LEFT - SPARE;
  const talk = isPending ? shortTalkNote(request) : BLANK;
  const note = joinedNotes([snoozeNote(row), talk, readingNote(readers)]);
  const what = whatLine(request, row.members.length, tone);
  const who = whoLine(request, tone);
  if (lines === 1) {
    const symbol = symbolLine(request, approver, now);
    return [[...head, ...noted([...symbol, ...what, GAP, ...who], note, rest)]];
  }
  const why = whyLine(request, approver, now, tone);
  return [
    [...head, ...cutLine(what, rest)],
    [span(spaces(MARKER + LEFT)), ...noted([...who, GAP, ...why], note, rest)],
  ];
}

/** A request of the past on a narrow terminal: how it ended and what was asked, then when, by whom, and the end in words. */
export function pastLines(
  request: RequestView,
  asked: SafeText,
  { approver, now, selected, width }: Omit<ShortRowFrame, 'lines'>,
): readonly [Line, Line] {
  const isSelected = request.id === selected;
  const tone: Tone = isSelected ? 'strong' : 'text';
  const { bound, differences } = examine(request);
  const standing = standingOf(request, approver, now);
  const how = differences.length > 0 ? DIFFERS : markedSpans(standing.words, standing.tone);
  const why = bound === null ? BLANK : reasonLine(bound.document, tone);
  return [
    [
      span(isSelected ? label` ▸ ` : label`   `, 'accent'),
      ...cutLine(
        [...symbolLine(request, approver, now), ...whatLine(request, 1, tone)],
        width - MARKER - SPARE,
      ),
    ],
    [
      span(spaces(MARKER)),
      ...piecesLine([[span(asked, 'muted')], whoLine(request, tone), how, why], width - MARKER - SPARE),
    ],
  ];
}

/** What rows of one line leave out of the one under the cursor. */
export function shortStatus(request: RequestView, approver: string, now: EpochMs): Line {
  return [...whoLine(request, 'text'), GAP, ...whyLine(request, approver, now, 'text')];
}

function whatLine(request: RequestView, count: number, tone: Tone): Line {
  const { bound } = examine(request);
  if (bound === null) return [span(label`not a valid request document`, 'danger')];
  return [
    ...actionLine(bound.document, count, tone),
    GAP,
    ...cellText(bound.document.resource, 'exact', tone),
  ];
}

function whoLine(request: RequestView, tone: Tone): Line {
  const { bound } = examine(request);
  return bound === null ? BLANK : cellText(bound.document.requester, 'exact', tone);
}

function symbolLine(request: RequestView, approver: string, now: EpochMs): Line {
  if (examine(request).differences.length > 0) return [span(label`▲ `, 'alarm')];
  const { symbol, tone } = standingOf(request, approver, now);
  return [span(label`${symbol} `, tone)];
}

/** How it stands, if that is anything but that it waits, then the reason that was given. */
function whyLine(request: RequestView, approver: string, now: EpochMs, tone: Tone): Line {
  const { bound, differences } = examine(request);
  if (differences.length > 0) return DIFFERS;
  const standing = standingOf(request, approver, now);
  const how: Line = standing.isUsual ? BLANK : [...standingLine(standing), GAP];
  return bound === null ? how : [...how, ...reasonLine(bound.document, tone)];
}
