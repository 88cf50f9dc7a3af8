import { useEffect, useInsertionEffect } from 'react';
import { detailWindow } from '../detail/detail-window.js';
import { previewOf } from '../detail/preview.js';
import { panesOf } from '../screen/panes.js';
import { detailLayout } from '../screen/screen-layout.js';
import type { PaintedFrame } from '../state/console-events.js';
import { type ConsoleState, isTooSmall } from '../state/console-state.js';
import type { PaintedFrames } from '../state/painted-frames.js';

/** Says what each frame shows before it is written, and hands on which one was. */
export function usePaintedFrames(
  state: ConsoleState,
  frames: PaintedFrames,
  onPainted: (frame: PaintedFrame) => void,
): void {
  // It is written while React commits; only insertion effects run before that.
  useInsertionEffect(() => frames.announce(frameOf(state)), [frames, state]);
  useEffect(() => frames.listen(onPainted), [frames, onPainted]);
}

export function frameOf(state: ConsoleState): PaintedFrame {
  const { opened, focus, isHelpOpen, palette } = state;
  const isCovered = isHelpOpen || palette !== null;
  const shown = isCovered || isTooSmall(state) ? null : detailWindow(state, detailLayout(state).request);
  const mustRead =
    opened === null || shown === null
      ? null
      : { id: opened.request.id, columns: opened.width, ...shown.mustRead };
  const preview = previewOf(state);
  const previewed =
    preview === null || preview.unread > 0
      ? null
      : { request: preview.request, columns: panesOf(state).detail };
  return { target: focus.target, mustRead, previewed };
}
