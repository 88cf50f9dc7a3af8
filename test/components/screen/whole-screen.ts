import { bodyLines } from '../../../components/screen/body-lines.js';
import { footerLines } from '../../../components/screen/footer.js';
import { headerLines, smallLine } from '../../../components/screen/header.js';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import { type ConsoleState, isTooSmall } from '../../../components/state/console-state.js';
import type { Line } from '../../../components/text/line.js';

/** The lines of the whole screen, as they are handed on to be drawn. */
export function screenLines(state: ConsoleState): readonly Line[] {
  if (isTooSmall(state)) return [smallLine(state)];
  const height = bodyRows(state);
  const body = bodyLines(state, height);
  const filled = Array.from({ length: height }, (_, row) => body[row] ?? []);
  return [...headerLines(state), ...filled, ...footerLines(state)];
}

export const lineText = (line: Line): string =>
  line
    .map((part) => part.text)
    .join('')
    .trimEnd();
