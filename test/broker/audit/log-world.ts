import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { guardChanges } from '../../../broker/changes/change-rule.js';
import { Changes } from '../../../broker/changes/changes.js';
import { DEFAULT_LIMITS } from '../../../broker/options.js';
import { ONE_OTHER_PERSON } from '../../../broker/policy/one-other-person.js';
import type { NewEvent, Request } from '../../../broker/requests/request.js';
import { Requests } from '../../../broker/requests/requests.js';
import { changeRoster, changeSubmitters } from '../../../broker/roster/directory.js';
import { Principals } from '../../../broker/roster/principals.js';
import { presentExport } from '../../../broker/roster/signers-chain.js';
import { openSqliteStore } from '../../../broker/store/sqlite/open.js';
import type { Directory, Store } from '../../../broker/store/store.js';
import { formatAuditHead } from '../../../src/protocol/audit-head.js';
import { type CanarySecret, canaryNonce, canarySecret } from '../../../src/protocol/canary.js';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import { parseDocument } from '../../../src/protocol/document.js';
import type { Claim, Digest, Fingerprint, Name, RequestId } from '../../../src/protocol/names.js';
import type { RosterChange, Submitter } from '../../../src/protocol/roster-messages.js';
import { pinRule, type Rule } from '../../../src/protocol/rule.js';
import {
  type Decision,
  formatCanary,
  formatDecision,
  formatKeyHandover,
  formatReview,
  formatRevocation,
  formatRoster,
  formatUnlocking,
} from '../../../src/protocol/statements.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { makeSoftwareKey, type SoftwareKey, signInSoftware } from '../../ssh/software-keys.js';

/** Memory where there is some: what the disk keeps is not what these tests are about. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const NOON = Date.parse('2026-01-31T12:00:00Z');
export const name = (text: string): Name => text as Name;
export const fingerprintOf = (key: SoftwareKey): Fingerprint => parsePublicKeyLine(key.line).fingerprint;
const keyEntry = (key: SoftwareKey) => ({ key: key.line, validAfter: null, validBefore: null });
const PATIENT = { seconds: 0, hangUp: new AbortController().signal };

export const keys = {
  alice: makeSoftwareKey('ssh-ed25519'),
  bob: makeSoftwareKey('ssh-ed25519'),
  carol: makeSoftwareKey('ecdsa-sha2-nistp256'),
  dave: makeSoftwareKey('ssh-ed25519'),
  erin: makeSoftwareKey('ssh-ed25519'),
  host: makeSoftwareKey('ssh-ed25519'),
};
export type Who = keyof typeof keys;

const HOST: Submitter = {
  name: name('ci'),
  credential: { kind: 'token', hash: createHash('sha256').update('ci').digest('hex') },
  limits: { actions: ['*'], resources: ['*'], doors: ['*'], requesters: ['*'] },
};

const SIGNING_HOST: Submitter = {
  ...HOST,
  limits: { ...HOST.limits, canaries: true },
  name: name('host:web-1'),
  credential: { kind: 'key', key: keys.host.line },
};

/** What the resource of an ask is called decides which rule it gets. */
const RULES: Readonly<Record<string, Partial<Rule>>> = {
  plain: {},
  two: { approvals: [{ people: 2, groups: [{ group: 'oncall', count: 1 }] }] },
  grant: { grants: { uses: 0 } },
  free: { approvals: 'automatic' },
  alone: { alone: { group: name('oncall'), delay: 60, reason: 5 } },
};
const { text: _text, digest: _digest, ...BASE } = ONE_OTHER_PERSON;
const PINNED = Object.fromEntries(
  Object.entries(RULES).map(([rule, change]) => [rule, pinRule({ ...BASE, ...change, name: rule })]),
);

/** The broker's own core over a database on disk, with keys in software: it writes what a broker writes, and fast. */
export class LogWorld {
  readonly directory: string;
  readonly requests: Requests;
  readonly changes: Changes;
  readonly store: Store;
  brokerKey = makeSoftwareKey('ssh-ed25519');
  readonly firstKey = this.brokerKey;
  #names: readonly SoftwareKey[] = [this.brokerKey];
  now = NOON;
  #ids = 0;
  #principals: Principals;
  #indexed: Directory;
  readonly #heads: { readonly seq: number; readonly text: string }[] = [];

