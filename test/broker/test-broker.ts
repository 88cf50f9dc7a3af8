import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startBroker } from '../../broker/broker.js';
import type { BrokerOptions, Limits } from '../../broker/options.js';
import type { Sender } from '../../broker/outbox/sender.js';
import { restore } from '../../broker/restore.js';
import { changeRoster, changeSubmitters } from '../../broker/roster/directory.js';
import { openSqliteStore } from '../../broker/store/sqlite/open.js';
import { type BoundDocument, parseDocument, type RequestDocument } from '../../src/protocol/document.js';
import type { Fingerprint, Name, Nonce } from '../../src/protocol/names.js';
import type { SubmitterLimits } from '../../src/protocol/roster-messages.js';
import {
  type Decision,
  formatDecision,
  formatRevocation,
  formatSession,
  formatSubmit,
} from '../../src/protocol/statements.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { makeSoftwareKey, type SoftwareKey, signInSoftware } from '../ssh/software-keys.js';

export const NOON = Date.parse('2026-01-31T12:00:00Z');
export const ANYTHING: SubmitterLimits = {
  actions: ['*'],
  resources: ['*'],
  doors: ['*'],
  requesters: ['*'],
};
const name = (text: string): Name => text as Name;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies freely
  readonly json: any;
}

export interface Call {
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly viaSocket?: boolean;
}

/**
 * A real broker on a free port with a clock that the test moves: alice asks, bob and carol approve, `host:web-1` and
 * `ci` submit.
 */
export class TestBroker {
  readonly directory: string;
  readonly keys = {
    bob: makeSoftwareKey('ssh-ed25519'),
    bobToo: makeSoftwareKey('ecdsa-sha2-nistp256'),
    carol: makeSoftwareKey('ssh-ed25519'),
    alice: makeSoftwareKey('ssh-ed25519'),
    host: makeSoftwareKey('ssh-ed25519'),
    stranger: makeSoftwareKey('ssh-ed25519'),
  };
  readonly ciToken = randomBytes(32).toString('base64url');
  readonly #limits: Partial<Limits>;
  /** What the broker tells of pending requests, from its next start on. */
  notifyCommand: string | null = null;
  /** Path of its policy file, from its next start on. */
  policyFile: string | null = null;
  /** Path of its file of webhooks, from its next start on. */
  webhooksFile: string | null = null;
  /** For how many seconds it keeps closed requests, from its next start on. */
  retain: number | null = null;
  /** Receivers of events, from its next start on. */
  senders: readonly Sender[] = [];
  #running: Awaited<ReturnType<typeof startBroker>> | null = null;
  #tick: () => void = () => {};
  #now = NOON;

  private constructor(directory: string, limits: Partial<Limits>) {
    this.directory = directory;
    this.#limits = limits;
  }

  static async start(limits: Partial<Limits> = {}): Promise<TestBroker> {
    const broker = new TestBroker(mkdtempSync(join(tmpdir(), 'countersign-broker-')), limits);
    await broker.#enrol();
    await broker.restart();
    return broker;
  }

  get address(): string {
    return this.running.address ?? '';
  }

  get socket(): string {
    return join(this.directory, 'broker.sock');
  }

  get fingerprint(): Fingerprint {
    return this.running.fingerprint;
  }

  get now(): number {
    return this.#now;
  }

