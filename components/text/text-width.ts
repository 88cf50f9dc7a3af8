import stringWidth from 'string-width';
import { type SafeText, sliceText } from './safe-text.js';

/** A mark without letters inside, or one character with its accents: what a line never breaks in two. */
const ATOM = /⟨[^⟩ ]*⟩|.\p{M}*/gsu;

/** Columns that a text takes. */
export const textWidth = (text: SafeText): number => stringWidth(text);

/** The pieces of a text between which a line may break. */
export function atoms(text: SafeText): readonly SafeText[] {
  return Array.from(text.matchAll(ATOM), ({ index, 0: atom }) => sliceText(text, index, index + atom.length));
}

/** The longest start of a text, in whole atoms, that fits into so many columns. */
export function headOf(text: SafeText, columns: number): SafeText {
  if (textWidth(text) <= columns) return text;
  let end = 0;
  let room = columns;
  for (const atom of atoms(text)) {
    room -= textWidth(atom);
    if (room < 0) break;
    end += atom.length;
  }
  return sliceText(text, 0, end);
}
