import { type Span, span } from '../text/line.js';
import { label, type SafeText } from '../text/safe-text.js';

/** A button as it is drawn; one that would do nothing now is faint. */
export function buttonSpan(words: SafeText, isFocused: boolean, works = true): Span {
  const tone = isFocused ? 'accent' : works ? 'text' : 'muted';
  return span(label`${isFocused ? label`▸` : label` `}[ ${words} ]`, tone);
}
