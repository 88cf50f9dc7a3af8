import type { DirectoryChange } from '../../src/client/directory.js';
import type { HistoryQuery } from '../../src/client/history.js';
import type { LetterName } from '../../src/client/outbox.js';
import type { DecisionInput } from '../../src/client/queue.js';
import type { StatisticsQuery } from '../../src/client/statistics.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { ConsoleState } from './console-state.js';

/** What the world is asked to do. */
export type ConsoleEffect =
  | { readonly type: 'decide'; readonly request: RequestView; readonly decision: DecisionInput }
  | { readonly type: 'revoke'; readonly request: RequestView; readonly comment: string }
  /** Ends the making of a signature that was not sent yet: what comes of it is thrown away. */
  | { readonly type: 'cancelSigning' }
  /** Denies one after the other, until all are or one fails. */
  | { readonly type: 'denyAll'; readonly requests: readonly RequestView[]; readonly comment: string }
  /** The same there; after one that was sent already, no other follows. */
  | { readonly type: 'stopDenying' }
  | { readonly type: 'acknowledge' }
  /** Asks for a page of a search; a former search is not waited for any more. */
  | { readonly type: 'search'; readonly search: number; readonly query: HistoryQuery }
  | { readonly type: 'askOfGrants'; readonly number: number }
  | { readonly type: 'count'; readonly number: number; readonly query: StatisticsQuery }
  | { readonly type: 'askOfCanaries'; readonly number: number }
  | { readonly type: 'listEnrolled'; readonly number: number }
  | {
      readonly type: 'changeEnrolled';
      readonly number: number;
      readonly change: DirectoryChange;
      readonly reason: string | null;
    }
  | { readonly type: 'readPolicy'; readonly number: number }
  | { readonly type: 'explain'; readonly number: number; readonly id: RequestId }
  | { readonly type: 'listLetters'; readonly number: number }
  | { readonly type: 'retry'; readonly letter: LetterName }
  | { readonly type: 'drop'; readonly letter: LetterName }
  /** Asks what came before a request; a former question is not waited for any more. */
  | { readonly type: 'background'; readonly id: RequestId; readonly zone: string }
  /** Lets the others know which request is open here; null for none. */
  | { readonly type: 'showReading'; readonly id: RequestId | null }
  | { readonly type: 'comment'; readonly id: RequestId; readonly text: string }
  | { readonly type: 'escalate'; readonly id: RequestId }
  | { readonly type: 'copy'; readonly what: 'id' | 'ask'; readonly id: RequestId; readonly text: string }
  | { readonly type: 'ring' }
  /** Connects again without waiting. */
  | { readonly type: 'reconnect' }
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

/** One step after another, with what both lead to. */
export function after({ state, effects }: Step, next: (state: ConsoleState) => Step): Step {
  const step = next(state);
  return { state: step.state, effects: [...effects, ...step.effects] };
}
