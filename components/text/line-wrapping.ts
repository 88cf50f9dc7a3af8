import type { Tone } from '../screen/theme.js';
import { BLANK, centreLine, cutLine, type Line, type Span, span } from './line.js';
import { joinText, type SafeText } from './safe-text.js';
import { atoms, textWidth } from './text-width.js';
import { isUnbroken } from './unbroken.js';

/** `columns` fills each line, for texts that must be read exactly; `words` breaks after spaces. */
export type Wrapping = 'columns' | 'words';

interface Atom {
  readonly text: SafeText;
  readonly width: number;
  readonly tone: Tone;
}

/**
 * Breaks a line into lines of at most `width` columns, and after the mark of a newline, dropping nothing: joined again
 * they are the line that was given.
 * In `columns` no line begins or ends with a space, so that none is lost at an edge.
 */
export function wrapLine(line: Line, width: number, wrapping: Wrapping): readonly Line[] {
  if (isUnbroken(width)) return [line];
  const all = line.flatMap(({ text, tone }) =>
    atoms(text).map((atom): Atom => ({ text: atom, width: textWidth(atom), tone })),
  );
  const lines: Line[] = [];
  for (let from = 0; from < all.length; ) {
    const fits = countFitting(all, from, width);
    const limit = from + fits;
    const isWhole = limit === all.length || isNewline(all[limit - 1]);
    const end = isWhole ? limit : breakBefore(all, from, limit, wrapping);
    lines.push(toSpans(all.slice(from, end)));
    from = end;
  }
  return lines.length === 0 ? [line] : lines;
}

/** The first of wrapped lines, at most so many; the last one then says that it was cut. */
export function firstRows(lines: readonly Line[], rows: number | undefined, width: number): readonly Line[] {
  if (rows === undefined || lines.length <= rows) return lines;
  return [...lines.slice(0, rows - 1), cutLine(lines.slice(rows - 1).flat(), width)];
}

const isNewline = (atom: Atom | undefined): boolean => atom?.text.startsWith('⟨LF') === true;

function countFitting(all: readonly Atom[], from: number, width: number): number {
  let room = width;
  let at = from;
  for (; at < all.length; at += 1) {
    room -= all[at]?.width ?? 0;
    if (room < 0) break;
    if (isNewline(all[at])) {
      at += 1;
      break;
    }
  }
  return Math.max(1, at - from);
}

/** The index of the first atom of the next line, when no more than those before `limit` fit. */
function breakBefore(all: readonly Atom[], from: number, limit: number, wrapping: Wrapping): number {
  const isSpace = (at: number): boolean => all[at]?.text === ' ';
  if (wrapping === 'words') {
    for (let at = limit; at > from; at -= 1) if (isSpace(at - 1)) return at;
    return limit;
  }
  for (let at = limit; at > from + 1; at -= 1) if (!isSpace(at - 1) && !isSpace(at)) return at;
  return limit;
}

function toSpans(line: readonly Atom[]): Line {
  const spans: Span[] = [];
  let start = 0;
  line.forEach(({ tone }, at) => {
    if (line[at + 1]?.tone === tone) return;
    spans.push(span(joinText(line.slice(start, at + 1).map(({ text }) => text)), tone));
    start = at + 1;
  });
  return spans;
}

/** Words for a place that has nothing else to show: in the middle of so many columns, and above the middle of so many rows. Where these are few, without gaps. */
export function placardLines(words: readonly Line[], columns: number, height: number): readonly Line[] {
  const spaced = words.flatMap((line) => wrapLine(line, columns - 4, 'words'));
  const lines = spaced.length <= height ? spaced : spaced.filter((line) => line.length > 0);
  const above = Math.max(0, Math.floor((height - lines.length) / 3));
  return [...Array<Line>(above).fill(BLANK), ...lines.map((line) => centreLine(line, columns))].slice(
    0,
    height,
  );
}
