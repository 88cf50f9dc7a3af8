import { BLANK, cutLine, type Line, lineWidth, type Span, span, spreadLine } from '../text/line.js';
import { label, type SafeText, spaces } from '../text/safe-text.js';

/** A button as it is drawn; one that would do nothing now is faint. */
export function buttonSpan(words: SafeText, isFocused: boolean, works = true): Span {
  const tone = isFocused ? 'accent' : works ? 'text' : 'muted';
  return span(label`${isFocused ? label`▸` : label` `}[ ${words} ]`, tone);
}

/** Buttons side by side, and at the right edge what Enter does, where there is room for both. */
export function buttonsLine(buttons: readonly Span[], means: SafeText, columns: number): Line {
  const left = besideOneAnother(buttons);
  return hasRoom(buttons, means, columns)
    ? spreadLine(left, [span(means, 'muted'), span(spaces(2))], columns)
    : cutLine(left, columns);
}

/** What Enter does, for the status line: empty where {@link buttonsLine} says it. */
export const meaningBelow = (buttons: readonly Span[], means: SafeText, columns: number): Line =>
  hasRoom(buttons, means, columns) ? BLANK : [span(means, 'muted')];

const hasRoom = (buttons: readonly Span[], means: SafeText, columns: number): boolean =>
  lineWidth(besideOneAnother(buttons)) + 2 + means.length + 2 <= columns;

const besideOneAnother = (buttons: readonly Span[]): Line =>
  buttons.flatMap((button, at) => [span(spaces(at === 0 ? 2 : 3)), button]);
