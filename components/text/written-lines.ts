import { type Line, markedSpans, span } from './line.js';
import { wrapLine } from './line-wrapping.js';
import { label, type Reading, safeText } from './safe-text.js';
import type { TextLine } from './text-line.js';

/** How a text that is being written is shown. */
export interface WrittenPlace {
  readonly columns: number;
  /** At most so many rows of it, those around the caret. */
  readonly rows: number;
  readonly reading: Reading;
  readonly hasCaret: boolean;
}

/** A text while it is written, with its caret. */
export function writtenLines(
  { text, caret }: TextLine,
  { columns, rows, reading, hasCaret }: WrittenPlace,
): readonly Line[] {
  const shown = (part: string): Line => markedSpans(safeText(part, { reading }));
  const line = hasCaret ? withCaret(text, caret, shown) : shown(text);
  const wrapped = wrapLine(line, columns, 'words');
  const caretRow = wrapped.findIndex((line) => line.some((part) => part.text === '▏'));
  const first = Math.max(0, Math.min(caretRow - rows + 1, wrapped.length - rows));
  return wrapped.slice(first, first + rows);
}

/** A single space beside the caret is seen as what it is, and needs no mark as one at an edge does. */
function withCaret(text: string, caret: number, shown: (part: string) => Line): Line {
  const [before, after] = [text.slice(0, caret), text.slice(caret)];
  const endsInSpace = /[^ ] $/.test(before) && !after.startsWith(' ');
  return [
    ...shown(endsInSpace ? before.slice(0, -1) : before),
    ...(endsInSpace ? [span(label` `)] : []),
    span(label`▏`, 'accent'),
    ...shown(after),
  ];
}
