import type { ReactElement } from 'react';
import { confirmLines } from './confirm-lines.js';
import type { ConsoleState } from './console-state.js';
import { SafeLines } from './safe-line.js';

/** The step between a decision key and a signature; it stands below the request and hides none of it. */
export function ConfirmDialog({ state }: { readonly state: ConsoleState }): ReactElement | null {
  const lines = confirmLines(state);
  return lines.length === 0 ? null : <SafeLines lines={lines} height={lines.length} />;
}
