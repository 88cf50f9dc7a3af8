import { useEffect } from 'react';
import { clockOf } from '../queue/queue-screen.js';
import { panesOf } from '../screen/panes.js';
import { SCREENS } from '../screen/screens.js';
import { brokerNow, type ConsoleState, isSettled, SETTLE_MS } from '../state/console-state.js';
import { nextTick, type ShownClock } from '../text/clock-text.js';

/** Moves the clocks on the screen, as seldom as what they show allows. */
export function useClock(state: ConsoleState, onTick: () => void): void {
  useEffect(() => {
    const timer = setTimeout(onTick, nextDelay(state));
    return () => clearTimeout(timer);
  }, [state, onTick]);
}

function nextDelay(state: ConsoleState): number {
  const { painted, previewed, focus, at, queue } = state;
  if (painted.target === focus.target && !isSettled(state)) return SETTLE_MS - (at - painted.since);
  if (previewed !== null && at - previewed.since < SETTLE_MS) return SETTLE_MS - (at - previewed.since);
  if (queue.link.state === 'stale') return 1000;
  return nextTick(brokerNow(state), shownClocks(state));
}

function* shownClocks(state: ConsoleState): Generator<ShownClock> {
  const { confirm } = state;
  if (confirm?.isSigning) yield { since: confirm.signingSince, until: Number.POSITIVE_INFINITY };
  if (state.opened !== null) yield clockOf(state.opened.request);
  if (state.opened === null || panesOf(state).isSplit) yield* SCREENS[state.screen].clocks?.(state) ?? [];
}
