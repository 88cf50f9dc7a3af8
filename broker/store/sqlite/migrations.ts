import SqliteDatabase, { type Database } from 'better-sqlite3';
import { Problem } from '../../../src/protocol/problems.js';
import { copyDatabase } from './copy.js';

/** One step of the schema. Steps are only ever appended; what stands in one has been run somewhere. */
export interface Migration {
  /** What `PRAGMA user_version` is after it: 1 for the first, then without a gap. */
  readonly version: number;
  readonly sql: string;
}

/** Marks the file as ours (`PRAGMA application_id`, see file(1)): "CSGN". */
const APPLICATION_ID = 0x4353474e;

/**
 * All keys that grow with history grow with time, so that an insert touches the last pages of its trees. For the random
 * ones, `requests.digest` and `askers.hash`, there are no indexes but `packs`: see key-index.ts. That (digest, submitter)
 * is unique is seen to by the one writer. SHA-256 values are blobs of 32 bytes.
 */
const FIRST = `
CREATE TABLE store (
  epoch TEXT NOT NULL
) STRICT;

CREATE TABLE requests (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  submitter TEXT NOT NULL,
  scope BLOB NOT NULL CHECK (length(scope) = 32),
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'redeemed', 'denied', 'expired', 'cancelled', 'lapsed', 'revoked')),
  requester TEXT NOT NULL,
  resource TEXT NOT NULL,
  submitted_at INTEGER NOT NULL,
  canonical TEXT NOT NULL,
  vouched TEXT,
  rule TEXT NOT NULL,
  policy BLOB NOT NULL CHECK (length(policy) = 32),
  life TEXT NOT NULL
) STRICT;
CREATE INDEX requests_live ON requests (id) WHERE state IN ('pending', 'approved');
CREATE INDEX requests_listed ON requests (id, state, requester, resource);

CREATE TABLE askers (
  n INTEGER PRIMARY KEY,
  request TEXT NOT NULL REFERENCES requests (id),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  attached INTEGER NOT NULL CHECK (attached IN (0, 1)),
  UNIQUE (request, hash)
) STRICT;

CREATE TABLE packs (
  source TEXT NOT NULL CHECK (source IN ('requests', 'askers')),
  last INTEGER NOT NULL,
  filter BLOB NOT NULL,
  keys BLOB NOT NULL,
  PRIMARY KEY (source, last)
) STRICT;

CREATE TABLE nonces (
  expires INTEGER NOT NULL,
  nonce TEXT NOT NULL,
  PRIMARY KEY (expires, nonce)
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE submitters (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
  approver TEXT NOT NULL,
  key TEXT NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  request TEXT,
  body TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER events_are_not_edited BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
`;

/**
 * `outbox` holds what must leave the broker until it has: one row for each event and destination, ordered by event.
 * `copied` is set in a back-up only, to the time at which it was made; `restored` from a restore until an approver has
 * acknowledged it, as JSON.
 */
const OUTBOX_AND_RESTORE = `
CREATE TABLE outbox (
  event INTEGER NOT NULL REFERENCES events (seq),
  sink TEXT NOT NULL,
  request TEXT NOT NULL REFERENCES requests (id),
  attempts INTEGER NOT NULL,
  due INTEGER NOT NULL,
  PRIMARY KEY (event, sink)
) STRICT, WITHOUT ROWID;
ALTER TABLE store ADD COLUMN copied INTEGER;
ALTER TABLE store ADD COLUMN restored TEXT;
`;

