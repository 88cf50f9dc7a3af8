import type { LetterName } from '../../src/client/outbox.js';
import { buttonBeside } from '../keys/button-keys.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { Press } from '../keys/press.js';
import { type Step, stay } from '../state/console-effects.js';
import type { OutboxEvent } from '../state/console-events.js';
import { type ConsoleState, isLiveLink, isSettled } from '../state/console-state.js';
import { span } from '../text/line.js';
import { label, type SafeText } from '../text/safe-text.js';
import { letterCapacity } from './outbox-lines.js';
import { followLetter, moveLetter, type OutboxState, selectedLetter, takeLetters } from './outbox-state.js';

/** Goes to the outbox, and asks what is in it now. */
export const openOutbox = (state: ConsoleState): Step => askForLetters({ ...state, screen: 'outbox' });

/** Asks for the dead letters; an answer to a former question is not waited for any more. Without a broker it is asked later. */
export function askForLetters(state: ConsoleState): Step {
  if (!isLiveLink(state)) return stay(state);
  const number = state.outbox.number + 1;
  return stay(withOutbox(state, { number, isWaiting: true }), { type: 'listLetters', number });
}

/** A key in the outbox, or in the step before a letter is dropped. */
export function stepOutbox(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  if (matched === null) return stay(state);
  return state.outbox.dropping === null ? browse(state, matched) : stepDropping(state, matched, press);
}

function browse(state: ConsoleState, matched: MatchedAction): Step {
  const rows = movement(matched, letterCapacity(state));
  if (rows !== null) return stay(moveBy(state, rows));
  switch (matched.action) {
    case 'back':
      return stay({ ...state, screen: 'queue' });
    case 'retry':
      return retry(state);
    case 'drop':
      return stay(askBeforeDropping(state));
    default:
      return stay(state);
  }
}

const moveBy = (state: ConsoleState, count: number): ConsoleState =>
  withOutbox(state, moveLetter(state.outbox, count));

/** The letter under the cursor may have become another one just now: it must have stood there for a while. */
function retry(state: ConsoleState): Step {
  const letter = selectedLetter(state.outbox);
  if (letter === null || !isSettled(state)) return stay(state);
  if (!isLiveLink(state)) return stay(sayOffline(state));
  return stay(state, { type: 'retry', letter: nameOf(letter) });
}

const sayOffline = (state: ConsoleState): ConsoleState => ({
  ...state,
  notice: [span(label`Not connected to the broker: nothing was changed.`, 'danger')],
});

function askBeforeDropping(state: ConsoleState): ConsoleState {
  const letter = selectedLetter(state.outbox);
  if (letter === null || !isSettled(state)) return state;
  return withOutbox(state, { dropping: { letter, focused: 'cancel' } });
}

function stepDropping(state: ConsoleState, { action }: MatchedAction, press: Press): Step {
  const { dropping } = state.outbox;
  if (dropping === null) return stay(state);
  const close = (): ConsoleState => withOutbox(state, { dropping: null });
  switch (action) {
    case 'next':
    case 'previous': {
      const other = dropping.focused === 'cancel' ? 'drop' : 'cancel';
      const focused = buttonBeside(press, 'drop') ?? other;
      return stay(withOutbox(state, { dropping: { ...dropping, focused } }));
    }
    case 'activate':
      if (!isSettled(state)) return stay(state);
      if (dropping.focused === 'cancel') return stay(close());
      if (!isLiveLink(state)) return stay(sayOffline(state));
      return stay(close(), { type: 'drop', letter: nameOf(dropping.letter) });
    case 'back':
      return stay(close());
    default:
      return stay(state);
  }
}

/** Takes letters, or that there are none, over where they are still wanted; asks again where one was settled. */
export function hearOutbox(state: ConsoleState, event: OutboxEvent): Step {
  if (event.type === 'letterSettled') {
    return refresh({ ...state, notice: [span(doneWords(event), 'strong')] });
  }
  if (event.number !== state.outbox.number) return stay(state);
  if (event.type === 'letters') return stay(withOutbox(state, takeLetters(state.outbox, event.reply)));
  const { message, hint } = event;
  return stay(withOutbox(state, { isWaiting: false, failure: { message, hint } }));
}

/** Names the event: by now the cursor is on another one. */
const doneWords = ({ how, letter }: Extract<OutboxEvent, { type: 'letterSettled' }>): SafeText =>
  how === 'retried'
    ? label`Event ${letter.event} waits to be sent again; recorded under your name.`
    : label`Event ${letter.event} is dropped, never sent; recorded under your name.`;

/** Asks again where the outbox is looked at: what was shown is not so any more. */
export const refresh = (state: ConsoleState): Step =>
  state.screen === 'outbox' ? askForLetters(state) : stay(state);

/** What follows from any change while the outbox is looked at: the window follows the selection. */
export function settleOutbox(state: ConsoleState): Step {
  const followed = followLetter(state.outbox, letterCapacity(state));
  return stay(followed === state.outbox ? state : { ...state, outbox: followed });
}

const nameOf = ({ sink, event }: LetterName): LetterName => ({ sink, event });

const withOutbox = (state: ConsoleState, change: Partial<OutboxState>): ConsoleState => ({
  ...state,
  outbox: { ...state.outbox, ...change },
});
