import { isLive, type RequestView } from '../../src/protocol/request-view.js';
import type { Action } from '../keys/key-row.js';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';

/** Keys beside a decision that would do nothing for a request, or without one. */
export function idleKeys(state: ConsoleState, request: RequestView | null): readonly Action[] {
  if (request === null) return ['remark', 'escalate', 'snooze', 'copyId', 'explain'];
  const isPending = request.state === 'pending';
  const idle: Action[] = [];
  if (!isLiveLink(state) || !isLive(request.state)) idle.push('remark');
  const isOwn = request.document.requester === state.identity.approver;
  if (!isLiveLink(state) || !isPending || isOwn) idle.push('escalate');
  if (!isPending) idle.push('snooze');
  return idle;
}
