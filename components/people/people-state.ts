import type { Enrolled } from '../../src/client/directory.js';
import type { Name } from '../../src/protocol/names.js';
import type { Person, Submitter } from '../../src/protocol/roster-messages.js';
import type { Complaint } from '../history/history-state.js';
import type { ConsoleState } from '../state/console-state.js';
import { type AskedChange, NOTHING_ASKED } from './asked-change.js';
import type { ChangeForm } from './change-form.js';

/** A person and a submitter may have the same name, so both parts tell an entry. */
export interface EntryName {
  readonly of: 'people' | 'submitters';
  readonly name: Name;
}

export type Entry =
  | { readonly of: 'people'; readonly name: Name; readonly person: Person }
  | { readonly of: 'submitters'; readonly name: Name; readonly submitter: Submitter };

/** People and submitters as they are looked at. */
export interface PeopleState {
  /** Replies to questions with other numbers are nobody's; 0 before the first. */
  readonly number: number;
  readonly isWaiting: boolean;
  readonly failure: Complaint | null;
  /** People before submitters, each by name; null before the first reply. */
  readonly entries: readonly Entry[] | null;
  readonly selected: EntryName | null;
  /** The first line of the list that is on the screen. */
  readonly top: number;
  /** The first line on the screen of the selected entry, where it is read in full; null while the list is. */
  readonly openedTop: number | null;
  /** A change while it is written. */
  readonly form: ChangeForm | null;
  readonly asked: AskedChange;
}

export const CLOSED_PEOPLE: PeopleState = {
  number: 0,
  isWaiting: false,
  failure: null,
  entries: null,
  selected: null,
  top: 0,
  openedTop: null,
  form: null,
  asked: NOTHING_ASKED,
};

export const withPeople = (state: ConsoleState, change: Partial<PeopleState>): ConsoleState => ({
  ...state,
  people: { ...state.people, ...change },
});

const isSameEntry = (a: EntryName, b: EntryName): boolean => a.of === b.of && a.name === b.name;

/** Where the selected entry stands; 0 where none is selected. */
export function entryIndex({ entries, selected }: PeopleState): number {
  if (selected === null) return 0;
  return Math.max(0, entries?.findIndex((entry) => isSameEntry(entry, selected)) ?? 0);
}

export const selectedEntry = (people: PeopleState): Entry | null =>
  people.entries?.[entryIndex(people)] ?? null;

/** Takes the list over. The selection stays with its entry; where that is gone it falls to what stands in its place. */
export function takeEnrolled(people: PeopleState, enrolled: Enrolled): PeopleState {
  const entries = entriesOf(enrolled);
  const { selected } = people;
  const isThere = selected !== null && entries.some((entry) => isSameEntry(entry, selected));
  const inItsPlace = entries[Math.min(entryIndex(people), entries.length - 1)];
  return {
    ...people,
    isWaiting: false,
    failure: null,
    entries,
    selected: isThere ? selected : nameOf(inItsPlace),
    openedTop: isThere ? people.openedTop : null,
  };
}

function entriesOf({ people, submitters }: Enrolled): readonly Entry[] {
  const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const persons = people.map((person): Entry => ({ of: 'people', name: person.name, person }));
  const askers = submitters.map(
    (submitter): Entry => ({ of: 'submitters', name: submitter.name, submitter }),
  );
  return [...persons.sort(byName), ...askers.sort(byName)];
}

export function moveEntry(people: PeopleState, count: number): PeopleState {
  const entries = people.entries ?? [];
  const index = Math.max(0, Math.min(entries.length - 1, entryIndex(people) + count));
  return { ...people, selected: nameOf(entries[index]) };
}

const nameOf = (entry: Entry | undefined): EntryName | null =>
  entry === undefined ? null : { of: entry.of, name: entry.name };

/** One row of the list: an entry, or what stands over and between them. */
export type ListRow =
  | { readonly kind: 'heading'; readonly of: EntryName['of']; readonly count: number }
  | { readonly kind: 'nobody'; readonly of: EntryName['of'] }
  | { readonly kind: 'gap' }
  | { readonly kind: 'entry'; readonly entry: Entry };

export function listRows(entries: readonly Entry[]): readonly ListRow[] {
  const section = (of: EntryName['of']): readonly ListRow[] => {
    const rows = entries.flatMap((entry): readonly ListRow[] =>
      entry.of === of ? [{ kind: 'entry', entry }] : [],
    );
    return [
      { kind: 'heading', of, count: rows.length },
      ...(rows.length === 0 ? [{ kind: 'nobody', of } as const] : rows),
    ];
  };
  return [...section('people'), { kind: 'gap' }, ...section('submitters')];
}

/** The smallest move of the window that brings the selected entry onto the screen; of the first ones with the heading over it. */
export function followEntry(people: PeopleState, height: number): PeopleState {
  const rows = listRows(people.entries ?? []);
  const selected = selectedEntry(people);
  const at = rows.findIndex((row) => row.kind === 'entry' && row.entry === selected);
  const first = rows[at - 1]?.kind === 'heading' ? at - 1 : at;
  const last = Math.max(0, rows.length - height);
  const wanted = first < people.top ? first : Math.max(people.top, at - height + 1);
  const top = Math.max(0, Math.min(last, wanted));
  return top === people.top ? people : { ...people, top };
}
