import type { Person, Submitter, SubmitterCredential } from '../../src/protocol/roster-messages.js';
import type { Action } from '../keys/key-table.js';
import { bodyRows } from '../screen/screen-layout.js';
import type { Tone } from '../screen/theme.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { BLANK, cutLine, fitLine, type Line, markedSpans, span, spreadLine } from '../text/line.js';
import { placardLines } from '../text/line-wrapping.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { askedLine } from './asked-change.js';
import { changeFormLines } from './change-form-lines.js';
import { kindOf } from './change-form-step.js';
import { reviewWindow } from './change-review-lines.js';
import { entryLines } from './entry-lines.js';
import { keyTrouble, keyTypeText } from './key-words.js';
import { type Entry, entryIndex, type ListRow, listRows, selectedEntry } from './people-state.js';
import { countWaiting, waitingChanges } from './waiting-changes.js';

const exact = (text: string, tone: Tone = 'text'): Line =>
  markedSpans(safeText(text, { reading: 'exact' }), tone);

/** The list, or one entry of it in full. */
export function peopleLines(state: ConsoleState, height: number): readonly Line[] {
  const { people } = state;
  if (people.form !== null) return changeFormLines(state, people.form, height);
  if (people.entries === null) return nothingLines(state, height);
  if (people.openedTop !== null) {
    const { lines, top } = entryWindow(state);
    return lines.slice(top, top + height);
  }
  return listRows(people.entries)
    .slice(people.top, people.top + height)
    .map((row) => rowLine(row, state));
}

/** The selected entry in full, and which of its lines are on the screen. */
export function entryWindow(state: ConsoleState) {
  const entry = selectedEntry(state.people);
  const lines = entry === null ? [] : entryLines(entry, state);
  const height = bodyRows(state);
  const top = Math.max(0, Math.min(state.people.openedTop ?? 0, lines.length - height));
  return { lines, height, top };
}

function nothingLines({ people: { failure }, size, queue }: ConsoleState, height: number): readonly Line[] {
  const words: readonly Line[] =
    failure !== null
      ? [[span(label`✗ ${failure.message}`, 'danger')], [span(failure.hint)]]
      : queue.link.state === 'live'
        ? [[span(label`Asking the broker…`, 'strong')]]
        : [[span(label`Not connected: who is enrolled is not known.`, 'warning')]];
  return placardLines(words, size.columns, height);
}

/** Columns of the name, and of what stands beside it. */
function columnsOf(columns: number): { readonly name: number; readonly second: number } {
  if (columns >= 100) return { name: 30, second: 32 };
  return columns >= 70 ? { name: 22, second: 22 } : { name: 16, second: 16 };
}

function rowLine(row: ListRow, state: ConsoleState): Line {
  const { columns } = state.size;
  switch (row.kind) {
    case 'gap':
      return BLANK;
    case 'heading':
      return headingLine(row.of, row.count, state);
    case 'nobody':
      return cutLine(
        [
          span(
            row.of === 'people' ? label`   nobody is enrolled` : label`   none: no machine may ask`,
            'muted',
          ),
        ],
        columns,
      );
    case 'entry':
      return entryLine(row.entry, state);
  }
}

function headingLine(of: Entry['of'], count: number, { queue, size: { columns } }: ConsoleState): Line {
  const waiting = countWaiting(queue.requests, of);
  const { name, second } = columnsOf(columns);
  const [title, middle, last] =
    of === 'people'
      ? [label`People: ${count}`, label`Groups`, label`Keys`]
      : [label`Submitters: ${count}`, label`Asks`, label`For what`];
  const changes = waiting === 1 ? label`1 change waits ` : label`${waiting} changes wait `;
  return spreadLine(
    [
      span(label`   `),
      ...fitLine([span(title, 'muted')], name),
      span(label` `),
      ...fitLine([span(middle, 'muted')], second),
      span(label` `),
      span(last, 'muted'),
    ],
    waiting === 0 ? BLANK : [span(changes, 'warning')],
    columns,
  );
}

