import type { Database, Statement } from 'better-sqlite3';
import type { Filter } from '../../../src/protocol/filter.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { conditionOf, idSpan } from './search-condition.js';

/** Rows that a step looks at, and comparisons that it makes at most: about half a millisecond of work. */
const ROWS = 1_000;
const COMPARISONS = 6_000;

/**
 * A search of all requests from the newest back, in short steps.
 *
 * There is no index by requester, resource or the like, because each would cost every submit another random page. What is
 * searched stands in one narrow table in order of time instead, of which a step reads a stretch.
 */
export class RequestWalk {
  readonly #stretch: Statement<[string, string, number], { readonly id: RequestId }>;
  readonly #fitting: Statement<[string, string, ...string[], number], { readonly id: RequestId }>;
  readonly #parameters: readonly string[];
  readonly #from: string;
  readonly #last: number;
  #below: string;

  /** `before` as in {@link ListQuery}. */
  constructor(database: Database, filter: Filter, before: RequestId | null) {
    const { sql, parameters } = conditionOf(filter);
    const { from, below } = idSpan(filter);
    this.#parameters = parameters;
    this.#from = from;
    this.#below = before !== null && before < below ? before : below;
    this.#last = Math.min(ROWS, Math.ceil(COMPARISONS / Math.max(1, parameters.length))) - 1;
    this.#stretch = database.prepare(
      'SELECT id FROM request_search WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ?',
    );
    this.#fitting = database.prepare(
      `SELECT id FROM request_search WHERE id >= ? AND id < ? AND ${sql} ORDER BY id DESC LIMIT ?`,
    );
  }

  /** Looks on, and finds at most so many that fit, newest first. `next` is null once there is nothing left to look at. */
  step(limit: number): { readonly fitting: readonly RequestId[]; readonly next: RequestId | null } {
    const oldest = this.#stretch.get(this.#from, this.#below, this.#last)?.id ?? null;
    const rows = this.#fitting.all(oldest ?? this.#from, this.#below, ...this.#parameters, limit);
    this.#below = oldest ?? this.#from;
    return { fitting: rows.map(({ id }) => id), next: oldest };
  }
}
