import { openBulk } from '../bulk-denial/bulk-step.js';
import { openConfirm } from '../deciding/confirm-step.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import { detailLayout } from '../screen/screen-layout.js';
import { toggleSnooze } from '../snooze/snooze-step.js';
import { type ConsoleState, isSettled } from '../state/console-state.js';
import { openComment, openEscalation } from '../talk/talk-step.js';
import { detailWindow } from './detail-window.js';

/** A key while a request is read. */
export function stepDetail(state: ConsoleState, matched: MatchedAction | null): ConsoleState {
  if (matched === null) return state;
  // One line stays on the screen, so that the eye finds where it was.
  const lines = movement(matched, Math.max(1, detailLayout(state).request - 1));
  if (lines !== null) return scrollBy(state, lines);
  switch (matched.action) {
    case 'back':
    case 'otherPane':
      return { ...state, opened: null };
    case 'approve':
      return isSettled(state) ? openConfirm(state, 'approve') : state;
    case 'deny':
      return isSettled(state) ? openConfirm(state, 'deny') : state;
    case 'bulkDeny':
      return isSettled(state) && state.opened !== null ? openBulk(state, state.opened.request) : state;
    case 'revoke':
      return isSettled(state) ? openConfirm(state, 'revoke') : state;
    case 'denyFraud':
      return isSettled(state) ? openConfirm(state, 'fraud') : state;
    case 'remark':
      return isSettled(state) ? openComment(state) : state;
    case 'escalate':
      return isSettled(state) ? openEscalation(state) : state;
    case 'snooze':
      return isSettled(state) && state.opened !== null ? toggleSnooze(state, state.opened.request) : state;
    default:
      return state;
  }
}

function scrollBy(state: ConsoleState, lines: number): ConsoleState {
  const height = detailLayout(state).request;
  const shown = detailWindow(state, height);
  if (state.opened === null || shown === null) return state;
  const top = Math.max(0, Math.min(shown.top + lines, shown.total - height));
  return { ...state, opened: { ...state.opened, top } };
}