const DOORS = `
CREATE TABLE doors (
  name TEXT PRIMARY KEY,
  signers BLOB NOT NULL CHECK (length(signers) = 32),
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

/** What the broker verified about an ask; those that stand already had nothing of the kind. */
const VERIFIED = 'ALTER TABLE requests ADD COLUMN verified TEXT';

/** Signers files by digest, in the order in which they came, and what people have signed about them, as JSON. */
const SIGNED_ROSTER = `
CREATE TABLE signers_files (
  n INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  text TEXT NOT NULL
) STRICT;
CREATE TABLE roster_steps (
  serial INTEGER PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;
`;

const REVIEWS = `
CREATE TABLE reviews (
  request TEXT PRIMARY KEY REFERENCES requests (id),
  requester TEXT NOT NULL,
  resource TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  signed TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

/** Locks, and the denials that may mute somebody: rows that go once they are over. */
const RESTRAINTS = `
CREATE TABLE restraints (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

/**
 * Takes in the state `active`. A CHECK cannot be changed in place, so the table is built anew, and without one: which
 * states there are is checked where a row is read. `migrate` sees to the references to the table.
 */
const ACTIVE = `
CREATE TABLE requests_anew (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  submitter TEXT NOT NULL,
  scope BLOB NOT NULL CHECK (length(scope) = 32),
  state TEXT NOT NULL,
  requester TEXT NOT NULL,
  resource TEXT NOT NULL,
  submitted_at INTEGER NOT NULL,
  canonical TEXT NOT NULL,
  vouched TEXT,
  verified TEXT,
  rule TEXT NOT NULL,
  policy BLOB NOT NULL CHECK (length(policy) = 32),
  life TEXT NOT NULL
) STRICT;
INSERT INTO requests_anew (n, id, digest, submitter, scope, state, requester, resource, submitted_at, canonical, vouched,
  verified, rule, policy, life)
SELECT n, id, digest, submitter, scope, state, requester, resource, submitted_at, canonical, vouched,
  verified, rule, policy, life FROM requests ORDER BY n;
DROP TABLE requests;
ALTER TABLE requests_anew RENAME TO requests;
CREATE INDEX requests_live ON requests (id) WHERE state IN ('pending', 'approved', 'active');
CREATE INDEX requests_listed ON requests (id, state, requester, resource);
`;
/** Which step of its escalation a delivery is to be. */
const STEPS = 'ALTER TABLE outbox ADD COLUMN step INTEGER NOT NULL DEFAULT 0';

/**
 * The policy in force: one row. `unapproved` is the time at which people, submitters or policy were last changed without
 * approval.
 */
const POLICY = `
CREATE TABLE policy (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  text TEXT NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  since INTEGER NOT NULL
) STRICT;
ALTER TABLE store ADD COLUMN unapproved INTEGER;
`;

/**
 * An entry is hashed over the digest of its body, so that the body can go: that is the one way in which an entry may still
 * change. Entries of before that have no digest, and keep their bodies. `heads` holds what the broker signed of its log.
 */
const AUDIT = `
ALTER TABLE events ADD COLUMN digest BLOB CHECK (length(digest) = 32);
CREATE INDEX events_of_request ON events (request, seq) WHERE request IS NOT NULL;
DROP TRIGGER events_are_not_edited;
CREATE TRIGGER events_are_not_edited BEFORE UPDATE ON events
WHEN NOT (NEW.body = '' AND OLD.digest IS NOT NULL AND NEW.digest IS OLD.digest AND NEW.seq IS OLD.seq AND NEW.at IS OLD.at
  AND NEW.kind IS OLD.kind AND NEW.request IS OLD.request AND NEW.hash IS OLD.hash)
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TABLE heads (
  seq INTEGER PRIMARY KEY REFERENCES events (seq),
  text TEXT NOT NULL
) STRICT;
`;

/**
 * A delivery may be about no request; one that was given up says when, and every one that failed says how. `sinks` tells up
 * to which event the log was taken into the outbox for a destination that wants every event.
 */
const DEAD_LETTERS = `
CREATE TABLE outbox_anew (
  event INTEGER NOT NULL REFERENCES events (seq),
  sink TEXT NOT NULL,
  request TEXT,
  attempts INTEGER NOT NULL,
  due INTEGER NOT NULL,
  step INTEGER NOT NULL DEFAULT 0,
  dead INTEGER,
  error TEXT,
  PRIMARY KEY (event, sink)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_anew (event, sink, request, attempts, due, step)
SELECT event, sink, request, attempts, due, step FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_anew RENAME TO outbox;
CREATE TABLE sinks (
  name TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

/**
 * An erased request has the state `erased`, and keeps no more than says that it was asked and how it ended; no list has it.
 * `retained` is the time by which retention last went.
 */
const RETENTION = `
DROP INDEX requests_listed;
CREATE INDEX requests_listed ON requests (id, state, requester, resource) WHERE state <> 'erased';
CREATE TABLE holds (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE store ADD COLUMN retained INTEGER;
`;

/** Which key the broker goes by is looked up at each start, and followed by who verifies the log. */
const BROKER_KEYS = `
CREATE INDEX events_of_broker_key ON events (seq) WHERE kind = 'broker.key';
`;

/**
 * Which event began each life of the database, so that an event is told under the same name after a restore. Dead letters have
 * indexes of their own, which cost nothing while there are none: by event, and by line, for what is held back behind them.
 */
const FOLLOWING = `
CREATE TABLE epochs (
  first INTEGER PRIMARY KEY,
  epoch TEXT NOT NULL
) STRICT;
INSERT INTO epochs (first, epoch) SELECT seq, json_extract(body, '$.epoch') FROM events
WHERE kind IN ('store.created', 'store.restored') AND json_extract(body, '$.epoch') IS NOT NULL;
ALTER TABLE outbox ADD COLUMN failing_since INTEGER;
ALTER TABLE outbox ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_dead ON outbox (sink, event) WHERE dead IS NOT NULL;
CREATE INDEX outbox_dead_lines ON outbox (sink, request) WHERE dead IS NOT NULL;
`;

/**
 * What requests are searched by, one narrow row each in order of time; a request without one is in no list. `approved` and
 * `denied` hold the names of those who voted so, each with a space before and after it. `reason` is its beginning. What is
 * absent is ''. A damaged request is taken over as far as it can be read: it is reported where it is read in full.
 */
const SEARCH = `
CREATE TABLE request_search (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  outcome TEXT NOT NULL,
  requester TEXT NOT NULL,
  submitter TEXT NOT NULL,
  action TEXT NOT NULL,
  resource TEXT NOT NULL,
  door TEXT NOT NULL,
  approved TEXT NOT NULL,
  denied TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO request_search (id, state, outcome, requester, submitter, action, resource, door, approved, denied, reason)
SELECT id, state, ifnull(json_extract(life, '$.report.outcome'), ''), requester, submitter,
  ifnull(json_extract(document, '$.action'), ''), resource, ifnull(json_extract(document, '$.door'), ''),
  ifnull((SELECT ' ' || group_concat(json_extract(value, '$.approver'), ' ') || ' ' FROM json_each(life, '$.votes')
    WHERE json_extract(value, '$.verdict') = 'approve'), ''),
  ifnull((SELECT ' ' || group_concat(json_extract(value, '$.approver'), ' ') || ' ' FROM json_each(life, '$.votes')
    WHERE json_extract(value, '$.verdict') = 'deny'), ''),
  CASE json_type(document, '$.context.reason') WHEN 'text' THEN substr(json_extract(document, '$.context.reason'), 1, 256)
    ELSE '' END
FROM (SELECT id, state, requester, submitter, resource, iif(json_valid(canonical), canonical, '{}') AS document,
  iif(json_valid(life), life, '{}') AS life FROM requests WHERE state <> 'erased')
ORDER BY id;
DROP INDEX requests_listed;
`;

/** What approvers say to each other stands in `life`, which earlier versions do not read with that: they are to refuse the file. */
const TALK = 'SELECT 1';

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: FIRST },
  { version: 2, sql: OUTBOX_AND_RESTORE },
  { version: 3, sql: DOORS },
  { version: 4, sql: VERIFIED },
  { version: 5, sql: SIGNED_ROSTER },
  { version: 6, sql: REVIEWS },
  { version: 7, sql: RESTRAINTS },
  { version: 8, sql: ACTIVE },
  { version: 9, sql: STEPS },
  { version: 10, sql: POLICY },
  { version: 11, sql: AUDIT },
  { version: 12, sql: DEAD_LETTERS },
  { version: 13, sql: RETENTION },
  { version: 14, sql: BROKER_KEYS },
  { version: 15, sql: FOLLOWING },
  { version: 16, sql: SEARCH },
  { version: 17, sql: TALK },
];

/**
 * Checks, without changing anything, that this program may use the database.
 *
 * @throws Problem `newer-store` for a file of a newer version, `storage-failed` for a file that is not ours
 */
export function checkSchema(database: Database, migrations: readonly Migration[] = MIGRATIONS): void {
  if (!isOurs(database)) {
    throw new Problem('storage-failed', `${database.name} is not a Countersign database`, {
      hint: 'choose another directory: nothing was changed',
    });
  }
  const version = schemaVersion(database);
  if (version > migrations.length) {
    throw new Problem(
      'newer-store',
      `${database.name} has schema ${version}, this program knows ${migrations.length}`,
    );
  }
}

/**
 * Checks that a database from elsewhere has the tables, indexes and triggers of its version, and nothing else: what hides
 * in a trigger or a view would go on acting in whoever opens the file.
 *
 * @throws Problem `storage-failed`
 */
export function checkNothingElse(database: Database): void {
  const own = new SqliteDatabase(':memory:');
  try {
    migrate(own, MIGRATIONS.slice(0, schemaVersion(database)));
    const [expected, found] = [schemaOf(own), schemaOf(database)];
    const strange =
      [...found].find(([name, text]) => expected.get(name) !== text)?.[0] ??
      [...expected.keys()].find((name) => !found.has(name));
    if (strange === undefined) return;
    throw new Problem('storage-failed', `${database.name} has another ${strange} than this program makes`, {
      hint: 'give a file that countersign backup has made',
    });
  } finally {
    own.close();
  }
}

/** By kind and name; those that SQLite makes for itself are left out. */
function schemaOf(database: Database): ReadonlyMap<string, string> {
  const rows = database
    .prepare<[], { readonly type: string; readonly name: string; readonly sql: string }>(
      "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .all();
  return new Map(rows.map(({ type, name, sql }) => [`${type} ${name}`, sql.replace(/\s+/g, ' ')]));
}

/**
 * Brings a checked database up to the newest schema, all missing steps in one transaction. A database that has content
 * is first copied to `FILE.before-N`, where N is the first missing step. References between tables are checked once at the
 * end, because a table that is built anew is missing for a moment (https://www.sqlite.org/lang_altertable.html, section 7).
 *
 * @returns the path of that copy, null where nothing had to be copied
 */
export function migrate(database: Database, migrations: readonly Migration[] = MIGRATIONS): string | null {
  const version = schemaVersion(database);
  const missing = migrations.slice(version);
  const first = missing[0];
  if (first === undefined) return null;
  const copy = version > 0 ? `${database.name}.before-${first.version}` : null;
  if (copy !== null) copyDatabase(database, copy, { replaces: true });
  const checks = database.pragma('foreign_keys', { simple: true });
  database.pragma('foreign_keys = OFF');
  try {
    database
      .transaction(() => {
        for (const step of missing) database.exec(step.sql);
        checkReferences(database);
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${migrations.length}`);
      })
      .exclusive();
  } finally {
    database.pragma(`foreign_keys = ${checks}`);
  }
  return copy;
}

function checkReferences(database: Database): void {
  const [broken] = database.pragma('foreign_key_check') as { readonly table: string }[];
  if (broken === undefined) return;
  throw new Problem(
    'storage-failed',
    `${database.name} has a row of ${broken.table} that belongs to nothing`,
    {
      hint: 'restore the database from a back-up',
    },
  );
}

function schemaVersion(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

function isOurs(database: Database): boolean {
  if (database.pragma('application_id', { simple: true }) === APPLICATION_ID) return true;
  return database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
}
