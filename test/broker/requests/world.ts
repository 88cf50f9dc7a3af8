import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { hashToken } from '../../../broker/access/tokens.js';
import { DEFAULT_LIMITS, type Limits } from '../../../broker/options.js';
import { ONE_OTHER_PERSON, oneOtherPerson } from '../../../broker/policy/one-other-person.js';
import type { Policy } from '../../../broker/policy/policy.js';
import type { Request } from '../../../broker/requests/request.js';
import { Requests } from '../../../broker/requests/requests.js';
import { changeRoster, changeSubmitters, EMPTY_DIRECTORY } from '../../../broker/roster/directory.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Directory } from '../../../broker/store/store.js';
import { type BoundDocument, parseDocument, type RequestDocument } from '../../../src/protocol/document.js';
import type {
  BearerToken,
  Claim,
  Digest,
  Fingerprint,
  Name,
  RequestId,
} from '../../../src/protocol/names.js';
import type { RosterChange, Submitter } from '../../../src/protocol/roster-messages.js';
import { pinRule, type Rule } from '../../../src/protocol/rule.js';
import {
  type Decision,
  formatDecision,
  formatRevocation,
  type Revocation,
} from '../../../src/protocol/statements.js';
import type { JsonObject } from '../../../src/protocol/strict-json.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { makeSoftwareKey, type SoftwareKey, signInSoftware } from '../../ssh/software-keys.js';
import { MemoryStore } from './memory-store.js';

export const NOON = Date.parse('2026-01-31T12:00:00Z');
export const BROKER = 'SHA256:jD8kIYzFGbVYWV8u2Cg1+9zdA2Xk0FVB0ov2AAm4xRo' as Fingerprint;

export const name = (text: string): Name => text as Name;
export const claim = (digit: string): Claim => digit.repeat(32) as Claim;
export const fingerprintOf = (key: SoftwareKey): Fingerprint => parsePublicKeyLine(key.line).fingerprint;

/** Made once: what they sign differs, who they are does not. */
export const keys = {
  alice: makeSoftwareKey('ssh-ed25519'),
  bob: makeSoftwareKey('ssh-ed25519'),
  bobToo: makeSoftwareKey('ssh-ed25519'),
  carol: makeSoftwareKey('ssh-ed25519'),
  dave: makeSoftwareKey('ssh-ed25519'),
  host: makeSoftwareKey('ssh-ed25519'),
  stranger: makeSoftwareKey('ssh-ed25519'),
};

export const keyEntry = (key: SoftwareKey) => ({ key: key.line, validAfter: null, validBefore: null });
export const person = (who: string, aliases: readonly string[], ...own: SoftwareKey[]) => ({
  name: name(who),
  aliases: aliases.map(name),
  groups: [],
  keys: own.map(keyEntry),
});

export const PEOPLE = {
  alice: person('alice', ['alice-admin', 'alice@example.com'], keys.alice),
  bob: person('bob', ['bob-admin'], keys.bob, keys.bobToo),
  carol: person('carol', [], keys.carol),
  dave: person('dave', [], keys.dave),
};
export const HOST: Submitter = {
  name: name('host:web-1'),
  credential: { kind: 'key', key: keys.host.line },
  limits: { actions: ['*'], resources: ['*'], doors: ['*'], requesters: ['*'], canaries: true },
};

/** alice, bob with two keys, carol and dave; host:web-1 submits. */
export const DIRECTORY: Directory = changeSubmitters(
  Object.values(PEOPLE).reduce<Directory>(
    (directory, added) => changeRoster(directory, { change: 'add', person: added }, NOON).directory,
    EMPTY_DIRECTORY,
  ),
  { change: 'add', submitter: HOST },
  NOON,
).directory;

export const bind = (change: Partial<Record<keyof RequestDocument, unknown>> = {}): BoundDocument =>
  parseDocument({
    action: 'ssh.login',
    context: { reason: 'INC-4312' },
    details: { service: 'sshd', user: 'alice' },
    door: 'host:web-1',
    duration: 0,
    nonce: '0'.repeat(32),
    requester: 'alice',
    resource: 'web-1',
    version: 1,
    ...change,
  } as JsonObject);

/** A policy of one rule: that of {@link oneOtherPerson} with something changed. */
export const ruled = (change: Partial<Rule>): Policy => {
  const { text: _text, digest: _digest, ...rule } = ONE_OTHER_PERSON;
  const pinned = pinRule({ ...rule, ...change });
  return { ruleFor: () => pinned };
};

