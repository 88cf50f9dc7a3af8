import { useSyncExternalStore } from 'react';
import type { ConsoleState } from '../state/console-state.js';
import type { ConsoleStore } from '../state/console-store.js';

/** The newest state of the console. */
export function useConsoleState(store: ConsoleStore): ConsoleState {
  return useSyncExternalStore(store.subscribe, store.state);
}
