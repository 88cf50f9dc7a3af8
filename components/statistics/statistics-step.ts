import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import { bodyRows } from '../screen/screen-layout.js';
import { after, type Step, stay } from '../state/console-effects.js';
import type { CanariesEvent, StatisticsEvent } from '../state/console-events.js';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';
import { allLines } from './statistics-lines.js';
import { type CanariesState, periodBeside, type StatisticsState } from './statistics-state.js';

/** Goes to the figures, and has them counted anew. */
export const openStatistics = (state: ConsoleState): Step => askAll({ ...state, screen: 'statistics' });

const askAll = (state: ConsoleState): Step => after(ask(state), askOfCanaries);

/** An answer to a former question is not waited for any more. Without a broker it is asked later. */
function ask(state: ConsoleState): Step {
  if (!isLiveLink(state)) return stay(state);
  const { number: former, days } = state.statistics;
  const number = former + 1;
  const query = { days, zone: state.display.zone };
  return stay(withStatistics(state, { number, isWaiting: true }), { type: 'count', number, query });
}

/** They do not depend on the days that are counted. */
function askOfCanaries(state: ConsoleState): Step {
  if (!isLiveLink(state)) return stay(state);
  const number = state.statistics.canaries.number + 1;
  return stay(withCanaries(state, { number }), { type: 'askOfCanaries', number });
}

/** A key among the figures. */
export function stepStatistics(state: ConsoleState, matched: MatchedAction | null): Step {
  if (matched === null) return stay(state);
  switch (matched.action) {
    case 'shorter':
      return change(state, -1);
    case 'longer':
      return change(state, 1);
    case 'back':
      return stay({ ...state, screen: 'queue' });
    default: {
      const count = movement(matched, Math.max(1, bodyRows(state) - 1));
      return count === null ? stay(state) : scroll(state, matched, count);
    }
  }
}

/** Who is at the top already wants newer figures. */
function scroll(state: ConsoleState, { action }: MatchedAction, count: number): Step {
  const { top, isWaiting } = state.statistics;
  if (action === 'first' && top === 0 && !isWaiting) return askAll(state);
  return stay(withStatistics(state, { top: fittingTop(state, top + count) }));
}

function change(state: ConsoleState, way: 1 | -1): Step {
  const days = periodBeside(state.statistics.days, way);
  if (days === state.statistics.days) return stay(state);
  return ask(withStatistics(state, { days, told: null, failure: null, top: 0 }));
}

const fittingTop = (state: ConsoleState, top: number): number =>
  Math.max(0, Math.min(top, allLines(state).length - bodyRows(state)));

/** Takes the figures over, or why there are none, where they are still wanted. */
export function hearStatistics(state: ConsoleState, event: StatisticsEvent): Step {
  if (event.number !== state.statistics.number) return stay(state);
  if (event.type === 'counted') {
    return stay(withStatistics(state, { isWaiting: false, failure: null, told: event.statistics }));
  }
  const { message, hint } = event;
  return stay(withStatistics(state, { isWaiting: false, failure: { message, hint } }));
}

/** Takes over how the reader did, or why that is not known. */
export function hearCanaries(state: ConsoleState, event: CanariesEvent): ConsoleState {
  if (event.number !== state.statistics.canaries.number) return state;
  if (event.type === 'toldOfCanaries') return withCanaries(state, { told: event.canaries, failure: null });
  const { message, hint } = event;
  return withCanaries(state, { failure: { message, hint } });
}

/** The broker is back: what it could not tell is asked again. */
export function resume(state: ConsoleState): Step {
  if (state.screen !== 'statistics') return stay(state);
  const { told, failure, isWaiting, canaries } = state.statistics;
  const counted = told === null || failure !== null || isWaiting ? ask(state) : stay(state);
  return canaries.told === null || canaries.failure !== null ? after(counted, askOfCanaries) : counted;
}

/** What follows from any change while the figures are looked at: the window stays within them. */
export function settleStatistics(state: ConsoleState): Step {
  const { top } = state.statistics;
  const fitting = fittingTop(state, top);
  return stay(fitting === top ? state : withStatistics(state, { top: fitting }));
}

const withStatistics = (state: ConsoleState, change: Partial<StatisticsState>): ConsoleState => ({
  ...state,
  statistics: { ...state.statistics, ...change },
});

const withCanaries = (state: ConsoleState, change: Partial<CanariesState>): ConsoleState =>
  withStatistics(state, { canaries: { ...state.statistics.canaries, ...change } });
