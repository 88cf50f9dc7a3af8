import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { Press } from '../keys/press.js';
import { bodyRows } from '../screen/screen-layout.js';
import { type Step, stay } from '../state/console-effects.js';
import type { PeopleEvent } from '../state/console-events.js';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';
import { hearChange, startChange, stepForm } from './change-form-step.js';
import { entryWindow } from './people-lines.js';
import { followEntry, moveEntry, selectedEntry, takeEnrolled, withPeople } from './people-state.js';

/** Goes to the people, and asks who is enrolled now. */
export const openPeople = (state: ConsoleState): Step =>
  askForPeople(withPeople({ ...state, screen: 'people' }, { openedTop: null }));

/** Asks who is enrolled; an answer to a former question is not waited for any more. Without a broker it is asked later. */
export function askForPeople(state: ConsoleState): Step {
  if (!isLiveLink(state)) return stay(state);
  const number = state.people.number + 1;
  return stay(withPeople(state, { number, isWaiting: true }), { type: 'listEnrolled', number });
}

/** Asks again where the people are looked at: what was shown is not so any more. */
export const refreshPeople = (state: ConsoleState): Step =>
  state.screen === 'people' ? askForPeople(state) : stay(state);

/** A key in the list, or in an entry that is read in full. */
export function stepPeople(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  if (state.people.form !== null) return stepForm(state, matched, press);
  if (matched === null) return stay(state);
  return state.people.openedTop === null ? browse(state, matched) : read(state, matched);
}

function browse(state: ConsoleState, matched: MatchedAction): Step {
  const rows = movement(matched, bodyRows(state));
  if (rows !== null) return stay(withPeople(state, moveEntry(state.people, rows)));
  switch (matched.action) {
    case 'open':
      return stay(selectedEntry(state.people) === null ? state : withPeople(state, { openedTop: 0 }));
    case 'back':
      return stay({ ...state, screen: 'queue' });
    default:
      return startChange(state, matched.action);
  }
}

function read(state: ConsoleState, matched: MatchedAction): Step {
  const { lines, height, top } = entryWindow(state);
  const moved = movement(matched, height);
  if (moved !== null) {
    const last = Math.max(0, lines.length - height);
    return stay(withPeople(state, { openedTop: Math.max(0, Math.min(top + moved, last)) }));
  }
  if (matched.action === 'back') return stay(withPeople(state, { openedTop: null }));
  return startChange(state, matched.action);
}

/** Takes who is enrolled, or that it is not known, over where that is still wanted. */
export function hearPeople(state: ConsoleState, event: PeopleEvent): Step {
  if (event.type === 'changeMade' || event.type === 'changeNotMade') {
    const heard = hearChange(state, event);
    return event.type === 'changeMade' ? refreshPeople(heard) : stay(heard);
  }
  if (event.number !== state.people.number) return stay(state);
  if (event.type === 'enrolled') return stay(withPeople(state, takeEnrolled(state.people, event.enrolled)));
  const { message, hint } = event;
  return stay(withPeople(state, { isWaiting: false, failure: { message, hint } }));
}

/** What follows from any change while the people are looked at: the window follows the selection. */
export function settlePeople(state: ConsoleState): Step {
  const followed = followEntry(state.people, bodyRows(state));
  return stay(followed === state.people ? state : { ...state, people: followed });
}
