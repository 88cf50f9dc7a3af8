import type { Name, RequestId } from '../../src/protocol/names.js';
import { isLive, type RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** One row of the queue: requests of equal scope that stand alike, of which one is shown. */
export interface RequestRow {
  readonly section: 'pending' | 'earlier';
  /** The one that is shown and acted on unless another one is selected: the oldest that somebody waits for. */
  readonly request: RequestView;
  /** All of them, in the order in which they came. */
  readonly members: readonly RequestView[];
  /** Left alone for a while on this console (snoozes.ts). */
  readonly isSnoozed: boolean;
}

/** The whole queue in the order in which it is shown. */
export interface RequestRows {
  readonly rows: readonly RequestRow[];
  /** Where the row of a request stands, for every member of every row. */
  readonly indexOf: ReadonlyMap<RequestId, number>;
  readonly pending: number;
}

/** So many rows of one submitter stand before those of the others; the rest stands behind them. */
const FIRST_ROWS = 5;

/**
 * Orders the queue: pending requests oldest first, but no flood of one submitter before the others (A32), then all others, the last
 * changed first. Requests of equal scope collapse into
 * one row (A31), pending ones with each other, others only where they ended alike.
 */
export function requestRows(requests: ReadonlyMap<RequestId, RequestView>): RequestRows {
  // Each by a text that there is already: making one for each of ten thousand takes longer than all else.
  const [pending, others] = [new Map<string, RequestView[]>(), new Map<string, RequestView[]>()];
  for (const request of requests.values()) {
    const isPending = request.state === 'pending';
    const groups = isPending ? pending : others;
    const key = isPending ? request.scope : groupKey(request);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [request]);
    else group.push(request);
  }
  const rows = (groups: ReadonlyMap<string, RequestView[]>) => [...groups.values()].map(toRow).sort(byOrder);
  return orderedRows(shareFirstRows([...rows(pending), ...rows(others)]));
}

/** Rows that stand in their order already. */
export function orderedRows(rows: readonly RequestRow[]): RequestRows {
  const indexOf = new Map<RequestId, number>();
  let pending = 0;
  rows.forEach(({ section, members }, index) => {
    for (const { id } of members) indexOf.set(id, index);
    if (section === 'pending') pending += members.length;
  });
  return { rows, indexOf, pending };
}

/** The request of a row that is shown while `selected` is under the cursor: never another one than that. */
export function shownRequest({ request, members }: RequestRow, selected: RequestId | null): RequestView {
  return members.find(({ id }) => id === selected) ?? request;
}

/** What is not pending, by how it stands. */
function groupKey({ id, scope, state, report }: RequestView): string {
  // What is approved can still open: each stands for itself.
  if (isLive(state)) return id;
  return `${state} ${report?.outcome ?? '-'} ${scope}`;
}

function toRow(group: RequestView[]): RequestRow {
  const members = group.length === 1 ? group : group.sort(byAge);
  const section = members[0]?.state === 'pending' ? 'pending' : 'earlier';
  const request =
    section === 'pending' ? (members.find(({ waiting }) => waiting > 0) ?? members[0]) : members.at(-1);
  if (request === undefined) throw new TypeError('a row without requests');
  return { section, request, members, isSnoozed: false };
}

/** Keeps the order but for what one submitter has beyond {@link FIRST_ROWS} pending rows: that goes behind all pending ones. */
function shareFirstRows(rows: readonly RequestRow[]): readonly RequestRow[] {
  const [first, beyond, earlier]: [RequestRow[], RequestRow[], RequestRow[]] = [[], [], []];
  const counts = new Map<Name, number>();
  for (const row of rows) {
    const { submitter } = row.request;
    const count = counts.get(submitter) ?? 0;
    if (row.section === 'pending') counts.set(submitter, count + 1);
    (row.section === 'earlier' ? earlier : count < FIRST_ROWS ? first : beyond).push(row);
  }
  return [...first, ...beyond, ...earlier];
}

function byOrder(a: RequestRow, b: RequestRow): number {
  if (a.section !== b.section) return a.section === 'pending' ? -1 : 1;
  if (a.section === 'pending') return byAge(a.request, b.request);
  return changedAt(b.request) - changedAt(a.request) || byAge(b.request, a.request);
}

function changedAt({ submittedAt, votes, redeemedAt, report, endedAt }: RequestView): EpochMs {
  return Math.max(submittedAt, votes.at(-1)?.decided ?? 0, redeemedAt ?? 0, report?.at ?? 0, endedAt ?? 0);
}

/** Oldest first; ids are ULIDs, so equal times keep the order in which they came. */
function byAge(a: RequestView, b: RequestView): number {
  return a.submittedAt - b.submittedAt || (a.id < b.id ? -1 : 1);
}
