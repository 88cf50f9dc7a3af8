import type { RequestView, VoteView } from '../src/protocol/request-view.js';
import { formatTime } from '../src/protocol/time.js';
import { fieldLines, headingLines } from './field-lines.js';
import { type Line, markedSpans, span } from './line.js';
import { label, safeText } from './safe-text.js';

/** What has happened to a request so far and what is missing, and which other requests ask for the same. */
export function requestProgress(
  request: RequestView,
  equalAsks: readonly RequestView[],
  columns: number,
): readonly Line[] {
  const { votes, missing } = request;
  const lines: Line[] = [];
  if (votes.length > 0) {
    lines.push(...headingLines(label`Signed so far`, label`as the broker counts them`, columns));
    for (const vote of votes) lines.push(...voteLines(vote, columns));
  }
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
    for (const ask of equalAsks) lines.push(...fieldLines(label`also`, equalAskLine(ask), columns));
  }
  return lines;
}

function voteLines({ approver, verdict, decided, comment }: VoteView, columns: number): readonly Line[] {
  const word = verdict === 'approve' ? span(label`approve`, 'accent') : span(label`deny`, 'danger');
  const at = span(label` at ${safeText(formatTime(decided), { reading: 'exact' })}`, 'muted');
  const said =
    comment === '' ? [] : [span(label`  `), ...markedSpans(safeText(comment, { reading: 'prose' }))];
  return fieldLines(safeText(approver, { reading: 'exact' }), [word, at, ...said], columns, 'words');
}

function equalAskLine({ id, submitter, submittedAt }: RequestView): Line {
  const exact = (text: string) => safeText(text, { reading: 'exact' });
  return [
    span(exact(id)),
    span(label` by ${exact(submitter)} at ${exact(formatTime(submittedAt))}`, 'muted'),
  ];
}
