import type { ReactElement } from 'react';
import { SafeLines } from '../screen/safe-line.js';
import type { ConsoleState } from '../state/console-state.js';
import { confirmLines, subjectRows } from './confirm-lines.js';

/**
 * The step between a decision key and a signature; it stands below the request and hides none of it. Where it does not
 * fit as a whole, what is signed and the buttons stay.
 */
export function ConfirmDialog({
  state,
  height,
}: {
  readonly state: ConsoleState;
  readonly height: number;
}): ReactElement | null {
  const lines = confirmLines(state);
  if (lines.length === 0) return null;
  const subject = subjectRows(state);
  const rest = Math.max(0, height - subject);
  const shown =
    lines.length <= height ? lines : [...lines.slice(0, subject), ...lines.slice(lines.length - rest)];
  return <SafeLines lines={shown} height={height} />;
}
