import type { RequestView } from '../../src/protocol/request-view.js';
import { panesOf } from '../screen/panes.js';
import type { ConsoleState } from '../state/console-state.js';

/** Opens a request at its first line, with nothing of it read yet; `isRecord` where it was found in the history. */
export function openRequest(state: ConsoleState, request: RequestView, isRecord = false): ConsoleState {
  return { ...state, opened: { request, isRecord, top: 0, read: 0, width: panesOf(state).detail } };
}
