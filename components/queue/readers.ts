import type { Name, RequestId } from '../../src/protocol/names.js';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';
import { BLANK, cutLine, type Line, span } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import type { RequestRow } from './request-rows.js';

/** Columns that a name takes at most: it stands in full in the roster. */
const NAME = 24;
/** So many are named in a request; the others are counted. */
const NAMED = 2;

/** Who else has a request open; nobody while the picture may be old. */
export function otherReaders(state: ConsoleState, id: RequestId): readonly Name[] {
  if (!isLiveLink(state)) return [];
  return state.queue.reading.get(id)?.filter((name) => name !== state.identity.approver) ?? [];
}

/** Who else reads any of the requests of a row, for the rows that somebody reads. */
export function readersByRow(state: ConsoleState): ReadonlyMap<RequestRow, readonly Name[]> {
  const { rows, indexOf } = state.rows;
  const readers = new Map<RequestRow, readonly Name[]>();
  for (const id of state.queue.reading.keys()) {
    const row = rows[indexOf.get(id) ?? -1];
    const names = otherReaders(state, id);
    if (row === undefined || names.length === 0) continue;
    readers.set(row, [...new Set([...(readers.get(row) ?? []), ...names])]);
  }
  return readers;
}

/** Short, for the end of a row; empty where nobody reads. */
export function readingNote(names: readonly Name[]): Line {
  const [first, ...others] = names;
  if (first === undefined) return BLANK;
  const more = others.length === 0 ? label`` : label` +${others.length}`;
  return [...nameLine(first), span(label`${more} reading`, 'muted')];
}

/** In words, for the head of a request; empty where nobody reads. */
export function readingLine(names: readonly Name[]): Line {
  const named = names.slice(0, names.length > NAMED + 1 ? NAMED : NAMED + 1);
  const counted = names.length - named.length;
  if (named.length === 0) return BLANK;
  const parts: readonly Line[] = [
    ...named.map(nameLine),
    ...(counted > 0 ? [[span(label`${counted} more`, 'strong')]] : []),
  ];
  const verb = names.length === 1 ? label` is reading this` : label` are reading this`;
  return [...parts.flatMap((part, at) => [...joint(at, parts.length), ...part]), span(verb, 'muted')];
}

function joint(at: number, count: number): Line {
  if (at === 0) return BLANK;
  return [span(at === count - 1 ? label` and ` : label`, `, 'muted')];
}

const nameLine = (name: Name): Line => cutLine([span(safeText(name, { reading: 'exact' }), 'strong')], NAME);
