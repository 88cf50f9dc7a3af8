import { useEffect } from 'react';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';

/** Says how many requests are pending whenever that changes; null while it is not known. */
export function usePending(state: ConsoleState, onPending: (pending: number | null) => void): void {
  const pending = isLiveLink(state) ? state.allRows.pending : null;
  useEffect(() => onPending(pending), [pending, onPending]);
}
