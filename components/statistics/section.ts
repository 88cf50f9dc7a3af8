import { BLANK, type Line, lineWidth, span } from '../text/line.js';
import { label, repeatText, type SafeText } from '../text/safe-text.js';

/** What stands left of every figure, and is kept free right of them. */
export const MARGIN = 3;

/** How a section of the figures begins: a gap, and its title with a note in a rule. */
export function heading(title: SafeText, note: SafeText, columns: number): readonly Line[] {
  const words = label`── ${title} `;
  const beside: Line = note === '' ? [] : [span(label`${note} `, 'muted')];
  const rest = columns - words.length - lineWidth(beside);
  return [BLANK, [span(words, 'accent'), ...beside, span(repeatText(label`─`, rest), 'muted')]];
}
