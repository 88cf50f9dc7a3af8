import { useEffect } from 'react';
import { queueWindow } from '../queue/queue-window.js';
import { panesOf } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, isSettled, SETTLE_MS } from '../state/console-state.js';
import { nextTick } from '../text/clock-text.js';

/** Moves the clocks on the screen, as seldom as what they show allows. */
export function useClock(state: ConsoleState, onTick: () => void): void {
  useEffect(() => {
    const timer = setTimeout(onTick, nextDelay(state));
    return () => clearTimeout(timer);
  }, [state, onTick]);
}

function nextDelay(state: ConsoleState): number {
  const { painted, focus, at, queue } = state;
  if (painted.target === focus.target && !isSettled(state)) return SETTLE_MS - (at - painted.since);
  if (queue.link.state === 'stale') return 1000;
  return nextTick(brokerNow(state), pendingOnScreen(state));
}

function* pendingOnScreen(state: ConsoleState) {
  if (state.opened !== null) yield state.opened.request;
  if (state.screen !== 'queue' || (state.opened !== null && !panesOf(state).isSplit)) return;
  for (const item of queueWindow(state, bodyRows(state)).items) {
    if (item.kind === 'row' && item.row.section === 'pending') yield item.row.request;
  }
}
