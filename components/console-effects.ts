import type { DecisionInput } from '../src/client/queue.js';
import type { RequestView } from '../src/protocol/request-view.js';
import type { ConsoleState } from './console-state.js';

/** What the world is asked to do. */
export type ConsoleEffect =
  | { readonly type: 'decide'; readonly request: RequestView; readonly decision: DecisionInput }
  | { readonly type: 'revoke'; readonly request: RequestView; readonly comment: string }
  | { readonly type: 'acknowledge' }
  | { readonly type: 'ring' }
  | { readonly type: 'suspend' }
  | { readonly type: 'redraw' }
  | { readonly type: 'quit' };

/** What an event leads to. */
export interface Step {
  readonly state: ConsoleState;
  readonly effects: readonly ConsoleEffect[];
}

/** A state with its effects, usually none. */
export const stay = (state: ConsoleState, ...effects: readonly ConsoleEffect[]): Step => ({ state, effects });
