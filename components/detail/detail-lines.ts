import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { confirmWindow } from '../deciding/confirm-window.js';
import { DIFFERS, standingLine, standingOf } from '../queue/request-standing.js';
import { isShort, NARROW_COLUMNS, panesOf } from '../screen/panes.js';
import { detailLayout } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, openedRequest } from '../state/console-state.js';
import { talkNote } from '../talk/comment-lines.js';
import { talkWindow } from '../talk/talk-lines.js';
import { ageText, leftText } from '../text/clock-text.js';
import { BLANK, cutLine, type Line, lineWidth, markedSpans, span, spreadLine } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import { backgroundLine } from './background-lines.js';
import { hasUnusual } from './background-step.js';
import { detailWindow } from './detail-window.js';
import { examine } from './examination.js';

/** One request in full, and below it what is asked or written about it. */
export function detailLines(state: ConsoleState): readonly Line[] {
  const { head, request, panel } = detailLayout(state);
  return [
    ...inRows(headLines(state), head),
    ...inRows(detailWindow(state, request)?.lines ?? [], request),
    ...inRows([...confirmWindow(state, panel), ...talkWindow(state, panel)], panel),
  ];
}

const inRows = (lines: readonly Line[], rows: number): readonly Line[] =>
  Array.from({ length: rows }, (_, row) => lines[row] ?? BLANK);

/** Where there is less room, the names need it more than the words of the clocks. */
const WIDE = 100;
const MARGIN = span(label`  `);

/** What is unusual, and that approvers have said something. */
function unusualLine(state: ConsoleState, request: RequestView, columns: number): Line {
  const note = talkNote(request);
  const style = { zone: state.display.zone, now: brokerNow(state) };
  if (note.length === 0) return backgroundLine(state.background, { columns, style });
  const room = columns - lineWidth(note) - 2 * lineWidth([MARGIN]);
  return spreadLine(backgroundLine(state.background, { columns: room, style }), [...note, MARGIN], columns);
}

/** What does not scroll away: what is asked in short, how it stands, the clocks, and what is unusual. */
export function headLines(state: ConsoleState): readonly Line[] {
  const opened = openedRequest(state);
  if (opened === null) return [];
  const { request } = opened;
  const { background, identity } = state;
  const columns = panesOf(state).detail;
  const now = brokerNow(state);
  const unusual = unusualLine(state, request, columns);
  const standing =
    examine(request).differences.length > 0
      ? DIFFERS
      : standingLine(standingOf(request, identity.approver, now));
  const { what, who } = subjectOf(request);
  if (columns < NARROW_COLUMNS || isShort(state)) {
    const how = spreadLine([MARGIN, ...standing], [MARGIN, ...leftLine(request, now), MARGIN], columns);
    const whatLine = cutLine([MARGIN, ...what], columns);
    const isUnusual =
      background?.state === 'unknown' || hasUnusual(background) || request.comments.length > 0;
    return isShort(state) ? [whatLine, isUnusual ? unusual : how] : [whatLine, how, unusual];
  }
  const clocks: Line = [
    span(label`asked ${ageText(now - request.submittedAt)} ago`, 'muted'),
    ...(request.state !== 'pending'
      ? []
      : columns >= WIDE
        ? [span(label`   answer within `, 'muted'), clockSpan(request, now)]
        : [span(label`, `, 'muted'), ...leftLine(request, now)]),
  ];
  return [
    spreadLine([MARGIN, ...what], [MARGIN, ...standing, MARGIN], columns),
    spreadLine([MARGIN, ...who], [MARGIN, ...clocks, MARGIN], columns),
    unusual,
  ];
}

function subjectOf(request: RequestView): { readonly what: Line; readonly who: Line } {
  const document = examine(request).bound?.document;
  if (document === undefined) return { what: [span(label`not a valid request document`, 'danger')], who: [] };
  const { action, resource, requester, door } = document;
  const exact = (text: string, tone: 'text' | 'strong' = 'text'): Line =>
    markedSpans(safeText(text, { reading: 'exact' }), tone);
  return {
    what: [...exact(action), span(label` on `, 'muted'), ...exact(resource, 'strong')],
    who: [...exact(requester, 'strong'), span(label` through `, 'muted'), ...exact(door)],
  };
}

const leftLine = (request: RequestView, now: EpochMs): Line =>
  request.state === 'pending' ? [clockSpan(request, now), span(label` left`, 'muted')] : [];

function clockSpan({ alone, answerBy }: RequestView, now: EpochMs): Line[number] {
  const left = (alone?.opensAt ?? answerBy) - now;
  return span(leftText(left), left < 60_000 ? 'warning' : 'strong');
}