  get running() {
    if (this.#running === null) throw new Error('the broker is stopped');
    return this.#running;
  }

  /** Moves the clock and lets the broker notice, as its one timer does each second. */
  pass(seconds: number): void {
    this.#now += seconds * 1000;
    this.#tick();
  }

  /** Starts again with this policy. */
  async restartWith(policy: string): Promise<void> {
    this.policyFile = join(this.directory, 'policy.yaml');
    writeFileSync(this.policyFile, policy, { mode: 0o600 });
    await this.restart();
  }

  async restart(): Promise<void> {
    await this.#running?.stop();
    const options: BrokerOptions = {
      directory: this.directory,
      listen: { host: '127.0.0.1', port: 0 },
      socket: this.socket,
      tls: null,
      insecureHttp: false,
      name: 'test',
      log: 'silent',
      ...(this.notifyCommand === null ? {} : { notifyCommand: this.notifyCommand }),
      ...(this.policyFile === null ? {} : { policyFile: this.policyFile }),
      ...(this.webhooksFile === null ? {} : { webhooksFile: this.webhooksFile }),
      ...(this.retain === null ? {} : { retain: this.retain }),
      limits: this.#limits,
    };
    this.#running = await startBroker(options, {
      clock: () => this.#now,
      random: randomBytes,
      senders: this.senders,
      everySecond: (tick) => {
        this.#tick = tick;
        return () => {
          this.#tick = () => {};
        };
      },
    });
  }

  /** Restarts it so many days later, as if it had run all the time. */
  async restartAfter(days: number): Promise<void> {
    await this.running.stop();
    this.#now += days * 86_400_000;
    const store = await openSqliteStore({
      directory: this.directory,
      clock: () => this.#now,
      random: randomBytes,
    });
    await store.keepRetentionTime(this.#now);
    await store.close();
    await this.restart();
  }

  /** Stops the broker, puts a back-up in the place of its database, and starts it again. */
  async restoreFrom(file: string) {
    await this.running.stop();
    const restored = await restore({
      file,
      directory: this.directory,
      clock: () => this.#now,
      random: randomBytes,
    });
    await this.restart();
    return restored;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  call(method: string, path: string, call: Call = {}): Promise<Answer> {
    return this.open(method, path, call).answer;
  }

  /** A call that the test can hang up. */
  open(method: string, path: string, { body, token, headers = {}, viaSocket = false }: Call = {}) {
    const { hostname, port } = new URL(this.address);
    const target = viaSocket ? { socketPath: this.socket } : { hostname, port };
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    let request: ClientRequest;
    const answer = new Promise<Answer>((resolve, reject) => {
      request = httpRequest({
        ...target,
        path,
        method,
        agent: false,
        headers: {
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const reply = Buffer.concat(chunks).toString();
          const isJson = /json/.test(response.headers['content-type'] ?? '');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: reply,
            json: isJson ? JSON.parse(reply) : null,
          });
        });
      });
      request.end(text);
    });
    return { answer, hangUp: () => request.destroy() };
  }

  document(change: Partial<Record<keyof RequestDocument, unknown>> = {}): BoundDocument {
    return parseDocument({
      action: 'ssh.login',
      context: { reason: 'INC-4312' },
      details: { service: 'sshd', user: 'alice' },
      door: 'host:web-1',
      duration: 0,
      nonce: randomBytes(16).toString('hex'),
      requester: 'alice',
      resource: 'web-1',
      version: 1,
      ...change,
    } as JsonObject);
  }

  /** The body that the host sends: document, signed submit statement, claim. */
  hostSubmit(
    bound: BoundDocument,
    change: { claim?: string; issued?: number; key?: SoftwareKey; nonce?: string; broker?: Fingerprint } = {},
  ) {
    const statement = formatSubmit({
      broker: change.broker ?? this.fingerprint,
      submitter: name('host:web-1'),
      request: bound.digest,
      nonce: (change.nonce ?? randomBytes(16).toString('hex')) as Nonce,
      issued: change.issued ?? this.#now,
    });
    const armor = signInSoftware(change.key ?? this.keys.host, statement, {
      namespace: 'submit@countersign',
    });
    return {
      document: JSON.parse(bound.canonical) as unknown,
      statement: statement + armor,
      ...(change.claim === undefined ? {} : { claim: change.claim }),
    };
  }

  async submit(bound: BoundDocument = this.document(), claim?: string): Promise<Answer> {
    return this.call('POST', '/v1/requests', {
      body: this.hostSubmit(bound, claim === undefined ? {} : { claim }),
    });
  }

  decision(
    bound: BoundDocument,
    policy: string,
    change: Partial<Decision> = {},
    key = this.keys.bob,
  ): string {
    const statement = formatDecision({
      broker: this.fingerprint,
      door: bound.document.door,
      request: bound.digest,
      scope: bound.scope,
      covers: 'request',
      policy: policy as Decision['policy'],
      verdict: 'approve',
      requester: bound.document.requester,
      approver: name('bob'),
      decided: this.#now,
      notAfter: this.#now + 900_000,
      duration: 0,
      uses: 1,
      code: null,
      comment: 'looks right',
      ...change,
    });
    return statement + signInSoftware(key, statement);
  }

  /** Signs in and asks for the rule that the request pinned, as a console does, then decides. */
  async decide(
    id: string,
    bound: BoundDocument,
    change: Partial<Decision> = {},
    key = this.keys.bob,
  ): Promise<Answer> {
    const token = await this.signIn();
    const { json } = await this.call('GET', `/v1/requests/${id}`, { token });
    const receipt = this.decision(bound, json.policy, change, key);
    return this.call('POST', `/v1/requests/${id}/decisions`, { body: { receipt } });
  }

  /** Has the owner ask for a change, and whoever is enrolled sign it until it is applied. */
  async change(what: 'roster' | 'submitters', body: unknown): Promise<Answer> {
    const asked = await this.call('POST', `/v1/${what}/changes`, { viaSocket: true, body });
    if (asked.status !== 202) return asked;
    const { id, watch: token } = asked.json;
    const read = (wait: number): Promise<Answer> =>
      this.call('GET', `/v1/requests/${id}`, { token, headers: { prefer: `wait=${wait}` } });
    const { people } = (await this.call('GET', '/v1/roster', { viaSocket: true })).json;
    for (const approver of ['carol', 'alice', 'bob'] as const) {
      const isEnrolled = people.some((person: { name: string }) => person.name === approver);
      if (isEnrolled && (await read(0)).json.status.state === 'pending') await this.approve(id, approver);
    }
    // It is applied in the turn after its approval.
    for (;;) {
      const answer = await read(0);
      const { state, report } = answer.json.status;
      if (state !== 'approved' && (state !== 'redeemed' || report !== null)) return answer;
      await nextTurn();
    }
  }

  /** The yes of one of the people; whatever comes of it. */
  async approve(id: string, approver: 'alice' | 'bob' | 'carol'): Promise<Answer> {
    const token = await this.signIn(this.keys[approver], approver);
    const { json } = await this.call('GET', `/v1/requests/${id}`, { token });
    const bound = parseDocument(json.document);
    const receipt = this.decision(bound, json.policy, { approver: name(approver) }, this.keys[approver]);
    return this.call('POST', `/v1/requests/${id}/decisions`, { body: { receipt } });
  }

  revocation(bound: BoundDocument, key = this.keys.bob, approver = 'bob', broker = this.fingerprint): string {
    const statement = formatRevocation({
      broker,
      request: bound.digest,
      scope: bound.scope,
      approver: name(approver),
      issued: this.#now,
      comment: 'changed my mind',
    });
    return statement + signInSoftware(key, statement, { namespace: 'revoke@countersign' });
  }

  async signIn(key = this.keys.bob, approver = 'bob', broker = this.fingerprint): Promise<string> {
    const offered = await this.call('POST', '/v1/sessions/challenge', { body: { key: key.line } });
    const statement = formatSession({
      broker,
      approver: name(approver),
      challenge: offered.json.challenge,
      issued: this.#now,
      expires: this.#now + 3_600_000,
    });
    const signed = statement + signInSoftware(key, statement, { namespace: 'session@countersign' });
    const session = await this.call('POST', '/v1/sessions', { body: { statement: signed } });
    return session.json.token;
  }

  async #enrol(): Promise<void> {
    const store = await openSqliteStore({
      directory: this.directory,
      clock: () => this.#now,
      random: randomBytes,
    });
    const person = (who: string, aliases: string[], ...keys: SoftwareKey[]) => ({
      name: name(who),
      aliases: aliases.map(name),
      groups: [],
      keys: keys.map(({ line }) => ({ key: line, validAfter: null, validBefore: null })),
    });
    await store.changeDirectory((current) => {
      let directory = current;
      for (const added of [
        person('bob', ['bob-admin'], this.keys.bob, this.keys.bobToo),
        person('carol', [], this.keys.carol),
        person('alice', ['alice@example.com'], this.keys.alice),
      ]) {
        directory = changeRoster(directory, { change: 'add', person: added }, this.#now).directory;
      }
      for (const submitter of [
        {
          name: name('host:web-1'),
          credential: { kind: 'key' as const, key: this.keys.host.line },
          limits: { ...ANYTHING, canaries: true as const },
        },
        {
          name: name('ci'),
          credential: { kind: 'token' as const, hash: sha256(this.ciToken) },
          limits: { actions: ['ci.*'], resources: ['prod/*'], doors: ['ci'], requesters: ['alice'] },
        },
        {
          name: name('local'),
          credential: { kind: 'socket' as const },
          limits: { actions: ['demo.*'], resources: ['*'], doors: ['demo'], requesters: ['demo'] },
        },
      ]) {
        directory = changeSubmitters(directory, { change: 'add', submitter }, this.#now).directory;
      }
      return { directory, events: [] };
    });
    await store.close();
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
export const newClaim = (): string => randomBytes(16).toString('hex');