  private constructor(directory: string, store: Store) {
    this.directory = directory;
    this.store = store;
    this.#indexed = store.directory();
    this.#principals = new Principals(this.#indexed);
    this.requests = new Requests({
      validation: { isAskedFor: () => false, check: async () => [] },
      store,
      policy: guardChanges({
        ruleFor: ({ bound }) => PINNED[bound.document.resource.split('-')[0] ?? ''] ?? ONE_OTHER_PERSON,
      }),
      brokers: () => this.#names.map(fingerprintOf).reverse(),
      limits: {
        ...DEFAULT_LIMITS,
        pendingPerSubmitter: 1e6,
        pendingPerResource: 1e6,
        pendingPerRequester: 1e6,
        mutingDenials: 1e6,
      },
      clock: () => this.now,
      random: randomBytes,
      newId: () => {
        this.#ids += 1;
        return `01KG9Z8QW5${String(this.#ids).padStart(16, '0')}` as RequestId;
      },
      principals: () => this.principals,
      onWaiting: () => {},
      notifyAt: () => null,
      isDraining: () => false,
    });
    this.changes = new Changes({
      store,
      requests: this.requests,
      principals: () => this.principals,
      name: 'test',
      fingerprint: () => fingerprintOf(this.brokerKey),
      clock: () => this.now,
      random: randomBytes,
      policy: () => null,
      onError: (error) => {
        throw error;
      },
    });
  }

  static async open(): Promise<LogWorld> {
    const directory = mkdtempSync(join(FAST, 'countersign-log-'));
    let world: LogWorld | null = null;
    const store = await openSqliteStore({ directory, clock: () => world?.now ?? NOON, random: randomBytes });
    world = new LogWorld(directory, store);
    await world.#nameKey(null);
    for (const who of ['alice', 'bob', 'carol'] as const)
      await world.enrol(who, who === 'bob' ? ['oncall'] : []);
    for (const submitter of [HOST, SIGNING_HOST])
      await store.changeDirectory((current) =>
        changeSubmitters(current, { change: 'add', submitter }, NOON, { without: 'approval' }),
      );
    return world;
  }

  /** All that it ever had, oldest first. */
  get brokerKeys(): readonly SoftwareKey[] {
    return this.#names;
  }

  get file(): string {
    return join(this.directory, 'broker.db');
  }

  lineOf(who: Who): string {
    return keys[who].line;
  }

  get principals(): Principals {
    if (this.#indexed !== this.store.directory()) {
      this.#indexed = this.store.directory();
      this.#principals = new Principals(this.#indexed);
    }
    return this.#principals;
  }

  /** As `countersign roster add` does while no broker runs. */
  enrol(who: Who, groups: readonly string[] = []): Promise<unknown> {
    const person = {
      name: name(who),
      aliases: [name(`${who}-admin`)],
      groups: groups.map(name),
      keys: [keyEntry(keys[who])],
    };
    return this.changeOffline({ change: 'add', person });
  }

  changeOffline(change: RosterChange): Promise<unknown> {
    return this.store.changeDirectory((current) =>
      changeRoster(current, change, this.now, current.people.length >= 2 ? { without: 'approval' } : {}),
    );
  }

  /** A change that two people approve, and that the broker applies. */
  async changeApproved(change: RosterChange): Promise<void> {
    const changed = await this.changes.change(
      { of: 'people', change },
      { requester: name('owner'), reason: 'test' },
    );
    if (changed.applied) throw new Error('nobody was asked');
    const { request } = changed.submitted;
    for (const who of ['bob', 'carol'] as const) {
      const standing = await this.requests.read(request.id, PATIENT);
      if (standing.state === 'pending') await this.decide(standing, who);
    }
    await this.changes.resume();
  }

  async submit(
    rule: string,
    requester = 'alice',
    claim: Claim | null = null,
    details = {},
  ): Promise<Request> {
    const bound = parseDocument({
      action: 'ssh.login',
      context: { reason: 'INC-4312 – “ünïcode” \u2028 𝄞' },
      details,
      door: 'host:web-1',
      duration: 600,
      nonce: randomBytes(16).toString('hex'),
      requester,
      resource: `${rule}-1`,
      version: 1,
    });
    const { request } = await this.requests.submit(
      { bound, statement: null, claim, signers: null },
      HOST,
      null,
    );
    return request;
  }

  /** A request that nobody needs, and what it takes to reveal it. */
  async canary(requester = 'alice') {
    const secret = canarySecret(randomBytes(16).toString('hex') as Claim);
    const asked = {
      action: 'ssh.login',
      context: {},
      details: {},
      door: 'host:web-1',
      duration: 600,
      requester,
      resource: 'plain-1',
      version: 1,
    };
    const { scope } = parseDocument({ ...asked, nonce: '0'.repeat(32) });
    const bound = parseDocument({ ...asked, nonce: canaryNonce(secret, scope) });
    const body = { bound, statement: null, claim: null, signers: null };
    const { request } = await this.requests.submit(body, SIGNING_HOST, null);
    return { request, secret };
  }

  /** Says, signed, that a request was a canary. */
  revelation(request: Request, secret: CanarySecret, key: SoftwareKey = keys.host): string {
    const statement = formatCanary({
      broker: fingerprintOf(this.brokerKey),
      submitter: SIGNING_HOST.name,
      request: request.digest,
      secret,
      issued: Math.floor(this.now / 1000) * 1000,
    });
    return statement + signInSoftware(key, statement, { namespace: 'canary@countersign' });
  }

