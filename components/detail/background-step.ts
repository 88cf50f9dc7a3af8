import type { Background } from '../../src/protocol/background.js';
import type { RequestId } from '../../src/protocol/names.js';
import { type Step, stay } from '../state/console-effects.js';
import type { BackgroundEvent } from '../state/console-events.js';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';
import type { SafeText } from '../text/safe-text.js';

/** What is known of what came before the opened request. */
export type OpenedBackground = { readonly id: RequestId } & (
  | { readonly state: 'asked' }
  | { readonly state: 'known'; readonly background: Background }
  /** The broker did not tell, and why. */
  | { readonly state: 'unknown'; readonly why: SafeText }
);

/** Whether the broker told of something unusual. */
export const hasUnusual = (told: OpenedBackground | null): boolean =>
  told?.state === 'known' && told.background.unusual.length > 0;

/** Asks once for each request that is opened, as soon as there is a broker to ask; what was known of another one is forgotten. */
export function settleBackground(state: ConsoleState): Step {
  const { opened, background, display } = state;
  const id = opened?.request.id ?? null;
  if (id === (background?.id ?? null)) return stay(state);
  if (id === null || !isLiveLink(state)) {
    return stay(background === null ? state : { ...state, background: null });
  }
  const asked: OpenedBackground = { id, state: 'asked' };
  return stay({ ...state, background: asked }, { type: 'background', id, zone: display.zone });
}

/** What a broker that was away could not tell is asked again once it is back. */
export function forgetUnknown(state: ConsoleState, wasAway: boolean): ConsoleState {
  const isUnknown = state.background?.state === 'unknown';
  return wasAway && isLiveLink(state) && isUnknown ? { ...state, background: null } : state;
}

/** What the broker told, unless another request is read by then. */
export function hearBackground(state: ConsoleState, event: BackgroundEvent): Step {
  const { id } = event;
  if (state.background?.id !== id) return stay(state);
  const told: OpenedBackground =
    event.type === 'background'
      ? { id, state: 'known', background: event.background }
      : { id, state: 'unknown', why: event.message };
  return stay({ ...state, background: told });
}
