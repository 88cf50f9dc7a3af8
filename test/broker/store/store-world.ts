import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { NewEvent, Request } from '../../../broker/requests/request.js';
import { openSqliteStore } from '../../../broker/store/sqlite/open.js';
import type { RequestChange, RequestKey, Session, Store } from '../../../broker/store/store.js';
import { parseDocument } from '../../../src/protocol/document.js';
import type { Fingerprint, Name, RequestId } from '../../../src/protocol/names.js';
import type { Person, Submitter } from '../../../src/protocol/roster-messages.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { makeSoftwareKey } from '../../ssh/software-keys.js';

export const NOON = Date.parse('2026-01-31T12:00:00Z');

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** One data directory whose store can be closed and opened again, under a clock that the test moves. */
export class StoreWorld {
  readonly directory = temporaryDirectory();
  now = NOON;
  #store: Store | null = null;

  static async open(): Promise<StoreWorld> {
    const world = new StoreWorld();
    await world.reopen();
    onTestFinished(() => world.store.close());
    return world;
  }

  get store(): Store {
    if (this.#store === null) throw new Error('not opened');
    return this.#store;
  }

  get file(): string {
    return join(this.directory, 'broker.db');
  }

  async reopen(): Promise<void> {
    await this.#store?.close();
    this.#store = await openSqliteStore({
      directory: this.directory,
      clock: () => this.now,
      random: randomBytes,
    });
  }

  /** A connection from outside, as an administrator's sqlite3 would have. */
  outside(): Database {
    const database = new SqliteDatabase(this.file);
    onTestFinished(() => void database.close());
    return database;
  }
}

let count = 0;

/** A pending request with a document of its own. Ids grow. */
export function newRequest({ requester = 'alice', resource = 'web-1.example.com' } = {}): Request {
  count += 1;
  const bound = parseDocument({
    version: 1,
    action: 'ssh.login',
    door: 'host:web-1.example.com',
    requester,
    resource,
    details: { user: 'alice' },
    context: { reason: 'INC-4312' },
    duration: 0,
    nonce: count.toString(16).padStart(32, '0'),
  });
  return {
    ...bound,
    id: `01${String(count).padStart(24, '0')}` as RequestId,
    submitter: 'host-web-1' as Name,
    vouched: null,
    verified: null,
    rule: '{"people":1}',
    policy: bound.scope,
    submittedAt: NOON,
    answerBy: NOON + 300_000,
    state: 'pending',
    claimBy: null,
    votes: [],
    alone: null,
    missing: ['one more person'],
    claim: null,
    redeemedAt: null,
    grant: null,
    uses: 0,
    watchedAt: null,
    report: null,
    canary: null,
    endedAt: null,
    endedBy: null,
    comments: [],
    escalated: null,
    askers: 1,
    idleSince: null,
  };
}

export const denied = (request: Request): Request => ({
  ...request,
  state: 'denied',
  endedAt: NOON + 1,
  endedBy: 'bob',
});

export const event = (kind: NewEvent['kind'] = 'request.submitted'): NewEvent => ({
  kind,
  at: NOON,
  body: { kind },
});

/** What a step writes that only puts the request. */
export const put = (request: Request, kind?: NewEvent['kind']): RequestChange<RequestId> => ({
  request,
  events: [event(kind)],
  result: request.id,
});

export const standing = ({ digest, submitter }: Request): RequestKey => ({ digest, submitter });

export const submit = (store: Store, request: Request): Promise<RequestId> =>
  store.change(standing(request), () => put(request));

export const tokenHash = (text: string): string => createHash('sha256').update(text).digest('hex');

export interface EnrolledPerson {
  readonly person: Person;
  readonly key: Fingerprint;
}

export function newPerson(name: string): EnrolledPerson {
  const { line } = makeSoftwareKey('ssh-ed25519');
  return {
    person: {
      name: name as Name,
      aliases: [],
      groups: [],
      keys: [{ key: `${line} ${name}@laptop`, validAfter: null, validBefore: null }],
    },
    key: parsePublicKeyLine(line).fingerprint,
  };
}

export function newSubmitter(name: string): Submitter {
  return {
    name: name as Name,
    credential: { kind: 'socket' },
    limits: { actions: ['*'], resources: ['*'], doors: ['*'], requesters: [] },
  };
}

export const sessionOf = ({ person, key }: EnrolledPerson, life: Partial<Session> = {}): Session => ({
  hash: tokenHash(`${person.name} ${count++}`),
  approver: person.name,
  key,
  expires: NOON + 1000,
  ...life,
});

export const enrol = (
  store: Store,
  people: readonly EnrolledPerson[],
  submitters: readonly Submitter[] = [],
) =>
  store.changeDirectory(() => ({
    directory: { people: people.map(({ person }) => person), submitters },
    events: [event('roster.changed')],
  }));