  receipt(request: Request, who: Who, change: Partial<Decision> = {}, key: SoftwareKey = keys[who]): string {
    const decided = Math.floor(this.now / 1000) * 1000;
    const statement = formatDecision({
      broker: fingerprintOf(this.brokerKey),
      door: request.document.door,
      request: request.digest,
      scope: request.scope,
      covers: 'request',
      policy: request.policy,
      verdict: 'approve',
      requester: request.document.requester,
      approver: name(who),
      decided,
      notAfter: decided + 900_000,
      duration: request.document.duration,
      uses: 1,
      code: null,
      comment: 'looks right',
      ...change,
    });
    return statement + signInSoftware(key, statement);
  }

  decide(request: Request, who: Who, change: Partial<Decision> = {}): Promise<Request> {
    return this.requests.decide(request.id, this.receipt(request, who, change));
  }

  redeem(request: Request): Promise<Request> {
    return this.requests.redeem(request.id, randomBytes(16).toString('hex') as Claim, PATIENT);
  }

  revoke(request: Request, who: Who): Promise<Request> {
    const statement = formatRevocation(this.#about(request, who));
    const armor = signInSoftware(keys[who], statement, { namespace: 'revoke@countersign' });
    return this.requests.revoke(request.id, statement + armor);
  }

  review(request: Request, who: Who): Promise<Request> {
    const statement = formatReview(this.#about(request, who));
    const armor = signInSoftware(keys[who], statement, { namespace: 'review@countersign' });
    return this.requests.review(request.id, statement + armor);
  }

  unlock(requester: string, who: Who): Promise<unknown> {
    const statement = formatUnlocking({
      broker: fingerprintOf(this.brokerKey),
      requester: name(requester),
      approver: name(who),
      issued: this.now,
      comment: 'cleared up',
    });
    const armor = signInSoftware(keys[who], statement, { namespace: 'unlock@countersign' });
    return this.requests.unlock(statement + armor);
  }

  async pass(seconds: number): Promise<void> {
    this.now += seconds * 1000;
    await this.requests.tick();
  }

  /** The broker gets a new key, and goes by the old one for a quarter of an hour still. */
  async rotate(): Promise<void> {
    const next = makeSoftwareKey('ssh-ed25519');
    const statement = formatKeyHandover({
      old: fingerprintOf(this.brokerKey),
      next: next.line,
      issued: this.now,
      oldValidUntil: this.now + 900_000,
    });
    const armor = signInSoftware(this.brokerKey, statement, { namespace: 'broker@countersign' });
    this.brokerKey = next;
    this.#names = [...this.#names, next];
    await this.#nameKey(statement + armor);
  }

  /** Somebody signs that the present signers file may follow another one at doors. */
  async signRoster(who: Who): Promise<void> {
    const { text, digest } = presentExport(this.store.directory());
    const old = sha256Digest(`${text}\n`);
    const statement = formatRoster({
      broker: fingerprintOf(this.brokerKey),
      serial: 1,
      old,
      next: digest,
      validUntil: this.now + 86_400_000,
      approver: name(who),
      issued: this.now,
      comment: '',
    });
    const armor = signInSoftware(keys[who], statement, { namespace: 'roster@countersign' });
    const body = { serial: 1, old, new: digest, approver: who, statement: statement + armor };
    await this.store.record({ kind: 'roster.signed', at: this.now, body });
  }

  /** Signs how far the log has got. */
  async signHead(): Promise<void> {
    const { seq } = this.store;
    const [entry] = await this.store.events({ after: seq - 1, limit: 1 });
    this.#heads.push({
      seq,
      text: signedHead(this.brokerKey, this.store.epoch, seq, entry?.hash ?? '', this.now),
    });
  }

  /** Closes the store; the heads are in the database then. */
  async close(): Promise<void> {
    await this.store.close();
    const database = new SqliteDatabase(this.file);
    const insert = database.prepare('INSERT INTO heads (seq, text) VALUES (?, ?)');
    database.transaction(() => this.#heads.forEach(({ seq, text }) => void insert.run(seq, text)))();
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #nameKey(handover: string | null): Promise<void> {
    return this.store.record({
      kind: 'broker.key',
      at: this.now,
      body: { key: this.brokerKey.line, handover },
    } as never as NewEvent);
  }

  #about(request: Request, who: Who) {
    return {
      broker: fingerprintOf(this.brokerKey),
      request: request.digest,
      scope: request.scope,
      approver: name(who),
      issued: this.now,
      comment: 'changed my mind',
    };
  }
}

export function signedHead(
  key: SoftwareKey,
  epoch: string,
  seq: number,
  hash: string,
  signed: number,
): string {
  const statement = formatAuditHead({
    broker: fingerprintOf(key),
    epoch,
    seq,
    hash: `sha256:${hash}` as Digest,
    signed,
  });
  return statement + signInSoftware(key, statement, { namespace: 'audit@countersign' });
}
