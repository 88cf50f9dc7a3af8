import { hasGround, type Tone } from '../screen/theme.js';
import { label, MARK, type SafeText, sliceText, spaces } from './safe-text.js';
import { headOf, textWidth } from './text-width.js';

/** A piece of a line in one tone. */
export interface Span {
  readonly text: SafeText;
  readonly tone: Tone;
}

/** One row of the screen, or a part of one, from left to right. */
export type Line = readonly Span[];

export const BLANK: Line = [];

export const span = (text: SafeText, tone: Tone = 'text'): Span => ({ text, tone });

/** Splits a text at its marks, which stand out from it. */
export function markedSpans(text: SafeText, tone: Tone = 'text'): Line {
  const spans: Span[] = [];
  let at = 0;
  for (const { index, 0: mark } of text.matchAll(MARK)) {
    if (index > at) spans.push(span(sliceText(text, at, index), tone));
    at = index + mark.length;
    spans.push(span(sliceText(text, index, at), 'warning'));
  }
  if (at < text.length) spans.push(span(sliceText(text, at), tone));
  return spans;
}

export function lineWidth(line: Line): number {
  return line.reduce((width, { text }) => width + textWidth(text), 0);
}

/** Cuts a line that is wider than `width`, and says so with `…`. */
export function cutLine(line: Line, width: number): Line {
  if (lineWidth(line) <= width) return line;
  if (width < 1) return BLANK;
  const kept: Span[] = [];
  let room = width - 1;
  for (const { text, tone } of line) {
    const head = headOf(text, room);
    if (head !== '') kept.push(span(head, tone));
    if (head !== text) break;
    room -= textWidth(head);
  }
  return [...kept, span(label`…`, 'muted')];
}

/** Exactly `width` columns: cut visibly, or filled with spaces. */
export function fitLine(line: Line, width: number): Line {
  const cut = cutLine(line, width);
  const missing = width - lineWidth(cut);
  return missing > 0 ? [...cut, span(spaces(missing))] : cut;
}

/** One line at the left edge and one at the right edge, two columns apart at least; the left one gives way. */
export function spreadLine(left: Line, right: Line, width: number): Line {
  const rightPart = cutLine(right, width);
  const room = Math.max(0, width - lineWidth(rightPart));
  return [...fitLine(cutLine(left, Math.max(0, room - 2)), room), ...rightPart];
}

/** A piece that does not fit is cut where so many columns of it are still seen, and left out otherwise. */
const LEAST_PIECE = 12;
const PIECE_GAP = span(label`  `);

/** As many pieces as fit into `width` columns, two columns apart, what matters most first: no small one is cut. */
export function piecesLine(pieces: readonly Line[], width: number): Line {
  let line: Line = BLANK;
  let room = width;
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    const needed = lineWidth(piece);
    if (needed > room)
      return line === BLANK || room >= LEAST_PIECE ? [...line, ...cutLine(piece, room)] : trimmed(line);
    line = [...line, ...piece, PIECE_GAP];
    room -= needed + PIECE_GAP.text.length;
  }
  return trimmed(line);
}

/** Without the gap behind the last piece. */
const trimmed = (line: Line): Line => line.slice(0, -1);

/** The first of several forms, the longest one first, that fits into `width` columns; the last one cut where none does. */
export const fittingForm = (forms: readonly Line[], width: number): Line =>
  forms.find((form) => lineWidth(form) <= width) ?? cutLine(forms.at(-1) ?? BLANK, width);

/** Puts a line into the middle of `width` columns. */
export function centreLine(line: Line, width: number): Line {
  return [span(spaces(Math.floor((width - lineWidth(line)) / 2))), ...line];
}

/** The same line in as few pieces as possible: neighbours of one tone are joined, and spaces go with what precedes them. */
export function joinSpans(line: Line): Line {
  const joined: Span[] = [];
  for (const next of line) {
    const last = joined.at(-1);
    const isJoined =
      last !== undefined && (last.tone === next.tone || (!hasGround(last.tone) && isBlank(next)));
    if (isJoined) joined[joined.length - 1] = span(label`${last.text}${next.text}`, last.tone);
    else joined.push(next);
  }
  return joined;
}

export function isSameLine(a: Line, b: Line): boolean {
  return (
    a.length === b.length && a.every(({ text, tone }, at) => text === b[at]?.text && tone === b[at]?.tone)
  );
}

const isBlank = ({ text, tone }: Span): boolean => !hasGround(tone) && text.trimEnd() === '';
