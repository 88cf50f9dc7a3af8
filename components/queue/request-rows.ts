import type { Name, RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { RequestGroups } from './request-groups.js';

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

/** Where the rows of requests stand: for every member of every row. */
export interface RowPlaces {
  get(id: RequestId): number | undefined;
  has(id: RequestId): boolean;
}

/** The whole queue in the order in which it is shown. */
export interface RequestRows {
  readonly rows: readonly RequestRow[];
  readonly indexOf: RowPlaces;
  /** How many requests are pending. */
  readonly pending: number;
  /** How many of those are left alone for a while. */
  readonly snoozed: number;
  /** How many have a grant in use. */
  readonly active: number;
}

/** So many rows of one submitter stand before those of the others; the rest stands behind them. */
const FIRST_ROWS = 5;

/**
 * Orders the queue: pending requests oldest first, but no flood of one submitter before the others (A32), then all others, the last
 * changed first.
 */
export const requestRows = ({ ordered }: RequestGroups): RequestRows => orderedRows(shareFirstRows(ordered));

/** Rows that stand in their order already. */
export function orderedRows(rows: readonly RequestRow[]): RequestRows {
  let [pending, snoozed, active] = [0, 0, 0];
  for (const { section, request, members, isSnoozed } of rows) {
    if (section === 'pending') pending += members.length;
    else if (request.state === 'active') active += 1;
    if (isSnoozed) snoozed += members.length;
  }
  return { rows, indexOf: new FoundPlaces(rows), pending, snoozed, active };
}

/** Few places are ever asked for: looking for those is much cheaper than writing all of ten thousand down for each picture. */
class FoundPlaces implements RowPlaces {
  readonly #rows: readonly RequestRow[];
  readonly #found = new Map<RequestId, number | undefined>();

  constructor(rows: readonly RequestRow[]) {
    this.#rows = rows;
  }

  get(id: RequestId): number | undefined {
    if (this.#found.has(id)) return this.#found.get(id);
    const index = this.#rows.findIndex(
      ({ request, members }) =>
        request.id === id || (members.length > 1 && members.some((one) => one.id === id)),
    );
    const place = index < 0 ? undefined : index;
    this.#found.set(id, place);
    return place;
  }

  has(id: RequestId): boolean {
    return this.get(id) !== undefined;
  }
}

/** The request of a row that is shown while `selected` is under the cursor: never another one than that. */
export function shownRequest({ request, members }: RequestRow, selected: RequestId | null): RequestView {
  return members.find(({ id }) => id === selected) ?? request;
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
