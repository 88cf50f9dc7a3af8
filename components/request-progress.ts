import { shownTime, type TimeStyle } from '../src/client/shown-time.js';
import type { LoneApprovalView, RequestView, VoteView } from '../src/protocol/request-view.js';
import { fieldLines, headingLines } from './field-lines.js';
import { type Line, markedSpans, span } from './line.js';
import { label, safeText } from './safe-text.js';

/** How wide the progress of a request is drawn, and how its times are. */
export interface ProgressPlace {
  readonly columns: number;
  readonly style: TimeStyle;
}

/** What has happened to a request so far and what is missing, and which other requests ask for the same. */
export function requestProgress(
  request: RequestView,
  equalAsks: readonly RequestView[],
  place: ProgressPlace,
): readonly Line[] {
  const { columns } = place;
  const { votes, missing } = request;
  const lines: Line[] = [];
  if (votes.length > 0) {
    lines.push(...headingLines(label`Signed so far`, label`as the broker counts them`, columns));
    for (const vote of votes) lines.push(...voteLines(vote, place));
  }
  if (request.alone !== null) lines.push(...aloneLines(request.alone, place));
  if (request.state === 'pending') {
    lines.push(...headingLines(label`Still missing`, label`by the rule in force`, columns));
    for (const what of missing) {
      lines.push(
        ...fieldLines(label`needs`, markedSpans(safeText(what, { reading: 'prose' })), columns, 'words'),
      );
    }
  }
  if (equalAsks.length > 0) {
    lines.push(
      ...headingLines(
        label`Equal asks`,
        label`${equalAsks.length} more want the same; each is decided by itself`,
        columns,
      ),
    );
    for (const ask of equalAsks) lines.push(...fieldLines(label`also`, equalAskLine(ask, place), columns));
  }
  return lines;
}

function aloneLines({ vote, opensAt, opened }: LoneApprovalView, place: ProgressPlace): readonly Line[] {
  const { columns, style } = place;
  const at = safeText(shownTime(opensAt, style), { reading: 'exact' });
  const words = opened
    ? label`it was let in at ${at}`
    : label`it is let in at ${at} unless somebody denies it`;
  return [
    ...headingLines(
      label`Break-glass`,
      label`the requester lets himself in, nobody else has to sign`,
      columns,
    ),
    ...voteLines(vote, place),
    ...fieldLines(label`then`, [span(words, opened ? 'text' : 'alarm')], columns, 'words'),
  ];
}

function voteLines(
  { approver, verdict, decided, comment }: VoteView,
  { columns, style }: ProgressPlace,
): readonly Line[] {
  const word = verdict === 'approve' ? span(label`approve`, 'accent') : span(label`deny`, 'danger');
  const at = span(label` at ${safeText(shownTime(decided, style), { reading: 'exact' })}`, 'muted');
  const said =
    comment === '' ? [] : [span(label`  `), ...markedSpans(safeText(comment, { reading: 'prose' }))];
  return fieldLines(safeText(approver, { reading: 'exact' }), [word, at, ...said], columns, 'words');
}

function equalAskLine({ id, submitter, submittedAt }: RequestView, { style }: ProgressPlace): Line {
  const exact = (text: string) => safeText(text, { reading: 'exact' });
  return [
    span(exact(id)),
    span(label` by ${exact(submitter)} at ${exact(shownTime(submittedAt, style))}`, 'muted'),
  ];
}
