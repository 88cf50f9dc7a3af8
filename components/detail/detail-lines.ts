import type { RequestView } from '../../src/protocol/request-view.js';
import { confirmWindow } from '../deciding/confirm-window.js';
import { DIFFERS, standingLine, standingOf } from '../queue/request-standing.js';
import { panesOf } from '../screen/panes.js';
import { detailLayout } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, openedRequest } from '../state/console-state.js';
import { talkNote } from '../talk/comment-lines.js';
import { talkWindow } from '../talk/talk-lines.js';
import { ageText, leftText } from '../text/clock-text.js';
import { BLANK, type Line, lineWidth, markedSpans, span, spreadLine } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import { backgroundLine } from './background-lines.js';
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

/** What is unusual, and that approvers have said something. */
function unusualLine(state: ConsoleState, request: RequestView, columns: number): Line {
  const note = talkNote(request);
  const style = { zone: state.display.zone, now: brokerNow(state) };
  if (note.length === 0) return backgroundLine(state.background, { columns, style });
  const margin = span(label`  `);
  const room = columns - lineWidth(note) - 2 * lineWidth([margin]);
  return spreadLine(backgroundLine(state.background, { columns: room, style }), [...note, margin], columns);
}

/** What does not scroll away: what is asked in short, how it stands, the clocks, and what is unusual. */
export function headLines(state: ConsoleState): readonly Line[] {
  const opened = openedRequest(state);
  if (opened === null) return [BLANK, BLANK, BLANK];
  const { request } = opened;
  const columns = panesOf(state).detail;
  const now = brokerNow(state);
  const document = examine(request).bound?.document;
  const exact = (text: string, tone: 'text' | 'strong' = 'text'): Line =>
    markedSpans(safeText(text, { reading: 'exact' }), tone);
  const what: Line =
    document === undefined
      ? [span(label`not a valid request document`, 'danger')]
      : [...exact(document.action), span(label` on `, 'muted'), ...exact(document.resource, 'strong')];
  const who: Line =
    document === undefined
      ? []
      : [...exact(document.requester, 'strong'), span(label` through `, 'muted'), ...exact(document.door)];
  const left = (request.alone?.opensAt ?? request.answerBy) - now;
  const clock = span(leftText(left), left < 60_000 ? 'warning' : 'strong');
  const isWide = columns >= WIDE;
  const clocks: Line = [
    span(label`asked ${ageText(now - request.submittedAt)} ago`, 'muted'),
    ...(request.state !== 'pending'
      ? []
      : isWide
        ? [span(label`   answer within `, 'muted'), clock]
        : [span(label`, `, 'muted'), clock, span(label` left`, 'muted')]),
  ];
  const margin = span(label`  `);
  const standing =
    examine(request).differences.length > 0
      ? DIFFERS
      : standingLine(standingOf(request, state.identity.approver, now));
  return [
    spreadLine([margin, ...what], [margin, ...standing, margin], columns),
    spreadLine([margin, ...who], [margin, ...clocks, margin], columns),
    unusualLine(state, request, columns),
  ];
}
