import { label, type SafeText } from '../text/safe-text.js';
import { NARROW_COLUMNS } from './panes.js';

/** A window of so many lines, from the line `top` on, which counts from 0. */
interface Shown {
  readonly top: number;
  readonly height: number;
  readonly total: number;
}

/** Which lines are on the screen: `lines 4–9 of 44`, on a narrow terminal `4–9/44`. */
export function linesText({ top, height, total }: Shown, columns: number): SafeText {
  const lines = label`${top + 1}–${Math.min(top + height, total)}`;
  return columns < NARROW_COLUMNS ? label`${lines}/${total}` : label`lines ${lines} of ${total}`;
}

/** The same; empty where all lines are on the screen. */
export const windowText = (shown: Shown, columns: number): SafeText =>
  shown.total <= shown.height ? label`` : linesText(shown, columns);

/** Columns of the status line that the position, which stands at its end, leaves to what is going on. */
export const statusColumns = (position: SafeText, columns: number): number => columns - position.length - 6;
