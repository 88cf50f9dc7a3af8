import { shownTime, type TimeStyle } from '../../src/client/shown-time.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { BLANK, type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

const time = (at: number, style: TimeStyle): SafeText => safeText(shownTime(at, style), { reading: 'exact' });

/** What approvers said about a request: below all that must be read, where it moves nothing by coming late. */
export function commentLines(
  { comments, escalated }: RequestView,
  { columns, style }: { readonly columns: number; readonly style: TimeStyle },
): readonly Line[] {
  const said = comments.flatMap(({ by, at, text }) =>
    fieldLines(
      safeText(by, { reading: 'exact' }),
      [...markedSpans(safeText(text, { reading: 'prose' })), span(label`  at ${time(at, style)}`, 'muted')],
      columns,
      'words',
    ),
  );
  const rung =
    escalated === null
      ? []
      : fieldLines(
          safeText(escalated.by, { reading: 'exact' }),
          [
            span(label`had everybody rung`, 'warning'),
            span(label` at ${time(escalated.at, style)}`, 'muted'),
          ],
          columns,
          'words',
        );
  if (said.length + rung.length === 0) return [];
  return [
    ...headingLines(
      label`Comments`,
      label`of approvers to each other: not signed, the broker's word`,
      columns,
    ),
    ...said,
    ...rung,
  ];
}

/** That something was said or that all were rung, for a row and for the head of a request; empty where nothing was. */
export function talkNote({ comments, escalated }: RequestView): Line {
  const count = comments.length;
  return joinedNotes([
    escalated === null ? BLANK : [span(label`all rung`, 'warning')],
    count === 0 ? BLANK : [span(count === 1 ? label`1 comment` : label`${count} comments`, 'accent')],
  ]);
}

/** The same where there is little room. */
export function shortTalkNote({ comments, escalated }: RequestView): Line {
  return joinedNotes([
    escalated === null ? BLANK : [span(label`rung`, 'warning')],
    comments.length === 0 ? BLANK : [span(label`${comments.length} said`, 'accent')],
  ]);
}

/** Several notes beside each other. */
export function joinedNotes(notes: readonly Line[]): Line {
  return notes
    .filter((note) => note.length > 0)
    .flatMap((note, at) => (at === 0 ? note : [span(label` · `, 'muted'), ...note]));
}
