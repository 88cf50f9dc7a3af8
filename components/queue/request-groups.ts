import { changesBetween, type MapChange, PersistentMap } from '../../src/client/persistent-map.js';
import type { RequestId } from '../../src/protocol/names.js';
import { isLive, type RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { RequestRow } from './request-rows.js';

/**
 * The requests of a picture in their groups: those of equal scope are one (A31), pending ones with each other, others only where they
 * ended alike. Immutable.
 */
export interface RequestGroups {
  readonly requests: ReadonlyMap<RequestId, RequestView>;
  readonly byKey: PersistentMap<string, RequestRow>;
  /** All of them: pending ones first, oldest first, then the others, the last changed first. */
  readonly ordered: readonly RequestRow[];
}

const NO_GROUPS: RequestGroups = { requests: new Map(), byKey: PersistentMap.of([]), ordered: [] };

/** With more groups changed at once, sorting all is cheaper than finding the place of each. */
const FEW = 64;

/** The groups of a picture; cheap where it differs little from the one that they were made for before. */
export function groupRequests(
  requests: ReadonlyMap<RequestId, RequestView>,
  before: RequestGroups = NO_GROUPS,
): RequestGroups {
  if (requests === before.requests) return before;
  const members = changedMembers(before.byKey, changesBetween(before.requests, requests));
  const edits = new Map<string, RequestRow | undefined>();
  const gone = new Set<RequestRow>();
  const fresh: RequestRow[] = [];
  for (const [key, group] of members) {
    const old = before.byKey.get(key);
    if (old !== undefined) gone.add(old);
    const row = group.size === 0 ? undefined : toRow([...group.values()]);
    if (row !== undefined) fresh.push(row);
    edits.set(key, row);
  }
  const kept = gone.size === 0 ? [...before.ordered] : before.ordered.filter((row) => !gone.has(row));
  return { requests, byKey: before.byKey.with(edits), ordered: merged(kept, fresh) };
}

/** The members of each group of which one came, went or changed. */
function changedMembers(
  byKey: PersistentMap<string, RequestRow>,
  changes: readonly MapChange<RequestId, RequestView>[],
): ReadonlyMap<string, ReadonlyMap<RequestId, RequestView>> {
  const groups = new Map<string, Map<RequestId, RequestView>>();
  const groupOf = (request: RequestView): Map<RequestId, RequestView> => {
    const key = groupKey(request);
    const known = groups.get(key);
    if (known !== undefined) return known;
    const group = new Map((byKey.get(key)?.members ?? []).map((member) => [member.id, member]));
    groups.set(key, group);
    return group;
  };
  for (const { key: id, before, after } of changes) {
    if (before !== undefined) groupOf(before).delete(id);
    if (after !== undefined) groupOf(after).set(id, after);
  }
  return groups;
}

/** By a text that there is already, where that is enough: ten thousand new ones for each picture would take longer than all else. */
function groupKey({ id, scope, state, report }: RequestView): string {
  if (state === 'pending') return scope;
  // What is approved can still open: each stands for itself.
  return isLive(state) ? id : `${state} ${report?.outcome ?? '-'} ${scope}`;
}

function toRow(group: RequestView[]): RequestRow {
  const members = group.length === 1 ? group : group.sort(byAge);
  const section = members[0]?.state === 'pending' ? 'pending' : 'earlier';
  const request =
    section === 'pending' ? (members.find(({ waiting }) => waiting > 0) ?? members[0]) : members.at(-1);
  if (request === undefined) throw new TypeError('a row without requests');
  return { section, request, members, isSnoozed: false };
}

/** Puts rows into those that are in order. */
function merged(rows: RequestRow[], fresh: readonly RequestRow[]): readonly RequestRow[] {
  if (fresh.length > FEW) return [...rows, ...fresh].sort(byOrder);
  for (const row of fresh) rows.splice(placeFor(row, rows), 0, row);
  return rows;
}

function placeFor(row: RequestRow, rows: readonly RequestRow[]): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = rows[middle];
    if (other !== undefined && byOrder(other, row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
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
