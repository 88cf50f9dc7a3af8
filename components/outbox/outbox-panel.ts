import { zonedTime } from '../../src/client/shown-time.js';
import { buttonSpan, buttonsLine, meaningBelow } from '../screen/button.js';
import { bodyRows } from '../screen/screen-layout.js';
import type { Tone } from '../screen/theme.js';
import { type ConsoleState, isSettled } from '../state/console-state.js';
import { BLANK, type Line, markedSpans, type Span, span } from '../text/line.js';
import { firstRows, wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { selectedLetter } from './outbox-state.js';

const MARGIN = 3;
/** Rows of a letter. */
export const LETTER_ROWS = 2;
/** The rule over the letters. */
export const RULE_ROWS = 1;
/** Why the selected letter was given up, at most so much of it. */
const PANEL_ROWS = 5;
/** What is dropped may have a long name: so many rows are enough to know it. */
const WORDS_ROWS = 2;

const exact = (text: string, tone: Tone = 'text'): Line =>
  markedSpans(safeText(text, { reading: 'exact' }), tone);

/** Rows below the letters: none where there is no letter to tell of, and on a short terminal what one letter leaves. */
export const panelRows = (state: ConsoleState): number =>
  selectedLetter(state.outbox) === null ? 0 : Math.min(PANEL_ROWS, bodyRows(state) - RULE_ROWS - LETTER_ROWS);

/** Below the letters, in at most so many rows: why the selected one was given up, or the step before it is dropped. */
export function panelLines(state: ConsoleState, height: number): readonly Line[] {
  const { outbox, size, display } = state;
  if (outbox.dropping !== null) return droppingLines(state, height);
  const letter = selectedLetter(outbox);
  if (letter === null) return [];
  const written = safeText(zonedTime(letter.at, display.zone), { reading: 'exact' });
  const why: Line = [
    ...markedSpans(safeText(letter.error, { reading: 'prose' })),
    span(label`  (written at ${written})`, 'muted'),
  ];
  const rows = Math.min(panelRows(state), height) - 1;
  return [titleLine(label`── Why `, size.columns), ...paragraph(why, size.columns, rows)];
}

/** It may take all rows, but for what leaves room for the buttons: what is dropped stands here too. */
function droppingLines(state: ConsoleState, height: number): readonly Line[] {
  const { dropping } = state.outbox;
  if (dropping === null) return [];
  const { columns } = state.size;
  const { letter } = dropping;
  const what: Line = [
    ...exact(letter.sink, 'strong'),
    span(label` is never sent `),
    ...exact(letter.kind, 'strong'),
    span(label` (event ${letter.event})`),
  ];
  const follows: Line = [
    span(label`What waits behind it goes on. This is recorded under your name.`, 'muted'),
  ];
  const words = [...paragraph(what, columns, WORDS_ROWS), ...paragraph(follows, columns, WORDS_ROWS)];
  const gap = Array<Line>(Math.max(0, PANEL_ROWS - words.length - 2)).fill(BLANK);
  const lines = [titleLine(label`── Drop it? `, columns), ...words, ...gap];
  return [...lines.slice(0, height - 1), buttonsLine(buttons(state), meaning(state), columns)];
}

/** What Enter does, where there is no room for that beside the buttons. */
export const droppingStatus = (state: ConsoleState): Line =>
  meaningBelow(buttons(state), meaning(state), state.size.columns);

const buttons = ({ outbox: { dropping } }: ConsoleState): readonly Span[] => [
  buttonSpan(label`Cancel`, dropping?.focused === 'cancel'),
  buttonSpan(label`Drop`, dropping?.focused === 'drop'),
];

function meaning(state: ConsoleState): SafeText {
  if (!isSettled(state)) return label`…`;
  return state.outbox.dropping?.focused === 'cancel' ? label`Enter cancels` : label`Enter drops it for good`;
}

const titleLine = (title: SafeText, columns: number): Line => [
  span(title, 'accent'),
  span(repeatText(label`─`, columns - title.length), 'accent'),
];

const paragraph = (line: Line, columns: number, rows: number): readonly Line[] => {
  const width = columns - 2 * MARGIN;
  return firstRows(wrapLine(line, width, 'words'), rows, width).map(
    (part): Line => [span(spaces(MARGIN)), ...part],
  );
};
