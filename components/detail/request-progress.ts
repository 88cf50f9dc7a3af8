import { shownTime, type TimeStyle } from '../../src/client/shown-time.js';
import { grantOver, isGrant, worthOf } from '../../src/protocol/grant.js';
import {
  isLive,
  isRevocable,
  type LoneApprovalView,
  type RequestView,
  type VoteView,
} from '../../src/protocol/request-view.js';
import { coverWords, revocationWords } from '../../src/protocol/rule-words.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { canaryLines } from './canary-lines.js';

/** How wide the progress of a request is drawn, and how its times are. */
export interface ProgressPlace {
  readonly columns: number;
  readonly style: TimeStyle;
  /** Whether it is to be read only: no key does anything to it. */
  readonly isRecord: boolean;
}

/** What has happened to a request so far and what is missing, and which other requests ask for the same. */
export function requestProgress(
  request: RequestView,
  equalAsks: readonly RequestView[],
  place: ProgressPlace,
): readonly Line[] {
  const { columns } = place;
  const { votes } = request;
  const lines: Line[] = [...missingLines(request, columns), ...canaryLines(request, place)];
  if (votes.length > 0) {
    lines.push(...headingLines(label`Signed so far`, label`as the broker counts them`, columns));
    for (const vote of votes) lines.push(...voteLines(vote, place));
  }
  lines.push(...grantLines(request, place));
  if (request.alone !== null) lines.push(...aloneLines(request.alone, place));
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

/** Stands below the rule, without a heading of its own: it is what the rule comes to now. */
function missingLines({ state, missing }: RequestView, columns: number): readonly Line[] {
  if (state !== 'pending') return [];
  return missing.flatMap((what) =>
    fieldLines(label`needs`, markedSpans(safeText(what, { reading: 'prose' })), columns, 'words'),
  );
}

/** What a grant covers and what is left, under which one this passed, and what taking it back would end (A27). */
function grantLines(request: RequestView, { columns, style, isRecord }: ProgressPlace): readonly Line[] {
  const revoking = revocationWords(request);
  if (revoking === null) return [];
  const field = (name: SafeText, text: string): readonly Line[] =>
    fieldLines(name, markedSpans(safeText(text, { reading: 'prose' })), columns, 'words');
  const canRevoke = isRevocable(request) && !isRecord;
  const until = grantOver(request) ?? request.claimBy;
  return [
    ...(canRevoke
      ? headingLines(label`What it covers`, label`and what R would end`, columns)
      : headingLines(
          isLive(request.state) ? label`What it covers` : label`What it covered`,
          label``,
          columns,
        )),
    ...field(label`covers`, coverWords(worthOf(request.votes))),
    ...(request.grant === null ? [] : field(label`under`, `the grant ${request.grant}`)),
    ...(isGrant(request) ? field(label`used`, `${request.uses} times`) : []),
    ...(isGrant(request) && until !== null && isLive(request.state)
      ? field(label`until`, shownTime(until, style))
      : []),
    ...(canRevoke ? field(label`revoking`, revoking) : []),
  ];
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
