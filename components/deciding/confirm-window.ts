import { panesOf } from '../screen/panes.js';
import { detailLayout } from '../screen/screen-layout.js';
import { type ConsoleState, isField } from '../state/console-state.js';
import { type Line, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label } from '../text/safe-text.js';
import { confirmLines, confirmParts } from './confirm-lines.js';

/**
 * The step between a decision key and a signature, in so many rows; it stands below the request and hides none of it. Where it does
 * not fit as a whole, it does without what can be read elsewhere, and at last without the fields that have not the focus. While
 * something is typed, its field stays; else what is signed does.
 */
export function confirmWindow(state: ConsoleState, height: number): readonly Line[] {
  const parts = confirmParts(state);
  if (parts === null) return [];
  const { signed, fields, focused, state: standing, buttons } = parts;
  const forms = [
    confirmLines(state),
    [...signed, ...fields, ...standing, buttons],
    [...signed, ...focused, ...standing, buttons],
  ];
  const fitting = forms.find((lines) => lines.length <= height);
  if (fitting !== undefined) return fitting;
  const isTyping = state.confirm !== null && isField(state.confirm.focused);
  const below = isTyping ? [...focused, ...standing.slice(0, 1), buttons] : [...standing, buttons];
  const isUnseen = !isTyping && standing.length === 0;
  const above = isUnseen ? wrapLine(TOO_SMALL, panesOf(state).detail - 2, 'words') : signed;
  return [...above.slice(0, Math.max(0, height - below.length)), ...below].slice(-height);
}

const TOO_SMALL: Line = [
  span(label` Too little room to show what is signed: make the terminal larger.`, 'danger'),
];

/** Whether all that is signed stands in the panel beside the buttons: what is not seen is not signed. */
export function showsAllSigned(state: ConsoleState): boolean {
  const parts = confirmParts(state);
  return parts !== null && parts.signed.length + parts.state.length < detailLayout(state).panel;
}
