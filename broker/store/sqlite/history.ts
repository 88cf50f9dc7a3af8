import type { Database, Statement } from 'better-sqlite3';
import type { SignedHead } from '../../../src/protocol/audit-head.js';
import { GENESIS, type LogEntry } from '../../../src/protocol/event-log.js';
import { leastIdAt, matchesFilter, subjectOf } from '../../../src/protocol/filter.js';
import type { Digest, Name, RequestId } from '../../../src/protocol/names.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import type { Request } from '../../requests/request.js';
import type {
  Asker,
  EventQuery,
  ListPage,
  ListQuery,
  OutcomePage,
  OutcomeQuery,
  RequestKey,
  TokenHash,
} from '../store.js';
import { erasedProblem, type Remains, RemainsReader } from './erasure.js';
import { EVENT_COLUMNS, type EventRow, entryFromRow, LINK_COLUMNS, linkOf } from './event-rows.js';
import type { KeyIndexes } from './key-index.js';
import { OutcomeWalk } from './outcome-walk.js';
import { reading } from './reading.js';
import { RequestWalk } from './request-walk.js';
import {
  bytesOf,
  digestBytes,
  endOfErased,
  REQUEST_COLUMNS,
  type RequestRow,
  requestFromRow,
} from './rows.js';
import { Turns } from './turns.js';

/** Requests that a list reads in one turn, about a millisecond of work. */
const READ_AT_ONCE = 16;

/** Reads what is not held in memory. Each method throws Problem `storage-failed`, or `draining` once closed. */
export class History {
  readonly #byId: Statement<[string], RequestRow>;
  readonly #byDigest: Statement<[number, Buffer, string], RequestRow>;
  readonly #asker: Statement<[number, Buffer], { readonly request: RequestId; readonly attached: number }>;
  readonly #events: Statement<[number, number], EventRow>;
  readonly #links: Statement<[number, number], EventRow>;
  readonly #eventsOf: Statement<[string, number, number], EventRow>;
  readonly #heads: Statement<[number, number], SignedHead>;
  readonly #signersFile: Statement<[Buffer], { readonly text: string }>;
  readonly #eventHash: Statement<[number], { readonly hash: Buffer }>;
  readonly #lastUse: Statement<[string], { readonly at: EpochMs }>;

  readonly #remains: RemainsReader;
  readonly #outcomes: OutcomeWalk;

  readonly #database: Database;
  readonly #indexes: KeyIndexes;
  readonly #turns = new Turns();

