import type { Database, Statement } from 'better-sqlite3';
import type { RequestId } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import { isLive, type RequestState } from '../../../src/protocol/request-view.js';
import type { EpochMs } from '../../../src/protocol/time.js';

/** Most bodies that one commit erases, so that it does not keep others waiting for long. */
const MAX_BODIES = 128;

/** An entry of the log about a request. */
export interface RequestEntry {
  readonly seq: number;
  readonly at: EpochMs;
  readonly kind: string;
  /** Whether its body is there. */
  readonly isWhole: boolean;
  /** Whether its hash covers the body itself, so that it cannot go. */
  readonly isBound: boolean;
  /** The request that passed under this one, which is a grant; null for every other entry. */
  readonly by: RequestId | null;
}

/** What stands of a closed request. */
export interface Remains {
  /** All of the log about it, oldest first. */
  readonly entries: readonly RequestEntry[];
  /** Whether some of that has to leave the broker still. */
  readonly isAwaited: boolean;
}

/** What one commit erases. */
export interface ErasurePlan {
  /** Requests of which nothing is left. */
  readonly requests: readonly RequestId[];
  /** Entries whose body goes, of those requests and of {@link unfinished}. */
  readonly entries: readonly number[];
  readonly unfinished: RequestId | null;
}

/** What is about a request and nothing else; of what it changed in roster and policy the log keeps everything. */
const isOfRequest = ({ kind }: RequestEntry): boolean => /^request(?:er)?\./.test(kind);

/**
 * Decides what goes.
 *
 * @param before nothing may have been logged about a request from this time on
 * @param look null for a request that has to stay
 * @param isKept whether something stands of a request that passed under a grant
 */
export function planErasure(
  ids: readonly RequestId[],
  before: EpochMs,
  look: (id: RequestId) => Remains | null,
  isKept: (id: RequestId) => boolean,
): ErasurePlan {
  const requests = new Set<RequestId>();
  const bodies: number[] = [];
  for (const id of ids) {
    const remains = look(id);
    if (remains === null || remains.isAwaited) continue;
    const { entries } = remains;
    if (entries.length === 0 || entries.some(({ at }) => at >= before)) continue;
    const own = entries.filter(isOfRequest);
    if (own.some(({ isBound }) => isBound)) continue;
    // Who reads what passed under a grant wants to know who gave it.
    if (own.some(({ by }) => by !== null && by !== id && !requests.has(by) && isKept(by))) continue;
    const whole = own.filter(({ isWhole }) => isWhole).map(({ seq }) => seq);
    const room = MAX_BODIES - bodies.length;
    bodies.push(...whole.slice(0, room));
    if (whole.length > room) return { requests: [...requests], entries: bodies, unfinished: id };
    requests.add(id);
  }
  return { requests: [...requests], entries: bodies, unfinished: null };
}

/** How an erased request ended: what is answered to its document for ever. */
export function erasedProblem(end: RequestState): Problem {
  const code = end === 'redeemed' || isLive(end) ? 'spent' : end;
  return new Problem(code, `this was asked before and is ${end}; it is so old that it was erased`, {
    hint: 'ask again, with a nonce of its own',
  });
}

interface EntryRow extends Pick<RequestEntry, 'seq' | 'at' | 'kind' | 'by'> {
  readonly whole: number;
  readonly bound: number;
}

/** Finds what retention may erase. */
export class RemainsReader {
  readonly #closed: Statement<[string, string, number], RequestId>;
  readonly #isKept: Statement<[string], number>;
  readonly #entries: Statement<[string], EntryRow>;
  readonly #isAwaited: Statement<{ readonly id: string; readonly last: number }, number>;

  constructor(database: Database) {
    this.#closed = database
      .prepare<[string, string, number], RequestId>(
        `SELECT id FROM request_search
         WHERE state NOT IN ('pending', 'approved', 'active') AND id > ? AND id < ? ORDER BY id LIMIT ?`,
      )
      .pluck();
    this.#isKept = database
      .prepare<[string], number>("SELECT 1 FROM requests WHERE id = ? AND state <> 'erased'")
      .pluck();
    this.#entries = database.prepare(
      `SELECT seq, at, kind, body <> '' AS whole, digest IS NULL AS bound,
         CASE WHEN kind = 'request.used' AND body <> '' THEN body ->> 'by' END AS by
       FROM events WHERE request = ? ORDER BY seq`,
    );
    this.#isAwaited = database
      .prepare<{ readonly id: string; readonly last: number }, number>(
        `SELECT EXISTS (SELECT 1 FROM outbox WHERE event IN (SELECT seq FROM events WHERE request = :id))
           OR EXISTS (SELECT 1 FROM sinks WHERE position < :last)`,
      )
      .pluck();
  }

  closed(after: string, before: string, limit: number): readonly RequestId[] {
    return this.#closed.all(after, before, limit);
  }

  isKept(id: RequestId): boolean {
    return this.#isKept.get(id) !== undefined;
  }

  /** Null for what is not there, or erased. */
  remains(id: RequestId): Remains | null {
    if (!this.isKept(id)) return null;
    const entries = this.#entries
      .all(id)
      .map(({ whole, bound, ...entry }) => ({ ...entry, isWhole: whole === 1, isBound: bound === 1 }));
    const last = entries.at(-1)?.seq ?? 0;
    return { entries, isAwaited: this.#isAwaited.get({ id, last }) === 1 };
  }
}

/** Erases, inside the transaction of the writer. The digest of a document stays, so that it is never a new one. */
export class EraseStatements {
  readonly #row: Statement;
  readonly #search: Statement;
  readonly #askers: Statement;
  readonly #body: Statement;

  constructor(database: Database) {
    this.#row = database.prepare(
      `UPDATE requests SET state = 'erased', scope = zeroblob(32), requester = '', resource = '', canonical = '',
         vouched = NULL, verified = NULL, rule = '', policy = zeroblob(32),
         life = json_object('end', state, 'endedAt', life ->> 'endedAt')
       WHERE id = ?`,
    );
    this.#search = database.prepare('DELETE FROM request_search WHERE id = ?');
    this.#askers = database.prepare('DELETE FROM askers WHERE request = ?');
    this.#body = database.prepare("UPDATE events SET body = '' WHERE seq = ?");
  }

  run({ requests, entries }: Pick<ErasurePlan, 'requests' | 'entries'>): void {
    for (const seq of entries) this.#body.run(seq);
    for (const id of requests) {
      this.#row.run(id);
      this.#search.run(id);
      this.#askers.run(id);
    }
  }
}
