import { panesOf } from '../screen/panes.js';
import { headRows } from '../screen/screen-layout.js';
import { type ConsoleState, selectedRequest } from '../state/console-state.js';
import { BLANK, cutLine, type Line, span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { headLines } from './detail-lines.js';
import { detailWindow } from './detail-window.js';
import { openRequest } from './open-request.js';

/**
 * The beginning of the request under the cursor, where it will stand once it is opened. It says that it is a preview and how much
 * it leaves out: nothing here counts as read, and the broker is asked for nothing.
 */
export function previewLines(state: ConsoleState, height: number): readonly Line[] {
  const request = selectedRequest(state);
  if (request === null) return [];
  const opened = { ...openRequest(state, request), background: null };
  const [what = BLANK, who = BLANK] = headLines(opened);
  const mark: Line = [
    span(label`  Preview: `, 'strong'),
    span(label`Enter opens it here, to be read`, 'muted'),
  ];
  const window = detailWindow(opened, height - headRows(state));
  const lines = window?.lines ?? [];
  const left = (window?.total ?? 0) - lines.length;
  const shown = left === 0 ? lines : [...lines.slice(0, -1), moreLine(left + 1)];
  const head = headRows(state) === 2 ? [what, mark] : [what, who, mark];
  return [...head, ...shown].map((line) => cutLine(line, panesOf(state).detail));
}

const moreLine = (count: number): Line => [span(label`  … ${count} more lines`, 'muted')];
