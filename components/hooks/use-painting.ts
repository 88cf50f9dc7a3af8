import { useLayoutEffect } from 'react';
import type { ThemeName } from '../../src/client/display.js';
import { screenLines } from '../screen/screen-lines.js';
import type { PaintedTerminal } from '../screen/terminal-painter.js';
import type { ConsoleState } from '../state/console-state.js';

/** Paints each state onto the screen; nothing where it is read out instead. */
export function usePainting(
  state: ConsoleState,
  paint: PaintedTerminal['paint'] | null,
  theme: ThemeName,
): void {
  useLayoutEffect(() => paint?.(screenLines(state), theme), [state, paint, theme]);
}
