import { Box } from 'ink';
import type { ReactElement } from 'react';
import { ConfirmDialog } from '../deciding/confirm-dialog.js';
import { standingLine, standingOf } from '../queue/request-standing.js';
import { panesOf } from '../screen/panes.js';
import { SafeLines } from '../screen/safe-line.js';
import { detailLayout } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, openedRequest } from '../state/console-state.js';
import { ageText, leftText } from '../text/clock-text.js';
import { BLANK, type Line, markedSpans, span, spreadLine } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import { backgroundLine } from './background-lines.js';
import { detailWindow } from './detail-window.js';
import { examine } from './examination.js';

/** One request in full, and below it the confirm step if one is open. */
export function DetailScreen({
  state,
  height,
}: {
  readonly state: ConsoleState;
  readonly height: number;
}): ReactElement {
  const layout = detailLayout(state);
  return (
    <Box flexDirection="column" height={height} flexShrink={0} overflow="hidden">
      <SafeLines lines={headLines(state)} height={layout.head} />
      <SafeLines lines={detailWindow(state, layout.request)?.lines ?? []} height={layout.request} />
      <ConfirmDialog state={state} height={layout.confirm} />
    </Box>
  );
}

/** What does not scroll away: what is asked in short, how it stands, the clocks, and what is unusual. */
function headLines(state: ConsoleState): readonly Line[] {
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
  const clocks: Line = [
    span(label`asked ${ageText(now - request.submittedAt)} ago`, 'muted'),
    ...(request.state === 'pending'
      ? [span(label`   answer within `, 'muted'), span(leftText(left), left < 60_000 ? 'warning' : 'strong')]
      : []),
  ];
  const margin = span(label`  `);
  const standing = standingLine(standingOf(request, state.identity.approver, now));
  return [
    spreadLine([margin, ...what], [margin, ...standing, margin], columns),
    spreadLine([margin, ...who], [margin, ...clocks, margin], columns),
    backgroundLine(state.background, { columns, style: { zone: state.display.zone, now } }),
  ];
}
