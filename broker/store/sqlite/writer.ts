import type { Database, Statement } from 'better-sqlite3';
import * as z from 'zod';
import type { RequestId } from '../../../src/protocol/names.js';
import {
  type Person,
  personSchema,
  type Submitter,
  submitterSchema,
} from '../../../src/protocol/roster-messages.js';
import type { Request } from '../../requests/request.js';
import type { Restraint } from '../../requests/restraints.js';
import type { Hold } from '../../retention/erasure.js';
import type { Asker, Review, Session } from '../store.js';
import type { Draft } from './draft.js';
import { EraseStatements } from './erasure.js';
import { EventInsertion } from './event-rows.js';
import type { KeyIndexes, Pack } from './key-index.js';
import type { LiveState } from './live-state.js';
import { OutboxWriter } from './outbox-rows.js';
import { bytesOf, digestBytes, lifeOf, type SearchRow, searchRowOf } from './rows.js';

/** Most expired nonces that one commit removes. */
export const PRUNED_NONCES = 1024;

/** Numbers of the newest committed rows. */
interface NewestRows {
  readonly requests: number;
  readonly askers: number;
}

/** What a transaction added to the indexes. */
interface Written {
  readonly digests: readonly Buffer[];
  readonly askers: readonly Buffer[];
  readonly packs: { readonly requests: Pack | null; readonly askers: Pack | null };
}

/** Writes drafts, each in one immediate transaction. Every statement is prepared once. */
export class Writer {
  readonly #insertRequest: Statement;
  readonly #updateRequest: Statement;
  readonly #insertSearch: Statement<[SearchRow]>;
  readonly #updateSearch: Statement<[SearchRow]>;
  readonly #insertAsker: Statement;
  readonly #updateAsker: Statement;
  readonly #putNonce: Statement;
  readonly #pruneNonces: Statement;
  readonly #putSession: Statement;
  readonly #endSession: Statement;
  readonly #putDoor: Statement;
  readonly #putStep: Statement;
  readonly #putSignersFile: Statement;
  readonly #putPolicy: Statement;
  readonly #setUnapproved: Statement;
  readonly #putReview: Statement;
  readonly #endReview: Statement;
  readonly #events: EventInsertion;
  readonly #putHead: Statement;
  readonly #acknowledge: Statement;
  readonly #erase: EraseStatements;
  readonly #setRetentionTime: Statement;
  readonly #outbox: OutboxWriter;
  readonly #people: NamedRows<Person>;
  readonly #submitters: NamedRows<Submitter>;
  readonly #restraints: NamedRows<Restraint>;
  readonly #holds: NamedRows<Hold>;
  readonly #indexes: KeyIndexes;
  readonly #transaction: (draft: Draft, committed: LiveState, prune: boolean, newest: NewestRows) => Written;