/** As {@link oneOtherPerson}, but for how many other people it takes. */
export const otherPeople = (count: number): Policy => ruled({ approvals: [{ people: count, groups: [] }] });

export const PATIENT = (seconds: number, hangUp = new AbortController().signal) => ({ seconds, hangUp });

/** The broker's core over a store in memory, with a clock that the test moves. */
export class World {
  readonly store: MemoryStore;
  readonly waitingTold: Request[] = [];
  now = NOON;
  isDraining = false;
  /** In force for what is asked from now on. */
  policy: Policy;
  /** When to tell of a request: never, unless a test says so. */
  notifyAt: (request: Request, now: number) => number | null = () => null;
  readonly #limits: Partial<Limits>;
  #drawn = 0;
  #ids = 0;
  #principals: Principals;
  #indexed: Directory;
  requests: Requests;

  constructor(policy: Policy = oneOtherPerson, limits: Partial<Limits> = {}, directory = DIRECTORY) {
    this.store = new MemoryStore(directory);
    this.#principals = new Principals(directory);
    this.#indexed = directory;
    this.policy = policy;
    this.#limits = limits;
    this.requests = this.#open();
  }

  /** What a new process makes of the same store. */
  restart(): void {
    this.requests = this.#open();
  }

  /** Moves the clock and lets the broker notice, as its one timer does each second. */
  async pass(seconds: number): Promise<void> {
    this.now += seconds * 1000;
    await this.requests.tick();
  }

  submit(bound = bind(), redeemWith: Claim | null = null, submitter = HOST, signers: Digest | null = null) {
    return this.requests.submit({ bound, statement: null, claim: redeemWith, signers }, submitter, null);
  }

  read(id: RequestId): Promise<Request> {
    return this.requests.read(id, PATIENT(0));
  }

  redeem(id: RequestId, under: Claim): Promise<Request> {
    return this.requests.redeem(id, under, PATIENT(0));
  }

  detach(id: RequestId, watch: BearerToken, cancel = false): Promise<Request> {
    return this.requests.detach(id, hashToken(watch), cancel);
  }

  decision(request: Request, change: Partial<Decision> = {}, key = keys.bob, namespace?: string): string {
    const decided = Math.floor(this.now / 1000) * 1000;
    const statement = formatDecision({
      broker: BROKER,
      door: request.document.door,
      request: request.digest,
      scope: request.scope,
      covers: 'request',
      policy: request.policy,
      verdict: 'approve',
      requester: request.document.requester,
      approver: name('bob'),
      decided,
      notAfter: decided + 900_000,
      duration: 0,
      uses: 1,
      code: null,
      comment: '',
      ...change,
    });
    return statement + signInSoftware(key, statement, namespace === undefined ? {} : { namespace });
  }

  revocation(
    request: Request,
    change: Partial<Revocation> = {},
    key = keys.bob,
    namespace = 'revoke@countersign',
  ): string {
    const statement = formatRevocation({
      broker: BROKER,
      request: request.digest,
      scope: request.scope,
      approver: name('bob'),
      issued: Math.floor(this.now / 1000) * 1000,
      comment: '',
      ...change,
    });
    return statement + signInSoftware(key, statement, { namespace });
  }

  async changeRoster(change: RosterChange): Promise<void> {
    await this.store.changeDirectory((current) => changeRoster(current, change, this.now));
  }

  /** The index of the directory as it stands. */
  get principals(): Principals {
    if (this.#indexed !== this.store.directory()) {
      this.#indexed = this.store.directory();
      this.#principals = new Principals(this.#indexed);
    }
    return this.#principals;
  }

  /** Listeners of the store run in the turn after the answer; wakings one turn later. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await nextTurn();
  }

  #open(): Requests {
    const { store } = this;
    return new Requests({
      validation: { isAskedFor: () => false, check: async () => [] },
      store,
      policy: { ruleFor: (asked) => this.policy.ruleFor(asked) },
      brokers: () => [BROKER],
      limits: { ...DEFAULT_LIMITS, ...this.#limits },
      clock: () => this.now,
      random: (count) => this.#draw(count),
      newId: () => {
        this.#ids += 1;
        return `01KG9Z8QW5${String(this.#ids).padStart(16, '0')}` as RequestId;
      },
      principals: () => this.principals,
      onWaiting: (request) => this.waitingTold.push(request),
      notifyAt: (request, now) => this.notifyAt(request, now),
      isDraining: () => this.isDraining,
    });
  }

  #draw(count: number): Buffer {
    this.#drawn += 1;
    return createHash('sha256').update(String(this.#drawn)).digest().subarray(0, count);
  }
}
