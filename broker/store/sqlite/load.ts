import type { Database } from 'better-sqlite3';
import * as z from 'zod';
import type { SignedHead } from '../../../src/protocol/audit-head.js';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import { type ChainHead, GENESIS } from '../../../src/protocol/event-log.js';
import {
  type Digest,
  type Fingerprint,
  isName,
  type Name,
  type Nonce,
  type RequestId,
} from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import { type Restoration, restorationSchema } from '../../../src/protocol/restoration.js';
import { personSchema, submitterSchema } from '../../../src/protocol/roster-messages.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import { type Restraints, restraintKey, restraintSchema } from '../../requests/restraints.js';
import type { Holds } from '../../retention/erasure.js';
import type { Door, PolicyText, Review, RosterStep } from '../store.js';
import { newestEvent } from './inspection.js';
import { LiveState } from './live-state.js';
import { loadOutbox } from './outbox-rows.js';
import {
  digestOf,
  holdSchema,
  REQUEST_COLUMNS,
  type RequestRow,
  requestFromRow,
  rosterStepSchema,
} from './rows.js';

const signatures = z.array(z.strictObject({ approver: z.custom<Name>(isName), statement: z.string() }));

/**
 * Reads what is held in memory. None of it grows with history, and neither does the time that this takes.
 *
 * @throws Problem `storage-failed` if a live request is damaged
 */
export function loadLiveState(database: Database, now: EpochMs): LiveState {
  const live = new LiveState(
    {
      people: bodies(database, 'people').map((body) => personSchema.parse(body)),
      submitters: bodies(database, 'submitters').map((body) => submitterSchema.parse(body)),
    },
    restoration(database),
    chainHead(database),
  );
  loadRequests(database, live);
  loadSessions(database, live);
  loadNonces(database, live, now);
  live.doors = loadDoors(database);
  live.rosterSteps = loadRosterSteps(database);
  for (const digest of loadSignersFiles(database)) live.signersFiles.add(digest);
  live.reviews = loadReviews(database);
  live.restraints = loadRestraints(database);
  live.policy = loadPolicy(database);
  live.unapproved = unapproved(database);
  live.holds = loadHolds(database);
  live.retentionTime = retentionTime(database);
  live.newestHead = newestHead(database);
  live.brokerKey = brokerKey(database);
  loadOutbox(database, live);
  return live;
}

/** @throws Problem `storage-failed` where text and digest have come apart: what decides is not guessed */
function loadPolicy(database: Database): PolicyText | null {
  const row = database
    .prepare<[], { readonly text: string; readonly digest: Buffer; readonly since: EpochMs }>(
      'SELECT text, digest, since FROM policy',
    )
    .get();
  if (row === undefined) return null;
  const policy = { ...row, digest: digestOf(row.digest) };
  if (sha256Digest(policy.text) === policy.digest) return policy;
  throw new Problem('storage-failed', 'the stored policy is damaged', {
    hint: 'restore the database from a back-up',
  });
}

function newestHead(database: Database): SignedHead | null {
  const newest = 'SELECT seq, text FROM heads ORDER BY seq DESC LIMIT 1';
  return database.prepare<[], SignedHead>(newest).get() ?? null;
}

/** Through an index of its own: the log is long, and such events are few. Where it is damaged, the key is named again. */
function brokerKey(database: Database): string | null {
  const newest = `SELECT iif(json_valid(body), body ->> 'key', NULL) FROM events
    WHERE kind = 'broker.key' ORDER BY seq DESC LIMIT 1`;
  return database.prepare<[], string | null>(newest).pluck().get() ?? null;
}

function unapproved(database: Database): EpochMs | null {
  return database.prepare<[], EpochMs | null>('SELECT unapproved FROM store').pluck().get() ?? null;
}

function retentionTime(database: Database): EpochMs | null {
  return database.prepare<[], EpochMs | null>('SELECT retained FROM store').pluck().get() ?? null;
}

