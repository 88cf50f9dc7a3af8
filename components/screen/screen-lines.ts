import { type ConsoleState, isTooSmall } from '../state/console-state.js';
import { BLANK, type Line } from '../text/line.js';
import { bodyLines } from './body-lines.js';
import { footerLines } from './footer.js';
import { headerLines, smallLine } from './header.js';
import { bodyRows } from './screen-layout.js';

/** All that stands on the screen, row by row. */
export function screenLines(state: ConsoleState): readonly Line[] {
  if (isTooSmall(state)) return [smallLine(state)];
  const height = bodyRows(state);
  const body = bodyLines(state, height);
  const filled = Array.from({ length: height }, (_, row) => body[row] ?? BLANK);
  return [...headerLines(state), ...filled, ...footerLines(state)];
}
