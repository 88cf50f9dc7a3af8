import type { ConsoleState } from '../state/console-state.js';
import type { Line } from '../text/line.js';
import { confirmLines, subjectRows } from './confirm-lines.js';

/**
 * The step between a decision key and a signature, in so many rows; it stands below the request and hides none of it. Where it does
 * not fit as a whole, what is signed and the buttons stay.
 */
export function confirmWindow(state: ConsoleState, height: number): readonly Line[] {
  const lines = confirmLines(state);
  if (lines.length <= height) return lines;
  const subject = subjectRows(state);
  const rest = Math.max(0, height - subject);
  return [...lines.slice(0, subject), ...lines.slice(lines.length - rest)].slice(0, height);
}