function loadHolds(database: Database): Holds {
  const holds = bodies(database, 'holds').map((body) => holdSchema.parse(body));
  return new Map(holds.map((hold) => [hold.name, hold]));
}

function loadRestraints(database: Database): Restraints {
  const restraints = bodies(database, 'restraints').map((body) => restraintSchema.parse(body));
  return new Map(restraints.map((restraint) => [restraintKey(restraint), restraint]));
}

function bodies(database: Database, table: 'people' | 'submitters' | 'restraints' | 'holds'): unknown[] {
  return database
    .prepare<[], { readonly body: string }>(`SELECT body FROM ${table} ORDER BY name`)
    .all()
    .map(({ body }) => JSON.parse(body));
}

function restoration(database: Database): Restoration | null {
  const text = database.prepare('SELECT restored FROM store').pluck().get();
  return typeof text === 'string' ? restorationSchema.parse(JSON.parse(text)) : null;
}

function chainHead(database: Database): ChainHead {
  return newestEvent(database) ?? GENESIS;
}

function loadRequests(database: Database, live: LiveState): void {
  const rows = database.prepare<[], RequestRow>(
    `SELECT ${REQUEST_COLUMNS} FROM requests INDEXED BY requests_live
     WHERE state IN ('pending', 'approved', 'active') ORDER BY id`,
  );
  const askers = database.prepare<
    [string],
    { readonly hash: Buffer; readonly request: RequestId; readonly attached: number }
  >('SELECT hash, request, attached FROM askers WHERE request = ?');
  for (const row of rows.iterate()) {
    live.putRequest(requestFromRow(row));
    for (const { hash, request, attached } of askers.iterate(row.id as string)) {
      live.putAsker({ hash: hash.toString('hex'), request, attached: attached === 1 });
    }
  }
}

function loadSessions(database: Database, live: LiveState): void {
  const rows = database.prepare<
    [],
    { readonly hash: Buffer; readonly approver: Name; readonly key: Fingerprint; readonly expires: number }
  >('SELECT hash, approver, key, expires FROM sessions');
  for (const row of rows.iterate()) {
    const hash = row.hash.toString('hex');
    live.sessions.set(hash, { ...row, hash });
  }
}

function loadDoors(database: Database): ReadonlyMap<Name, Door> {
  const rows = database.prepare<
    [],
    { readonly name: Name; readonly signers: Buffer; readonly since: EpochMs }
  >('SELECT name, signers, since FROM doors');
  return new Map(rows.all().map((row) => [row.name, { ...row, signers: digestOf(row.signers) }]));
}

function loadRosterSteps(database: Database): readonly RosterStep[] {
  return database
    .prepare<[], { readonly body: string }>('SELECT body FROM roster_steps ORDER BY serial')
    .all()
    .map(({ body }) => rosterStepSchema.parse(JSON.parse(body)));
}

function loadSignersFiles(database: Database): readonly Digest[] {
  return database
    .prepare<[], { readonly digest: Buffer }>('SELECT digest FROM signers_files ORDER BY n')
    .all()
    .map(({ digest }) => digestOf(digest));
}

function loadReviews(database: Database): ReadonlyMap<RequestId, Review> {
  const rows = database.prepare<
    [],
    Omit<Review, 'openedAt' | 'signed'> & { readonly opened_at: EpochMs; readonly signed: string }
  >('SELECT request, requester, resource, opened_at, signed FROM reviews ORDER BY request');
  return new Map(
    rows
      .all()
      .map(({ opened_at, signed, ...row }) => [
        row.request,
        { ...row, openedAt: opened_at, signed: signatures.parse(JSON.parse(signed)) },
      ]),
  );
}

function loadNonces(database: Database, live: LiveState, now: EpochMs): void {
  database.prepare('DELETE FROM nonces WHERE expires <= ?').run(now);
  const rows = database.prepare<[], { readonly nonce: Nonce; readonly expires: number }>(
    'SELECT nonce, expires FROM nonces ORDER BY expires',
  );
  for (const { nonce, expires } of rows.iterate()) live.nonces.set(nonce, expires);
}
