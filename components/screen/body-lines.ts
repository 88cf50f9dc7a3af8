import { detailLines } from '../detail/detail-lines.js';
import { previewLines } from '../detail/preview-lines.js';
import { paletteLines } from '../palette/palette-lines.js';
import type { ConsoleState } from '../state/console-state.js';
import { BLANK, fitLine, type Line, span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { helpWindow } from './help-window.js';
import { panesOf } from './panes.js';
import { SCREENS } from './screens.js';

/** What stands between the header and the footer, in so many rows. */
export function bodyLines(state: ConsoleState, height: number): readonly Line[] {
  const { isHelpOpen, opened, screen, palette } = state;
  if (palette !== null) return paletteLines(state, height);
  if (isHelpOpen) return helpWindow(state).lines;
  const { isSplit, list } = panesOf(state);
  if (!isSplit) return opened === null ? SCREENS[screen].lines(state, height) : detailLines(state);
  if (opened === null && state.allRows.rows.length === 0) return SCREENS[screen].lines(state, height);
  const left = SCREENS[screen].lines(state, height);
  const right = opened === null ? previewLines(state) : detailLines(state);
  // The rule stands out where keys go to what is at its right.
  const rule = span(label`│`, opened === null ? 'muted' : 'accent');
  return Array.from({ length: height }, (_, row) => [
    ...fitLine(left[row] ?? BLANK, list),
    rule,
    ...(right[row] ?? BLANK),
  ]);
}