  constructor(database: Database, indexes: KeyIndexes) {
    this.#indexes = indexes;
    this.#insertRequest = database.prepare(
      `INSERT INTO requests (n, id, digest, submitter, scope, state, requester, resource, submitted_at, canonical,
       vouched, verified, rule, policy, life) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#updateRequest = database.prepare('UPDATE requests SET state = ?, life = ? WHERE id = ?');
    this.#insertSearch = database.prepare(
      `INSERT INTO request_search (id, state, outcome, requester, submitter, action, resource, door, approved, denied,
       reason) VALUES (:id, :state, :outcome, :requester, :submitter, :action, :resource, :door, :approved, :denied, :reason)`,
    );
    this.#updateSearch = database.prepare(
      'UPDATE request_search SET state = :state, outcome = :outcome, approved = :approved, denied = :denied WHERE id = :id',
    );
    this.#insertAsker = database.prepare(
      'INSERT INTO askers (n, request, hash, attached) VALUES (?, ?, ?, ?)',
    );
    this.#updateAsker = database.prepare('UPDATE askers SET attached = ? WHERE request = ? AND hash = ?');
    this.#putNonce = database.prepare('INSERT OR REPLACE INTO nonces (expires, nonce) VALUES (?, ?)');
    this.#pruneNonces = database.prepare(
      `DELETE FROM nonces WHERE (expires, nonce) IN
       (SELECT expires, nonce FROM nonces WHERE expires <= ? ORDER BY expires, nonce LIMIT ${PRUNED_NONCES})`,
    );
    this.#putSession = database.prepare(
      'INSERT OR REPLACE INTO sessions (hash, approver, key, expires) VALUES (?, ?, ?, ?)',
    );
    this.#endSession = database.prepare('DELETE FROM sessions WHERE hash = ?');
    this.#putDoor = database.prepare('INSERT OR REPLACE INTO doors (name, signers, since) VALUES (?, ?, ?)');
    this.#putStep = database.prepare('INSERT OR REPLACE INTO roster_steps (serial, body) VALUES (?, ?)');
    this.#putSignersFile = database.prepare('INSERT INTO signers_files (digest, text) VALUES (?, ?)');
    this.#putPolicy = database.prepare(
      'INSERT OR REPLACE INTO policy (only, text, digest, since) VALUES (1, ?, ?, ?)',
    );
    this.#setUnapproved = database.prepare('UPDATE store SET unapproved = ?');
    this.#putReview = database.prepare(
      'INSERT OR REPLACE INTO reviews (request, requester, resource, opened_at, signed) VALUES (?, ?, ?, ?, ?)',
    );
    this.#endReview = database.prepare('DELETE FROM reviews WHERE request = ?');
    this.#events = new EventInsertion(database);
    this.#erase = new EraseStatements(database);
    this.#setRetentionTime = database.prepare('UPDATE store SET retained = ?');
    this.#putHead = database.prepare('INSERT INTO heads (seq, text) VALUES (?, ?)');
    this.#acknowledge = database.prepare('UPDATE store SET restored = NULL');
    this.#outbox = new OutboxWriter(database);
    this.#people = new NamedRows(database, 'people', (person) => z.encode(personSchema, person));
    this.#submitters = new NamedRows(database, 'submitters', (submitter) =>
      z.encode(submitterSchema, submitter),
    );
    this.#restraints = new NamedRows(database, 'restraints', (restraint) => restraint);
    this.#holds = new NamedRows(database, 'holds', (hold) => hold);
    this.#transaction = database.transaction(
      (draft: Draft, committed: LiveState, prune: boolean, newest: NewestRows) =>
        this.#write(draft, committed, prune, newest),
    ).immediate;
  }

  /**
   * Returns once the draft is durable.
   *
   * @throws SqliteError, and nothing of the draft is written
   */
  commit(draft: Draft, committed: LiveState, prune: boolean): void {
    const newest = { requests: this.#indexes.requests.last, askers: this.#indexes.askers.last };
    const { digests, askers, packs } = this.#transaction(draft, committed, prune, newest);
    this.#indexes.requests.adopt(digests, packs.requests);
    this.#indexes.askers.adopt(askers, packs.askers);
  }

  #write(draft: Draft, committed: LiveState, prune: boolean, newest: NewestRows): Written {
    const written = { digests: [] as Buffer[], askers: [] as Buffer[] };
    for (const request of draft.requests.written.values()) {
      if (!draft.requests.inserted.has(request.id)) {
        this.#updateRequest.run(request.state, lifeOf(request), request.id);
        this.#updateSearch.run(searchRowOf(request));
        continue;
      }
      const digest = digestBytes(request.digest);
      this.#insert(newest.requests + written.digests.push(digest), digest, request);
    }
    for (const asker of draft.askers.values()) {
      const hash = bytesOf(asker.hash);
      if (!draft.requests.inserted.has(asker.request) && this.#update(hash, asker)) continue;
      const n = newest.askers + written.askers.push(hash);
      this.#insertAsker.run(n, asker.request, hash, asker.attached ? 1 : 0);
    }
    if (prune) this.#pruneNonces.run(draft.now);
    for (const [nonce, expires] of draft.nonces) this.#putNonce.run(expires, nonce);
    for (const hash of draft.access.endedSessions) this.#endSession.run(bytesOf(hash));
    for (const session of draft.access.sessions.values()) this.#writeSession(session);
    if (draft.access.directory !== committed.directory) {
      this.#people.replace(byName(committed.directory.people), byName(draft.access.directory.people));
      this.#submitters.replace(
        byName(committed.directory.submitters),
        byName(draft.access.directory.submitters),
      );
    }
    this.#restraints.replace(committed.restraints, draft.restraints);
    this.#holds.replace(committed.holds, draft.holds);
    for (const { name, signers, since } of draft.doors.values()) {
      this.#putDoor.run(name, digestBytes(signers), since);
    }
    for (const [digest, text] of draft.signers.files) this.#putSignersFile.run(digestBytes(digest), text);
    for (const step of draft.signers.steps.values()) this.#putStep.run(step.serial, JSON.stringify(step));
    for (const [request, review] of draft.reviews) this.#writeReview(request, review);
    if (draft.policy !== null && draft.policy !== committed.policy) {
      const { text, digest, since } = draft.policy;
      this.#putPolicy.run(text, digestBytes(digest), since);
    }
    if (draft.log.unapproved !== committed.unapproved) this.#setUnapproved.run(draft.log.unapproved);
    if (draft.restoration !== committed.restoration) this.#acknowledge.run();
    if (draft.retentionTime !== committed.retentionTime) this.#setRetentionTime.run(draft.retentionTime);
    this.#erase.run({ requests: [...draft.requests.erased], entries: draft.emptied });
    for (const entry of draft.log.entries) this.#events.run(entry);
    for (const { seq, text } of draft.heads) this.#putHead.run(seq, text);
    this.#outbox.write(draft.outbox, committed.sinks);
    const packs = {
      requests: this.#indexes.requests.write(written.digests),
      askers: this.#indexes.askers.write(written.askers),
    };
    return { ...written, packs };
  }

  #insert(n: number, digest: Buffer, request: Request): void {
    this.#insertRequest.run(
      n,
      request.id,
      digest,
      request.submitter,
      digestBytes(request.scope),
      request.state,
      request.document.requester,
      request.document.resource,
      request.submittedAt,
      request.canonical,
      request.vouched,
      request.verified,
      request.rule,
      digestBytes(request.policy),
      lifeOf(request),
    );
    this.#insertSearch.run(searchRowOf(request));
  }

  /** False if there is no such asker. */
  #update(hash: Buffer, { request, attached }: Asker): boolean {
    return this.#updateAsker.run(attached ? 1 : 0, request, hash).changes > 0;
  }

  #writeSession({ hash, approver, key, expires }: Session): void {
    this.#putSession.run(bytesOf(hash), approver, key, expires);
  }

  #writeReview(request: RequestId, review: Review | null): void {
    if (review === null) this.#endReview.run(request);
    else {
      const { requester, resource, openedAt, signed } = review;
      this.#putReview.run(request, requester, resource, openedAt, JSON.stringify(signed));
    }
  }
}

const byName = <Entry extends { readonly name: string }>(
  list: readonly Entry[],
): ReadonlyMap<string, Entry> => new Map(list.map((entry) => [entry.name, entry]));

/** A table of names and JSON texts, in the wire form that {@link encode} writes, that is kept equal to a map. */
class NamedRows<Entry> {
  readonly #put: Statement;
  readonly #remove: Statement;
  readonly #encode: (entry: Entry) => unknown;

  constructor(
    database: Database,
    table: 'people' | 'submitters' | 'restraints' | 'holds',
    encode: (entry: Entry) => unknown,
  ) {
    this.#put = database.prepare(
      `INSERT INTO ${table} (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body`,
    );
    this.#remove = database.prepare(`DELETE FROM ${table} WHERE name = ?`);
    this.#encode = encode;
  }

  replace(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): void {
    if (before === after) return;
    for (const name of before.keys()) if (!after.has(name)) this.#remove.run(name);
    for (const [name, entry] of after) {
      if (before.get(name) !== entry) this.#put.run(name, JSON.stringify(this.#encode(entry)));
    }
  }
}