  constructor(database: Database, indexes: KeyIndexes) {
    this.#database = database;
    this.#indexes = indexes;
    this.#byId = database.prepare(`SELECT ${REQUEST_COLUMNS} FROM requests WHERE id = ?`);
    this.#byDigest = database.prepare(
      `SELECT ${REQUEST_COLUMNS} FROM requests WHERE n = ? AND digest = ? AND submitter = ?`,
    );
    this.#asker = database.prepare('SELECT request, attached FROM askers WHERE n = ? AND hash = ?');
    this.#events = database.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`);
    this.#links = database.prepare(`SELECT ${LINK_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`);
    this.#eventsOf = database.prepare(
      `SELECT ${EVENT_COLUMNS} FROM events WHERE request = ? AND seq > ? ORDER BY seq LIMIT ?`,
    );
    this.#heads = database.prepare('SELECT seq, text FROM heads WHERE seq > ? ORDER BY seq LIMIT ?');
    this.#signersFile = database.prepare('SELECT text FROM signers_files WHERE digest = ?');
    this.#remains = new RemainsReader(database);
    this.#outcomes = new OutcomeWalk(database);
    this.#eventHash = database.prepare('SELECT hash FROM events WHERE seq = ?');
    this.#lastUse = database.prepare(
      "SELECT at FROM events WHERE request = ? AND kind = 'request.used' ORDER BY seq DESC LIMIT 1",
    );
  }

  /** @throws Problem of how it ended, for the document of a request that was erased */
  find(key: RequestKey): Request | null {
    return this.#read(() => {
      const row = 'id' in key ? this.#byId.get(key.id) : this.#findByDigest(key.digest, key.submitter);
      const end = row === undefined ? null : endOfErased(row);
      if (end !== null && !('id' in key)) throw erasedProblem(end);
      return row === undefined || end !== null ? null : requestFromRow(row);
    });
  }

  /** Ids of closed requests, oldest first. */
  closed(after: RequestId | null, before: EpochMs, limit: number): readonly RequestId[] {
    return this.#read(() => this.#remains.closed(after ?? '', leastIdAt(before), limit));
  }

  /** Null for what is not there, or erased. */
  remains(id: RequestId): Remains | null {
    return this.#read(() => this.#remains.remains(id));
  }

  isKept(id: RequestId): boolean {
    return this.#read(() => this.#remains.isKept(id));
  }

  /** See {@link Store.list}. What no longer fits when it is read, or was erased since it was found, is left out. */
  async list({ filter, before, limit }: ListQuery, goesOn: () => boolean): Promise<ListPage> {
    const walk = this.#read(() => new RequestWalk(this.#database, filter, before));
    const ids: RequestId[] = [];
    let next: RequestId | null;
    do {
      // One more than asked for tells whether there is a next page.
      const step = await this.#turn(() => walk.step(limit + 1 - ids.length));
      ids.push(...step.fitting);
      next = step.next;
    } while (ids.length <= limit && next !== null && goesOn());
    const listed = ids.slice(0, limit);
    const requests: Request[] = [];
    for (let at = 0; at < listed.length; at += READ_AT_ONCE) {
      const some = listed.slice(at, at + READ_AT_ONCE);
      requests.push(...(await this.#turn(() => some.flatMap((id) => this.find({ id }) ?? []))));
    }
    return {
      requests: requests.filter((request) => matchesFilter(filter, subjectOf(request))),
      next: ids.length > limit ? (listed.at(-1) ?? null) : next,
    };
  }

  /** See {@link Store.outcomes}. */
  outcomes(query: OutcomeQuery): Promise<OutcomePage> {
    return this.#turn(() => this.#outcomes.step(query));
  }

  /** See {@link Store.lastUses}. Of a grant in use, nearly all events are uses: the last one is found at once. */
  async lastUses(grants: readonly RequestId[]): Promise<ReadonlyMap<RequestId, EpochMs>> {
    const uses = new Map<RequestId, EpochMs>();
    for (let at = 0; at < grants.length; at += READ_AT_ONCE) {
      await this.#turn(() => {
        for (const id of grants.slice(at, at + READ_AT_ONCE)) {
          const use = this.#lastUse.get(id);
          if (use !== undefined) uses.set(id, use.at);
        }
      });
    }
    return uses;
  }

  #turn<Value>(read: () => Value): Promise<Value> {
    return this.#turns.take(() => this.#read(read));
  }

  asker(hash: TokenHash): Asker | null {
    const bytes = bytesOf(hash);
    return this.#read(() => {
      for (const n of this.#indexes.askers.candidates(bytes)) {
        const row = this.#asker.get(n, bytes);
        if (row !== undefined) return { hash, request: row.request, attached: row.attached === 1 };
      }
      return null;
    });
  }

  /** Entries after a number. `previous` is what the entry before hashes to in this database, missing or not. */
  events({ after, limit, request = null, links = false }: EventQuery): LogEntry[] {
    return this.#read(() => {
      if (request !== null) {
        const rows = this.#eventsOf.all(request, after, limit);
        return rows.map((row) => entryFromRow(links ? linkOf(row) : row, this.#hashAt(row.seq - 1)));
      }
      let previous = this.#hashAt(after);
      return (links ? this.#links : this.#events).all(after, limit).map((row) => {
        const entry = entryFromRow(row, previous);
        previous = entry.hash;
        return entry;
      });
    });
  }

  heads({ after, limit }: { readonly after: number; readonly limit: number }): SignedHead[] {
    return this.#read(() => this.#heads.all(after, limit));
  }

  #hashAt(seq: number): string {
    return this.#eventHash.get(seq)?.hash.toString('hex') ?? GENESIS.hash;
  }

  signersFile(digest: Digest): string | null {
    return this.#read(() => this.#signersFile.get(digestBytes(digest))?.text ?? null);
  }

  #findByDigest(digest: Digest, submitter: Name): RequestRow | undefined {
    const bytes = digestBytes(digest);
    for (const n of this.#indexes.requests.candidates(bytes)) {
      const row = this.#byDigest.get(n, bytes, submitter);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  #read<Value>(read: () => Value): Value {
    return reading(this.#database, read);
  }
}
