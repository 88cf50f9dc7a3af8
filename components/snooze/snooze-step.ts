import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { listen } from '../attention/bell.js';
import { showRows } from '../queue/queue-filter.js';
import { requestRows } from '../queue/request-rows.js';
import { brokerNow, type ConsoleState, hearingOf } from '../state/console-state.js';
import { span } from '../text/line.js';
import { label, type SafeText } from '../text/safe-text.js';
import { arrange, isDue, type Sleeper, type Snoozes, snooze } from './snoozes.js';

export const sleeperOf = (state: ConsoleState): Sleeper => ({
  approver: state.identity.approver,
  at: state.at,
  now: brokerNow(state),
});

/**
 * Leaves a request alone for a while, with all equal asks: behind all that wait, and without a ring. Nobody else is told. The cursor
 * goes to what stands in its place. The same again wakes it.
 */
export function toggleSnooze(state: ConsoleState, request: RequestView): ConsoleState {
  const { allRows, snoozes } = state;
  const row = allRows.rows[allRows.indexOf.get(request.id) ?? -1];
  if (row?.section !== 'pending') return say(state, label`It does not wait: there is nothing to snooze.`);
  const { scope } = row.request;
  if (row.isSnoozed) return wake(state, new Map([...snoozes].filter(([other]) => other !== scope)));
  const begun = snooze(row, sleeperOf(state));
  if (begun === null) return say(state, label`Less than a minute is left: it is not snoozed.`);
  const place = state.rows.indexOf.get(request.id) ?? 0;
  const slept = withSnoozes(state, new Map([...snoozes, [scope, begun]]));
  const { bell } = state;
  // Once it wakes it calls as if it were new.
  const called = bell.called?.with(new Map(row.members.map(({ id }) => [id, undefined]))) ?? null;
  const next = {
    ...slept,
    opened: null,
    selected: atPlace(slept, place),
    bell: { ...bell, called, heard: null },
  };
  return say(next, label`Snoozed 30 minutes, here alone; s on its row wakes it.`);
}

/** The first row from there on that waits and is awake, else the last one before it, else what was selected. */
function atPlace({ rows: { rows }, selected }: ConsoleState, place: number): RequestId | null {
  const isAwake = ({ section, isSnoozed }: (typeof rows)[number]): boolean =>
    section === 'pending' && !isSnoozed;
  const next = rows.slice(place).find(isAwake) ?? rows.slice(0, place).findLast(isAwake);
  return next?.request.id ?? selected;
}

/** By the person, who need not be called for it. */
function wake(state: ConsoleState, snoozes: Snoozes): ConsoleState {
  const woken = withSnoozes(state, snoozes);
  const { bell } = listen(woken.bell, woken, hearingOf(woken));
  return say({ ...woken, bell: { ...bell, rangAt: state.bell.rangAt } }, label`Awake again.`);
}

function withSnoozes(state: ConsoleState, wanted: Snoozes): ConsoleState {
  const { rows, snoozes } = arrange(requestRows(state.groups), wanted, sleeperOf(state));
  return showRows({ ...state, allRows: rows, snoozes });
}

/** What is over by the clocks wakes; the same state where nothing is. */
export function wakeDue(state: ConsoleState): ConsoleState {
  const sleeper = sleeperOf(state);
  const isOver = [...state.snoozes.values()].some((one) => isDue(one, sleeper));
  return isOver ? withSnoozes(state, state.snoozes) : state;
}

const say = (state: ConsoleState, words: SafeText): ConsoleState => ({
  ...state,
  notice: [span(words, 'strong')],
});
