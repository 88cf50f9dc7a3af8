import type { Person, Submitter, SubmitterCredential } from '../../src/protocol/roster-messages.js';
import type { Action } from '../keys/key-row.js';
import { TABLE_COLUMNS } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import type { Tone } from '../screen/theme.js';
import { windowText } from '../screen/window-text.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import {
  BLANK,
  cutLine,
  fitLine,
  type Line,
  lineWidth,
  markedSpans,
  piecesLine,
  span,
  spreadLine,
} from '../text/line.js';
import { placardLines } from '../text/line-wrapping.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { askedLine } from './asked-change.js';
import { changeFormLines } from './change-form-lines.js';
import { kindOf } from './change-form-step.js';
import { reviewStatus, reviewWindow } from './change-review-lines.js';
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
const columnsOf = (columns: number): { readonly name: number; readonly second: number } =>
  columns >= 100 ? { name: 30, second: 32 } : { name: 22, second: 22 };

/** What every name without columns leaves to the rest. */
const SHORT_REST = 16;
const MARKER = 3;

/** Columns of the names where nothing else has columns: as many as they need. */
function nameColumns({ people: { entries }, size, identity }: ConsoleState): number {
  const widths = (entries ?? []).map((entry) => lineWidth(nameLine(entry, identity.approver, 'text')));
  return Math.min(Math.max(...widths) + 2, size.columns - MARKER - SHORT_REST);
}

const isTable = ({ size }: ConsoleState): boolean => size.columns >= TABLE_COLUMNS;

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
  const note: Line = waiting === 0 ? BLANK : [span(changes, 'warning')];
  if (columns < TABLE_COLUMNS) return spreadLine([span(label`   ${title}`, 'muted')], note, columns);
  return spreadLine(
    [
      span(label`   `),
      ...fitLine([span(title, 'muted')], name),
      span(label` `),
      ...fitLine([span(middle, 'muted')], second),
      span(label` `),
      span(last, 'muted'),
    ],
    note,
    columns,
  );
}

function entryLine(entry: Entry, state: ConsoleState): Line {
  const { columns } = state.size;
  const isSelected = entry === selectedEntry(state.people);
  const marker = span(isSelected ? label` ▸ ` : label`   `, 'accent');
  const name = nameLine(entry, state.identity.approver, isSelected ? 'strong' : 'text');
  const { second, trouble, last } =
    entry.of === 'people' ? personCells(entry.person, state) : submitterCells(entry.submitter);
  const isWaiting = waitingChanges(state.queue.requests, entry).length > 0;
  const waits: Line = isWaiting ? [span(label`▲ change waits`, 'warning')] : BLANK;
  if (!isTable(state)) {
    const names = nameColumns(state);
    const rest = piecesLine([waits, trouble, second, last], columns - MARKER - names - 1);
    return [marker, ...fitLine(cutLine(name, names - 2), names), ...rest];
  }
  const widths = columnsOf(columns);
  return spreadLine(
    [
      marker,
      ...fitLine(name, widths.name),
      span(label` `),
      ...fitLine(second, widths.second),
      span(label` `),
      ...(trouble.length === 0 ? [] : [...trouble, span(label`  `)]),
      ...last,
    ],
    [...waits, span(label` `)],
    columns,
  );
}

const nameLine = ({ of, name }: Entry, approver: string, tone: Tone): Line => [
  ...exact(name, tone),
  ...(of === 'people' && name === approver ? [span(label` (you)`, 'muted')] : []),
];

interface Cells {
  readonly second: Line;
  /** What must not be overlooked. */
  readonly trouble: Line;
  readonly last: Line;
}

function personCells({ groups, keys }: Person, state: ConsoleState): Cells {
  const types = [...new Set(keys.map(({ key }) => keyTypeText(key)))];
  const count = keys.length === 1 ? label`1 key` : label`${keys.length} keys`;
  const trouble = keyTrouble(keys, brokerNow(state));
  return {
    second: groups.length === 0 ? [span(label`no group`, 'muted')] : exact(groups.join(', ')),
    trouble: trouble === null ? BLANK : [span(trouble.words, trouble.tone)],
    last: [
      span(label`${count}: `, 'muted'),
      ...types.flatMap((type, at): Line => [span(at === 0 ? label`` : label`, `), ...markedSpans(type)]),
    ],
  };
}

function submitterCells({ credential, limits }: Submitter): Cells {
  return {
    second: credentialLine(credential),
    trouble: BLANK,
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
  if (form !== null) return form.review === null ? BLANK : reviewStatus(state, form.review);
  if (entries === null) return BLANK;
  if (failure !== null) return [span(label`✗ ${failure.message}: this may be old`, 'danger')];
  if (!isLiveLink(state)) return [span(label`As it was when the connection was lost.`, 'warning')];
  return askedLine(state);
}

export function peoplePosition(state: ConsoleState): SafeText {
  const { people } = state;
  if (people.form !== null) return windowText(reviewWindow(state), state.size.columns);
  const total = people.entries?.length ?? 0;
  if (people.openedTop !== null) {
    const { lines, height, top } = entryWindow(state);
    return windowText({ top, height, total: lines.length }, state.size.columns);
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
