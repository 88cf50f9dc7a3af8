import { EMPTY_LINE, type TextLine } from '../text/text-line.js';

/** The command palette while it is open. */
export interface PaletteState {
  /** What is typed. */
  readonly line: TextLine;
  /** Name of the entry that the arrows went to; null for the one that fits best. */
  readonly chosen: string | null;
}

export const OPEN_PALETTE: PaletteState = { line: EMPTY_LINE, chosen: null };
