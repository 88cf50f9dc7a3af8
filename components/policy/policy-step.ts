import { changesBetween } from '../../src/client/persistent-map.js';
import type { Queue } from '../../src/client/queue.js';
import { isChangeAction } from '../../src/protocol/change-messages.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import { type Step, stay } from '../state/console-effects.js';
import type { PolicyEvent } from '../state/console-events.js';
import { type ConsoleState, isBack, isLiveLink, isPainted, selectedRequest } from '../state/console-state.js';
import { policyWindow } from './policy-lines.js';
import { withPolicy } from './policy-state.js';

/** Goes to the rules, and asks what they are now. */
export const openPolicy = (state: ConsoleState): Step =>
  askForPolicy(withPolicy({ ...state, screen: 'policy' }, { explained: null }));

/** Goes to the explanation of the request under the cursor of the queue; nowhere where there is none. */
export function openExplanation(state: ConsoleState): Step {
  const request = selectedRequest(state);
  if (request === null || (state.screen === 'queue' && !isPainted(state))) return stay(state);
  const number = state.policy.number + 1;
  const explained = { number, request, failure: null, reply: null, top: 0 };
  return askAgain(withPolicy({ ...state, screen: 'policy' }, { number, explained }));
}

/** Asks for what is looked at; an answer to a former question is not waited for any more. Without a broker it is asked later. */
function askForPolicy(state: ConsoleState): Step {
  if (!isLiveLink(state)) return stay(state);
  const number = state.policy.number + 1;
  return stay(withPolicy(state, { number }), { type: 'readPolicy', number });
}

function askAgain(state: ConsoleState): Step {
  const { explained } = state.policy;
  if (explained === null) return askForPolicy(state);
  if (!isLiveLink(state)) return stay(state);
  const number = state.policy.number + 1;
  return stay(withPolicy(state, { number, explained: { ...explained, number } }), {
    type: 'explain',
    number,
    id: explained.request.id,
  });
}

/** A key in the rules, or in an explanation. */
export function stepPolicy(state: ConsoleState, matched: MatchedAction | null): Step {
  if (matched === null) return stay(state);
  const { lines, height, top } = policyWindow(state);
  const moved = movement(matched, height);
  if (moved !== null) return stay(scrollTo(state, Math.max(0, Math.min(top + moved, lines.length - height))));
  if (matched.action !== 'back') return stay(state);
  return stay(withPolicy({ ...state, screen: 'queue' }, { explained: null }));
}

function scrollTo(state: ConsoleState, top: number): ConsoleState {
  const { explained } = state.policy;
  return withPolicy(state, explained === null ? { top } : { explained: { ...explained, top } });
}

/** Takes an answer over where it is still wanted. */
export function hearPolicy(state: ConsoleState, event: PolicyEvent): ConsoleState {
  const { number, explained } = state.policy;
  switch (event.type) {
    case 'policy':
      return event.number === number ? withPolicy(state, { reply: event.reply, failure: null }) : state;
    case 'noPolicy': {
      const { message, hint } = event;
      return event.number === number ? withPolicy(state, { failure: { message, hint } }) : state;
    }
    case 'explained':
    case 'notExplained': {
      if (explained?.number !== event.number) return state;
      if (event.type === 'explained') {
        return withPolicy(state, { explained: { ...explained, reply: event.reply, failure: null } });
      }
      const { message, hint } = event;
      return withPolicy(state, { explained: { ...explained, failure: { message, hint } } });
    }
  }
}

/** Asks again once what was shown may not be so any more. */
export function refreshPolicy(state: ConsoleState, before: Queue): Step {
  if (state.screen !== 'policy') return stay(state);
  return isBack(state, before.link) || hasChanged(state, before) ? askAgain(state) : stay(state);
}

/** Whether the policy is told of anew, a change of it or of the people has ended, or the explained request has gone on. */
function hasChanged({ queue, policy }: ConsoleState, before: Queue): boolean {
  if (queue.policy !== before.policy) return true;
  const explained = policy.explained?.request.id;
  return changesBetween(before.requests, queue.requests).some(
    ({ key: id, before: known, after: request }) =>
      request !== undefined &&
      ((id === explained && request.votes !== known?.votes) ||
        (isChangeAction(request.document.action) && request.state !== known?.state)),
  );
}
