import type { DirectoryChange } from '../../src/client/directory.js';
import { buttonBeside } from '../keys/button-keys.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { Press } from '../keys/press.js';
import { type Step, stay } from '../state/console-effects.js';
import type { ChangeEvent } from '../state/console-events.js';
import { type ConsoleState, isLiveLink, isSettled } from '../state/console-state.js';
import { span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { editLine, insertText, type TextLine } from '../text/text-line.js';
import {
  type ChangeForm,
  type ChangeKind,
  type ChangeReview,
  type FieldName,
  fieldsOf,
  keyDeeds,
  openForm,
  textOf,
} from './change-form.js';
import { readForm } from './change-reading.js';
import { reviewWindow } from './change-review-lines.js';
import { type Entry, type PeopleState, selectedEntry, withPeople } from './people-state.js';

/** From so many people on a change is a request; with fewer the broker takes it from its owner alone. */
const PEOPLE_WHO_DECIDE = 2;
/** Longest text of a field: more than a key and every list that can be enrolled. */
const MAX_FIELD_CHARS = 8192;

/** Opens the form that an action leads to; says why where there is none. */
export function startChange(state: ConsoleState, action: MatchedAction['action']): Step {
  const { entries } = state.people;
  const entry = selectedEntry(state.people);
  const kind = kindOf(action, entry);
  if (entries === null || kind === null || !isSettled(state)) return stay(state);
  if (entries.filter(({ of }) => of === 'people').length < PEOPLE_WHO_DECIDE) {
    const words = label`Use countersign roster: nobody else here could approve it.`;
    return stay({ ...state, notice: [span(words, 'warning')] });
  }
  const isNew = kind === 'enrolPerson' || kind === 'enrolSubmitter';
  return stay(withForm(state, openForm(kind, isNew ? null : entry)));
}

/** Null where the action does nothing with this entry. */
export function kindOf(action: MatchedAction['action'], entry: Entry | null): ChangeKind | null {
  if (action === 'enrolPerson' || action === 'enrolSubmitter') return action;
  if (entry === null) return null;
  if (action === 'remove') return 'remove';
  if (action === 'changeKeys') return entry.of === 'people' ? 'changeKeys' : 'rotate';
  return action === 'setNames' && entry.of === 'people' ? 'setNames' : null;
}

/** A key in the form, or in the step before it is asked for. */
export function stepForm(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  const { form } = state.people;
  if (form === null) return stay(state);
  if (form.review !== null) return stepReview(state, form, form.review, matched, press);
  switch (matched?.action) {
    case 'back':
      return stay(closeForm(state));
    case 'next':
      return stay(focusOn(state, form, fieldBeside(form, 1)));
    case 'previous':
      return stay(focusOn(state, form, fieldBeside(form, -1)));
    case 'choose':
      return stay(choose(state, form, press));
    case 'activate':
      return stay(goOn(state, form));
    default:
      return stay(write(state, form, press));
  }
}

/** Pasted text goes into the field that has the focus; null where none has (A35). */
export function pasteIntoForm(state: ConsoleState, text: string): ConsoleState | null {
  const { form } = state.people;
  if (form === null || form.review !== null || form.focused === 'deed') return null;
  return insert(state, form, text);
}

function write(state: ConsoleState, form: ChangeForm, press: Press): ConsoleState {
  if (form.focused === 'deed') return state;
  if ('text' in press) return insert(state, form, press.text);
  const line = editLine(textOf(form, form.focused), press);
  return line === null ? state : withText(state, form, line);
}

/** A line break at the end is what copying leaves behind; one inside stays, so that two lines never pass for one. */
function insert(state: ConsoleState, form: ChangeForm, text: string): ConsoleState {
  const line = insertText(textOf(form, form.focused), text.replace(/[\r\n]+$/, ''));
  if (line.text.length <= MAX_FIELD_CHARS) return withText(state, form, line);
  return { ...state, notice: [span(label`That is too much for this field: nothing was put in.`, 'warning')] };
}

function withText(state: ConsoleState, form: ChangeForm, line: TextLine): ConsoleState {
  const { [form.focused]: _mended, ...mistakes } = form.mistakes;
  return withForm(state, { ...form, texts: { ...form.texts, [form.focused]: line }, mistakes });
}

function fieldBeside(form: ChangeForm, way: 1 | -1): FieldName {
  const fields = fieldsOf(form);
  return fields.at((fields.indexOf(form.focused) + way) % fields.length) ?? form.focused;
}

const focusOn = (state: ConsoleState, form: ChangeForm, focused: FieldName): ConsoleState =>
  withForm(state, { ...form, focused });

function choose(state: ConsoleState, form: ChangeForm, press: Press): ConsoleState {
  const { length } = keyDeeds(form.entry);
  const way = 'named' in press && press.named === 'left' ? -1 : 1;
  return withForm(state, { ...form, deed: (form.deed + way + length) % length });
}

/** Enter goes to the next field, and from the last one to what will be asked; or to the first field that is wrong. */
function goOn(state: ConsoleState, form: ChangeForm): ConsoleState {
  const fields = fieldsOf(form);
  if (form.focused !== fields.at(-1)) return focusOn(state, form, fieldBeside(form, 1));
  const read = readForm(form);
  if ('mistakes' in read) {
    const focused = fields.find((field) => read.mistakes[field] !== undefined) ?? form.focused;
    return withForm(state, { ...form, mistakes: read.mistakes, focused });
  }
  const review = { ...read, focused: 'cancel', top: 0, isAsking: false, failure: null } as const;
  return withForm(state, { ...form, mistakes: {}, review });
}

function stepReview(
  state: ConsoleState,
  form: ChangeForm,
  review: ChangeReview,
  matched: MatchedAction | null,
  press: Press,
): Step {
  if (matched === null || review.isAsking) return stay(state);
  const change = (changed: Partial<ChangeReview>): ConsoleState =>
    withForm(state, { ...form, review: { ...review, ...changed } });
  switch (matched.action) {
    case 'back':
      return stay(withForm(state, { ...form, review: null }));
    case 'next':
    case 'previous':
      return stay(
        change({ focused: buttonBeside(press, 'ask') ?? (review.focused === 'cancel' ? 'ask' : 'cancel') }),
      );
    case 'activate':
      return isSettled(state) ? activate(state, form, review) : stay(state);
    default: {
      const { top, height, total } = reviewWindow(state);
      const moved = movement(matched, height);
      if (moved === null) return stay(state);
      return stay(change({ top: Math.max(0, Math.min(top + moved, total - height)) }));
    }
  }
}

function activate(state: ConsoleState, form: ChangeForm, review: ChangeReview): Step {
  if (review.focused === 'cancel') return stay(closeForm(state));
  const refuse = (words: Pick<ChangeReview, 'failure'>): Step =>
    stay(withForm(state, { ...form, review: { ...review, ...words, focused: 'cancel' } }));
  if (!isLiveLink(state)) {
    return refuse({
      failure: {
        message: label`not connected to the broker`,
        hint: label`wait until the connection is back`,
      },
    });
  }
  if (isOutdated(form, state.people)) {
    const message = label`this was changed while you wrote`;
    return refuse({ failure: { message, hint: label`close the form and look at what there is now` } });
  }
  const asking = { ...form, review: { ...review, isAsking: true, failure: null } };
  const number = state.people.asked.number + 1;
  const asked = { number, name: nameIn(review.change), made: null };
  return stay(withPeople(state, { form: asking, asked }), {
    type: 'changeEnrolled',
    number,
    change: review.change,
    reason: review.reason,
  });
}

/** Whether the entry is another one by now than when the form was opened on it. */
function isOutdated({ entry }: ChangeForm, { entries }: PeopleState): boolean {
  if (entry === null) return false;
  const now = entries?.find(({ of, name }) => of === entry.of && name === entry.name);
  return JSON.stringify(now) !== JSON.stringify(entry);
}

function nameIn({ of, change }: DirectoryChange): Entry['name'] {
  if (change.change !== 'add') return change.name;
  return of === 'people' ? change.person.name : change.submitter.name;
}

/** Takes over what became of the change that was asked for last. */
export function hearChange(state: ConsoleState, event: ChangeEvent): ConsoleState {
  const { asked, form } = state.people;
  if (event.number !== asked.number) return state;
  if (event.type === 'changeMade') {
    return withPeople(state, { form: null, asked: { ...asked, made: event.made } });
  }
  if (form?.review == null) return state;
  const { message, hint } = event;
  const review = { ...form.review, isAsking: false, focused: 'cancel', failure: { message, hint } } as const;
  return withForm(state, { ...form, review });
}

function closeForm(state: ConsoleState): ConsoleState {
  return { ...withForm(state, null), notice: [span(label`Cancelled: nothing was asked for.`, 'strong')] };
}

const withForm = (state: ConsoleState, form: ChangeForm | null): ConsoleState => withPeople(state, { form });
