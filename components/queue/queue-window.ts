import type { ConsoleState } from '../state/console-state.js';
import { listLayout } from './list-layout.js';
import type { RequestRow } from './request-rows.js';

/** One item of the queue: each takes as many rows of the screen as the layout gives it. */
export type QueueItem =
  | { readonly kind: 'row'; readonly row: RequestRow }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'earlier'; readonly count: number };

/** The part of the queue that is on the screen. */
export interface QueueWindow {
  readonly items: readonly QueueItem[];
  readonly top: number;
  readonly total: number;
}

/** How many items fit into so many rows. */
export function queueCapacity(state: Parameters<typeof listLayout>[0], bodyRows: number): number {
  const { headingRows, itemRows } = listLayout(state);
  return Math.max(1, Math.floor((bodyRows - headingRows) / itemRows));
}

/** Cuts the items that are on the screen out of the queue; costs the same for ten rows and for ten thousand. */
export function queueWindow(state: ConsoleState, bodyRows: number): QueueWindow {
  const { rows, top } = state;
  const layout = itemLayout(rows.rows);
  const capacity = queueCapacity(state, bodyRows);
  const first = Math.max(0, Math.min(top, layout.total - capacity));
  const items: QueueItem[] = [];
  for (let at = first; at < Math.min(first + capacity, layout.total); at += 1) items.push(layout.itemAt(at));
  return { items, top: first, total: layout.total };
}

/** The smallest move of the window that brings the selected row onto the screen, with the heading above it. */
export function followSelection(state: ConsoleState, bodyRows: number): number {
  const { rows, selected, top } = state;
  const layout = itemLayout(rows.rows);
  const capacity = queueCapacity(state, bodyRows);
  const index = selected === null ? undefined : rows.indexOf.get(selected);
  const last = Math.max(0, layout.total - capacity);
  if (index === undefined) return Math.min(top, last);
  const item = layout.itemOf(index);
  const firstWanted = index === 0 ? 0 : item;
  if (firstWanted < top) return firstWanted;
  return Math.min(last, Math.max(top, item - capacity + 1));
}

function itemLayout(rows: readonly RequestRow[]) {
  const pending = countPending(rows);
  const before = pending === 0 ? 1 : 0;
  const heading = pending + before;
  const hasEarlier = rows.length > pending;
  return {
    total: rows.length + before + (hasEarlier ? 1 : 0),
    itemOf: (index: number): number => index + before + (index >= pending ? 1 : 0),
    itemAt(item: number): QueueItem {
      if (item < before) return { kind: 'nobody' };
      if (hasEarlier && item === heading) return { kind: 'earlier', count: rows.length - pending };
      const row = rows[item < heading ? item - before : item - before - 1];
      if (row === undefined) throw new RangeError('no such item in the queue');
      return { kind: 'row', row };
    },
  };
}

/** Pending rows come first, so the border is found by halving. */
function countPending(rows: readonly RequestRow[]): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]?.section === 'pending') low = middle + 1;
    else high = middle;
  }
  return low;
}
