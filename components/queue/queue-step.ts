import { openBulk } from '../bulk-denial/bulk-step.js';
import { openConfirm } from '../deciding/confirm-step.js';
import { openRead, openRequest } from '../detail/open-request.js';
import { readInPreview } from '../detail/preview.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { Press } from '../keys/press.js';
import { bodyRows } from '../screen/screen-layout.js';
import { toggleSnooze } from '../snooze/snooze-step.js';
import { type Step, stay } from '../state/console-effects.js';
import {
  type ConsoleState,
  isPainted,
  isSettled,
  selectedRequest,
  selectedRow,
} from '../state/console-state.js';
import { openComment, openEscalation } from '../talk/talk-step.js';
import { span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { clearQueueFilter, stepQueueFilter, writeQueueFilter } from './queue-filter-step.js';
import { queueCapacity } from './queue-window.js';
import { shownRequest } from './request-rows.js';

/** A key in the queue, or in its filter line. */
export function stepQueue(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  if (state.queueFilter.isWriting) return stay(stepQueueFilter(state, matched, press));
  if (matched?.action === 'acknowledge') return acknowledge(state);
  return stay(matched === null ? state : changeQueue(state, matched));
}

/** Only what has stood on the screen for a while is taken note of, and only while the picture is the broker's. */
function acknowledge(state: ConsoleState): Step {
  const { queue } = state;
  const isShown = queue.restoration !== null && queue.link.state === 'live' && isSettled(state);
  return isShown ? stay(state, { type: 'acknowledge' }) : stay(state);
}

function changeQueue(state: ConsoleState, matched: MatchedAction): ConsoleState {
  const rows = movement(matched, queueCapacity(state, bodyRows(state)));
  if (rows !== null) return moveBy(state, rows);
  switch (matched.action) {
    case 'filter':
      return writeQueueFilter(state);
    case 'back':
      return state.queueFilter.inForce === null ? state : clearQueueFilter(state);
    case 'open':
    case 'otherPane':
      return isPainted(state) ? open(state) : state;
    case 'approve':
      return isSettled(state) ? approve(state) : state;
    case 'deny':
      return isSettled(state) ? openConfirm(open(state), 'deny') : state;
    case 'bulkDeny': {
      const selected = selectedRequest(state);
      return isSettled(state) && selected !== null ? openBulk(state, selected) : state;
    }
    case 'denyFraud':
      return isSettled(state) ? openConfirm(open(state), 'fraud') : state;
    case 'remark':
      return isSettled(state) ? openComment(open(state)) : state;
    case 'escalate':
      return isSettled(state) ? openEscalation(open(state)) : state;
    case 'snooze': {
      const selected = selectedRequest(state);
      return isSettled(state) && selected !== null ? toggleSnooze(state, selected) : state;
    }
    default:
      return state;
  }
}

function moveBy(state: ConsoleState, count: number): ConsoleState {
  const { rows, indexOf } = state.rows;
  const from = state.selected === null ? -1 : (indexOf.get(state.selected) ?? -1);
  const row = rows[Math.max(0, Math.min(rows.length - 1, from + count))];
  if (row === undefined || row === selectedRow(state)) return state;
  return { ...state, selected: shownRequest(row, null).id };
}

function open(state: ConsoleState): ConsoleState {
  const request = selectedRequest(state);
  return request === null ? state : openRequest(state, request);
}

/** What was read beside the queue is as good as opened and read; anything else is opened, to be read first (A1). */
function approve(state: ConsoleState): ConsoleState {
  const read = readInPreview(state);
  return read === null ? askToRead(open(state)) : openConfirm(openRead(state, read), 'approve');
}

function askToRead(state: ConsoleState): ConsoleState {
  if (state.opened?.request.state !== 'pending') return state;
  return { ...state, notice: [span(label`Read it first. Then press a again.`, 'accent')] };
}
