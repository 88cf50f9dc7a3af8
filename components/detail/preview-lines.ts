import { obstacleTo } from '../deciding/obstacles.js';
import { panesOf } from '../screen/panes.js';
import { headRows } from '../screen/screen-layout.js';
import type { ConsoleState } from '../state/console-state.js';
import { BLANK, cutLine, type Line, span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { headLines } from './detail-lines.js';
import { openRead, openRequest } from './open-request.js';
import { type Preview, previewOf, readInPreview } from './preview.js';

/**
 * The request under the cursor, where it will stand once it is opened. It says that it is a preview, and what `a` does; the broker is
 * asked for nothing.
 */
export function previewLines(state: ConsoleState): readonly Line[] {
  const preview = previewOf(state);
  if (preview === null) return [];
  const columns = panesOf(state).detail;
  const [what = BLANK, who = BLANK] = headLines({ ...openRequest(state, preview.request), background: null });
  const mark: Line = [span(label`  Preview: `, 'strong'), ...meaning(state, preview)];
  const head = headRows(state) === 2 ? [what, mark] : [what, who, mark];
  const more = preview.left === 0 ? [] : [moreLine(preview.left)];
  return [...head.map((line) => cutLine(line, columns)), ...preview.lines, ...more];
}

/** What `a` does now. Said only once it is true: a key that comes too early does nothing. */
function meaning(state: ConsoleState, { request, unread }: Preview): Line {
  const isIdle = obstacleTo(openRead(state, request), 'approve') !== null;
  if (isIdle) return [span(label`Enter opens it here`, 'muted')];
  if (unread > 0) {
    const lines = unread === 1 ? label`line` : label`lines`;
    return [span(label`${unread} more ${lines} to read, Enter opens it here`, 'warning')];
  }
  if (readInPreview(state) === null) return [span(label`Enter opens it here`, 'muted')];
  return [span(label`all read: a approves, d denies`)];
}

const moreLine = (count: number): Line => [span(label`  … ${count} more lines`, 'muted')];
