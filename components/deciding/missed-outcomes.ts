import { ownOutcome } from '../attention/queue-news.js';
import type { Tone } from '../screen/theme.js';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';
import { type Line, span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { canaryNotice } from './canary-notice.js';

/**
 * Keeps what the newest live picture showed while there is none, and says once what became meanwhile of requests that this person
 * approved: what was not seen happening is otherwise only found by looking for it. What was just said of an unanswered signature
 * goes first.
 */
export function tellMissed(before: ConsoleState, state: ConsoleState): ConsoleState {
  if (!isLiveLink(state)) {
    return isLiveLink(before) ? { ...state, lastSeen: before.queue.requests } : state;
  }
  if (state.lastSeen === null) return state;
  const told = { ...state, lastSeen: null };
  const notice = missedLine(state);
  const isAnswered = state.unanswered.length < before.unanswered.length;
  return notice === null || isAnswered ? told : { ...told, notice };
}

/** That something was a canary (A33), else the gravest of what was missed, and how much more there is. */
function missedLine({ lastSeen, queue, identity }: ConsoleState): Line | null {
  const outcomes: Line[] = [];
  const { approver } = identity;
  for (const [id, known] of lastSeen ?? []) {
    const request = queue.requests.get(id);
    if (request === undefined || request === known) continue;
    const revealed = canaryNotice(known, request, approver);
    if (revealed !== null) return revealed;
    if (request.canary !== null) continue;
    const outcome = ownOutcome(known, request, approver);
    if (outcome !== null) outcomes.push(outcome);
  }
  const [first] = outcomes.toSorted((a, b) => gravity(b) - gravity(a));
  if (first === undefined) return null;
  const more = outcomes.length - 1;
  const rest: Line = more === 0 ? [] : [span(label`, and ${more} more of yours have ended`, 'muted')];
  return [span(label`Meanwhile: `, 'muted'), ...first, ...rest];
}

const GRAVE: readonly Tone[] = ['warning', 'danger'];

/** By the tone of its symbol. */
const gravity = ([symbol]: Line): number => (symbol === undefined ? -1 : GRAVE.indexOf(symbol.tone));
