import { type Line, span } from '../text/line.js';
import { joinText, label, type SafeText, sliceText } from '../text/safe-text.js';

/** What parts a line for the eye: gaps, rules and bars. Foreign text holds none of them but marked. */
const GAP = /(?: {2,}|[\u2500-\u257f]+|[▁-█░▒▓]+) *|^ +| +$/gu;
const CURSOR = '▸';
const CARET = '▏';
/** What a key means that does nothing yet. */
const LATER = '…';

/** The text of a line without what only the eye needs: its parts with commas between them; empty where nothing is left. */
export function plainText(line: Line): SafeText {
  const text = joinText(line.map(({ text }) => text));
  const parts: SafeText[] = [];
  let at = 0;
  const take = (end: number): void => {
    const part = spokenPart(sliceText(text, at, end));
    if (part !== '' && part !== LATER) parts.push(part);
  };
  for (const { index, 0: gap } of text.matchAll(GAP)) {
    take(index);
    at = index + gap.length;
  }
  take(text.length);
  return joinText(parts, label`, `);
}

export const plainLine = (line: Line): Line => [span(plainText(line))];

/** Buttons by their words, and where the focus is. */
function spokenPart(part: SafeText): SafeText {
  const isFocused = part.startsWith(CURSOR);
  const rest = isFocused ? sliceText(part, part.startsWith(`${CURSOR} `) ? 2 : 1) : part;
  if (!rest.startsWith('[ ') || !rest.endsWith(' ]')) return rest;
  const words = sliceText(rest, 2, rest.length - 2);
  return isFocused ? label`focus on ${words}` : label`button ${words}`;
}

/** Whether it begins the row that the cursor is on; a focused button is no row. */
export const hasCursor = (line: Line): boolean =>
  line.some(({ text }) => text.includes(CURSOR) && !text.includes(`${CURSOR}[`));

/** Whether something is being written in it. */
export const hasCaret = (line: Line): boolean => line.some(({ text }) => text === CARET);

/** Whether anything is left of a line to be said. */
export const isSaid = (line: Line): boolean => line.some(({ text }) => text.trim() !== '');
