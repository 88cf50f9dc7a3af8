import type { Queue } from '../../src/client/queue.js';
import type { RequestId } from '../../src/protocol/names.js';
import { openConfirm } from '../deciding/confirm-step.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import { panesOf } from '../screen/panes.js';
import { type Step, stay } from '../state/console-effects.js';
import type { GrantsEvent } from '../state/console-events.js';
import {
  brokerNow,
  type ConsoleState,
  isBack,
  isLiveLink,
  isPainted,
  isSettled,
} from '../state/console-state.js';
import { type GrantsState, watchesDiffer } from './grants-state.js';
import { followApproval, grantCapacity, grantItems, requestsOf, selectedApproval } from './grants-window.js';

/** Goes to the grants, and asks what the picture of the queue does not tell of them. */
export const openGrants = (state: ConsoleState): Step => ask({ ...state, screen: 'grants' });

/** An answer to a former question is not waited for any more. Without a broker it is asked later. */
function ask(state: ConsoleState): Step {
  if (!isLiveLink(state)) return stay(state);
  const number = state.grants.number + 1;
  return stay(withGrants(state, { number, isWaiting: true }), { type: 'askOfGrants', number });
}

/** A key among the grants. */
export function stepGrants(state: ConsoleState, matched: MatchedAction | null): Step {
  if (matched === null) return stay(state);
  switch (matched.action) {
    case 'open':
      return stay(isPainted(state) ? open(state) : state);
    case 'revoke':
      return stay(isSettled(state) ? openConfirm(open(state), 'revoke') : state);
    case 'back':
      return stay({ ...state, screen: 'queue' });
    default: {
      const count = movement(matched, grantCapacity(state));
      if (count === null) return stay(state);
      const moved = moveBy(state, count);
      // Who is at the top already wants to see what is new: no event tells when a door has stopped to watch.
      const isAtTop = moved.grants.selected === state.grants.selected && !state.grants.isWaiting;
      return matched.action === 'first' && isAtTop ? ask(moved) : stay(moved);
    }
  }
}

function moveBy(state: ConsoleState, count: number): ConsoleState {
  const requests = requestsOf(grantItems(state));
  const wanted = indexIn(requests, state.grants.selected) + count;
  const selected = requests[Math.max(0, Math.min(requests.length - 1, wanted))]?.id ?? null;
  return withGrants(state, { selected });
}

/** Opens the selected request as the queue does: what can be taken back of it is taken back there. */
function open(state: ConsoleState): ConsoleState {
  const request = selectedApproval(state);
  if (request === null) return state;
  return { ...state, opened: { request, isRecord: false, top: 0, read: 0, width: panesOf(state).detail } };
}

/** Takes over what the broker told, or that it did not, where that is still wanted. */
export function hearGrants(state: ConsoleState, event: GrantsEvent): Step {
  if (event.number !== state.grants.number) return stay(state);
  if (event.type === 'notToldOfGrants') {
    const { message, hint } = event;
    return stay(withGrants(state, { isWaiting: false, failure: { message, hint } }));
  }
  const told = { ...event.reply, at: brokerNow(state) };
  return stay(keepSelection(state, withGrants(state, { isWaiting: false, failure: null, told })));
}

/** The picture has changed: the cursor stays with its request, and the broker is asked again where doors watch others. */
export function followQueue(state: ConsoleState, before: Queue): Step {
  const kept = keepSelection({ ...state, queue: before }, state);
  if (kept.screen !== 'grants') return stay(kept);
  const isAsked = isBack(kept, before.link) || watchesDiffer(before.requests, kept.queue.requests);
  return isAsked ? ask(kept) : stay(kept);
}

/** Where the selected request is gone, the cursor falls to what stands in its place. */
function keepSelection(before: ConsoleState, state: ConsoleState): ConsoleState {
  const { selected } = state.grants;
  if (selected === null) return state;
  const requests = requestsOf(grantItems(state));
  if (requests.some(({ id }) => id === selected)) return state;
  const index = indexIn(requestsOf(grantItems(before)), selected);
  return withGrants(state, { selected: requests[Math.min(index, requests.length - 1)]?.id ?? null });
}

/** What follows from any change while the grants are looked at: something is selected, and the window follows it. */
export function settleGrants(state: ConsoleState): Step {
  const first = requestsOf(grantItems(state))[0]?.id ?? null;
  const selected = state.grants.selected ?? first;
  const chosen = selected === state.grants.selected ? state : withGrants(state, { selected });
  const top = followApproval(chosen);
  return stay(top === chosen.grants.top ? chosen : withGrants(chosen, { top }));
}

const indexIn = (requests: readonly { readonly id: RequestId }[], selected: RequestId | null): number =>
  Math.max(
    0,
    requests.findIndex(({ id }) => id === selected),
  );

const withGrants = (state: ConsoleState, change: Partial<GrantsState>): ConsoleState => ({
  ...state,
  grants: { ...state.grants, ...change },
});
