import type { RequestView } from '../../src/protocol/request-view.js';
import { TABLE_COLUMNS } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import type { ConsoleState } from '../state/console-state.js';
import { standingApprovals } from './grants-state.js';

/** One item of the screen: each takes {@link ITEM_ROWS} rows. */
export type GrantItem =
  | { readonly kind: 'grant' | 'watched'; readonly request: RequestView }
  /** Stands over what doors watch. */
  | { readonly kind: 'heading' };

const ITEM_ROWS = 2;
/** The names of the columns, where there are columns. */
export const headingRows = ({ size }: Pick<ConsoleState, 'size'>): 0 | 1 =>
  size.columns >= TABLE_COLUMNS ? 1 : 0;
/** What the selected one covers; with less room for the items than two, it is left to the request itself. */
const PANEL_ROWS = 6;
const SMALL_PANEL_ROWS = 4;
const ROOMY = 18;
const FEWEST_ITEMS = 2;

export function grantItems({ queue, grants }: Pick<ConsoleState, 'queue' | 'grants'>): readonly GrantItem[] {
  const { grants: inForce, watched } = standingApprovals(queue.requests, grants.told);
  return [
    ...inForce.map((request) => ({ kind: 'grant' as const, request })),
    ...(watched.length === 0 ? [] : [{ kind: 'heading' as const }]),
    ...watched.map((request) => ({ kind: 'watched' as const, request })),
  ];
}

/** The requests among the items, in their order. */
export const requestsOf = (items: readonly GrantItem[]): readonly RequestView[] =>
  items.flatMap((item) => (item.kind === 'heading' ? [] : [item.request]));

/** The one under the cursor; null where there is none. */
export function selectedApproval(state: Pick<ConsoleState, 'queue' | 'grants'>): RequestView | null {
  return requestsOf(grantItems(state)).find(({ id }) => id === state.grants.selected) ?? null;
}

/** Rows of the panel below the items. */
export function panelRows(state: ConsoleState): number {
  const rows = bodyRows(state);
  const panel = rows >= ROOMY ? PANEL_ROWS : SMALL_PANEL_ROWS;
  return rows - headingRows(state) - panel < FEWEST_ITEMS * ITEM_ROWS ? 0 : panel;
}

/** How many items are on the screen at once. */
export const grantCapacity = (state: ConsoleState): number =>
  Math.max(1, Math.floor((bodyRows(state) - headingRows(state) - panelRows(state)) / ITEM_ROWS));

/** The smallest move of the window that brings the selected item onto the screen, with what stands above the first one. */
export function followApproval(state: ConsoleState): number {
  const items = grantItems(state);
  const capacity = grantCapacity(state);
  const { selected, top } = state.grants;
  const index = Math.max(
    0,
    items.findIndex((item) => item.kind !== 'heading' && item.request.id === selected),
  );
  const isUnderHeading = items[index - 1]?.kind === 'heading' && capacity > 1;
  const first = isUnderHeading ? index - 1 : index;
  const last = Math.max(0, items.length - capacity);
  return Math.min(last, first < top ? first : Math.max(top, index - capacity + 1));
}