function entryLine(entry: Entry, state: ConsoleState): Line {
  const { columns } = state.size;
  const isSelected = entry === selectedEntry(state.people);
  const widths = columnsOf(columns);
  const { second, last } =
    entry.of === 'people' ? personCells(entry.person, state) : submitterCells(entry.submitter);
  const isYou = entry.of === 'people' && entry.name === state.identity.approver;
  const name: Line = [
    ...exact(entry.name, isSelected ? 'strong' : 'text'),
    ...(isYou ? [span(label` (you)`, 'muted')] : []),
  ];
  const waits = waitingChanges(state.queue.requests, entry).length > 0;
  return spreadLine(
    [
      span(isSelected ? label` ▸ ` : label`   `, 'accent'),
      ...fitLine(name, widths.name),
      span(label` `),
      ...fitLine(second, widths.second),
      span(label` `),
      ...last,
    ],
    waits ? [span(label`▲ change waits `, 'warning')] : [span(label` `)],
    columns,
  );
}

interface Cells {
  readonly second: Line;
  readonly last: Line;
}

function personCells({ groups, keys }: Person, state: ConsoleState): Cells {
  const types = [...new Set(keys.map(({ key }) => keyTypeText(key)))];
  const count = keys.length === 1 ? label`1 key` : label`${keys.length} keys`;
  const trouble = keyTrouble(keys, brokerNow(state));
  return {
    second: groups.length === 0 ? [span(label`none`, 'muted')] : exact(groups.join(', ')),
    last: [
      ...(trouble === null ? [] : [span(label`${trouble.words}  `, trouble.tone)]),
      span(label`${count}: `, 'muted'),
      ...types.flatMap((type, at): Line => [span(at === 0 ? label`` : label`, `), ...markedSpans(type)]),
    ],
  };
}

function submitterCells({ credential, limits }: Submitter): Cells {
  return {
    second: credentialLine(credential),
    last: [
      ...exact(limits.actions.join(', ')),
      span(label` on `, 'muted'),
      ...exact(limits.resources.join(', ')),
    ],
  };
}

function credentialLine(credential: SubmitterCredential): Line {
  switch (credential.kind) {
    case 'key':
      return [span(label`by key, `), ...markedSpans(keyTypeText(credential.key))];
    case 'token':
      return [span(label`by bearer token`)];
    case 'socket':
      return [span(label`over the socket`)];
    case 'oidc':
      return exact(credential.issuer);
  }
}

/** Why what is shown may be old; else where the rest of a change is done. */
export function peopleStatus(state: ConsoleState): Line {
  const { failure, entries, form } = state.people;
  if (entries === null || form !== null) return BLANK;
  if (failure !== null) return [span(label`✗ ${failure.message}: this may be old`, 'danger')];
  if (!isLiveLink(state)) return [span(label`As it was when the connection was lost.`, 'warning')];
  return askedLine(state);
}

export function peoplePosition(state: ConsoleState): SafeText {
  const { people } = state;
  if (people.form !== null) return reviewPosition(state);
  const total = people.entries?.length ?? 0;
  if (people.openedTop !== null) {
    const { lines, height, top } = entryWindow(state);
    if (lines.length <= height) return label``;
    return label`lines ${top + 1}–${Math.min(top + height, lines.length)} of ${lines.length}`;
  }
  return total === 0 ? label`` : label`${entryIndex(people) + 1} of ${total}`;
}

export function hiddenInPeople({ people }: ConsoleState): readonly Action[] {
  if (people.form !== null) return people.form.review?.isAsking === true ? ['next', 'back'] : [];
  const entry = selectedEntry(people);
  const moves: readonly Action[] = entry === null ? ['down', 'up', 'pageDown', 'open'] : [];
  const changes: readonly Action[] = ['enrolPerson', 'enrolSubmitter', 'setNames', 'changeKeys', 'remove'];
  return [...moves, ...changes.filter((action) => people.entries === null || kindOf(action, entry) === null)];
}

function reviewPosition(state: ConsoleState): SafeText {
  const { top, height, total } = reviewWindow(state);
  return total <= height ? label`` : label`lines ${top + 1}–${Math.min(top + height, total)} of ${total}`;
}
