import { shownTime } from '../../src/client/shown-time.js';
import { buttonSpan, buttonsLine } from '../screen/button.js';
import { panesOf } from '../screen/panes.js';
import type { Tone } from '../screen/theme.js';
import { brokerNow, type ConsoleState, isSettled, openedRequest } from '../state/console-state.js';
import { BLANK, cutLine, type Line, markedSpans, span, spreadLine } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { writtenLines } from '../text/written-lines.js';
import type { CommentPanel, EscalationPanel, TalkPanel } from './talk-state.js';

/** Rows of a comment that are on the screen at once, those around the caret. */
const TEXT_ROWS = 4;
const MARGIN = 3;
/** On a terminal with fewer rows everything that can do with less gets less. */
const ROOMY_ROWS = 20;

/** The panel below the opened request; no lines where there is none. */
export function talkLines(state: ConsoleState): readonly Line[] {
  const { talk } = state;
  if (talk === null) return [];
  const { detail: columns } = panesOf(state);
  const isRoomy = state.size.rows >= ROOMY_ROWS;
  const title = talk.kind === 'comment' ? label`Comment` : label`Ring everybody?`;
  return [
    titleLine(title, columns),
    ...(talk.kind === 'comment'
      ? commentLines(talk, columns, isRoomy)
      : escalationLines(state, talk, columns, isRoomy)),
    ...stateLines(talk, columns),
    talk.kind === 'comment' ? sayLine(talk, columns) : buttonLine(state, talk, columns),
  ];
}

/** The same in so many rows; where it does not fit, its end stays: what is written, and the buttons. */
export function talkWindow(state: ConsoleState, height: number): readonly Line[] {
  const lines = talkLines(state);
  return lines.slice(Math.max(0, lines.length - height));
}

function commentLines({ text, isSending }: CommentPanel, columns: number, isRoomy: boolean): readonly Line[] {
  const written = writtenLines(text, {
    columns: columns - MARGIN - 2,
    rows: isRoomy ? TEXT_ROWS : 2,
    reading: 'prose',
    hasCaret: !isSending,
  });
  const who = paragraph(
    [span(label`To the other approvers. Not signed, and who asked is not told.`, 'muted')],
    columns,
  );
  return isRoomy ? [...who, BLANK, ...indented(written), BLANK] : [...who, ...indented(written)];
}

function escalationLines(
  state: ConsoleState,
  _talk: EscalationPanel,
  columns: number,
  isRoomy: boolean,
): readonly Line[] {
  const request = openedRequest(state)?.request;
  if (request === undefined) return [];
  const { action, resource, requester } = request.document;
  const exact = (text: string, tone: Tone = 'text'): Line =>
    markedSpans(safeText(text, { reading: 'exact' }), tone);
  const what: Line = [
    span(label`for `, 'muted'),
    ...exact(action),
    span(label` on `, 'muted'),
    ...exact(resource, 'strong'),
    span(label` of `, 'muted'),
    ...exact(requester, 'strong'),
  ];
  const rung = span(
    label`All who could sign are rung now, whatever order the rule has, on consoles and by the notification command. Recorded under your name.`,
  );
  const style = { zone: state.display.zone, now: brokerNow(state) };
  const { escalated } = request;
  const before: readonly Line[] =
    escalated === null
      ? []
      : paragraph(
          [
            ...exact(escalated.by),
            span(
              label` has had everybody rung at ${safeText(shownTime(escalated.at, style), { reading: 'exact' })}`,
              'warning',
            ),
          ],
          columns,
        );
  return [
    ...indented([cutLine(what, columns - MARGIN - 2)]),
    ...paragraph([rung], columns),
    ...before,
    ...(isRoomy ? [BLANK] : []),
  ];
}

function stateLines({ kind, isSending, failure }: TalkPanel, columns: number): readonly Line[] {
  if (isSending) return paragraph([span(label`Telling the broker…`, 'accent')], columns);
  if (failure === null) return [];
  const what = kind === 'comment' ? label`✗ Not said: ` : label`✗ Nobody was rung: `;
  return [
    ...paragraph([span(what, 'danger'), span(failure.message, 'danger')], columns),
    ...paragraph([span(failure.hint)], columns),
  ];
}

function sayLine({ text, isSending }: CommentPanel, columns: number): Line {
  if (isSending) return BLANK;
  const means = text.text.trim() === '' ? label`Esc leaves it` : label`Enter says it, Esc leaves it`;
  return spreadLine([], [span(means, 'muted'), span(spaces(2))], columns);
}

function buttonLine(state: ConsoleState, { focused, isSending }: EscalationPanel, columns: number): Line {
  if (isSending) return BLANK;
  const means = !isSettled(state)
    ? label`…`
    : focused === 'cancel'
      ? label`Enter cancels`
      : label`Enter rings them all`;
  const buttons = [
    buttonSpan(label`Cancel`, focused === 'cancel'),
    buttonSpan(label`Ring`, focused === 'ring'),
  ];
  return buttonsLine(buttons, means, columns);
}

function titleLine(title: SafeText, columns: number): Line {
  const left: Line = [span(label`── `, 'accent'), span(title, 'strong'), span(label` `)];
  return [...left, span(repeatText(label`─`, columns - title.length - 4), 'accent')];
}

const paragraph = (line: Line, columns: number): readonly Line[] =>
  indented(wrapLine(line, columns - MARGIN - 2, 'words'));

const indented = (lines: readonly Line[]): readonly Line[] =>
  lines.map((line) => [span(spaces(MARGIN)), ...line]);
