import type { RequestView } from '../../src/protocol/request-view.js';
import { panesOf } from '../screen/panes.js';
import type { ConsoleState } from '../state/console-state.js';
import { mustRead } from './request-document.js';

/** Opens a request of which all that must be read was read elsewhere, at the width at which it is opened. */
export function openRead(state: ConsoleState, request: RequestView): ConsoleState {
  const next = openRequest(state, request);
  const opened = next.opened && { ...next.opened, read: mustRead(state, request).length };
  return { ...next, opened };
}

/** Opens a request at its first line, with nothing of it read yet; `isRecord` where it was found in the history. */
export function openRequest(state: ConsoleState, request: RequestView, isRecord = false): ConsoleState {
  return { ...state, opened: { request, isRecord, top: 0, read: 0, width: panesOf(state).detail } };
}
