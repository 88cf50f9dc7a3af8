import { changeRoster, changeSubmitters, EMPTY_DIRECTORY } from '../../broker/roster/directory.js';
import type { Directory } from '../../broker/store/store.js';
import type { BearerToken, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type Decision, formatDecision, formatRevocation } from '../../src/protocol/statements.js';
import {
  BROKER,
  bind,
  claim,
  fingerprintOf,
  HOST,
  keyEntry,
  NOON,
  name,
  ruled,
  World,
} from '../broker/requests/world.js';
import { makeSoftwareKey } from '../ssh/software-keys.js';
import { ASKS, type History, NAMES, type Step } from './history.js';

/** One key a person; what is signed with them names the key alone. */
const KEYS = new Map(NAMES.map((who) => [who as string, makeSoftwareKey('ssh-ed25519')]));
export const FINGERPRINTS = [...KEYS.values()].map(fingerprintOf);

const armor = (who: string, namespace: string): string => {
  const body = Buffer.from(`${(NAMES as readonly string[]).indexOf(who)} ${namespace}`).toString('base64');
  return `-----BEGIN SSH SIGNATURE-----\n${body}\n-----END SSH SIGNATURE-----\n`;
};

const people = NAMES.map((who) => ({
  name: name(who),
  aliases: who === 'ann' ? [name('ann-admin')] : [],
  keys: [keyEntry(KEYS.get(who) ?? makeSoftwareKey('ssh-ed25519'))],
  groups: [],
}));
const EVERYBODY: Directory = changeSubmitters(
  people.reduce<Directory>(
    (directory, person) => changeRoster(directory, { change: 'add', person }, NOON).directory,
    EMPTY_DIRECTORY,
  ),
  { change: 'add', submitter: HOST },
  NOON,
).directory;

/** A history, played on the broker's core with its store in memory. */
export class Play {
  readonly world: World;
  readonly ids: (RequestId | null)[] = Array<null>(ASKS).fill(null);
  readonly #history: History;
  #decisions = 0;
  readonly #tokens: BearerToken[][] = Array.from({ length: ASKS }, () => []);

  constructor(history: History) {
    this.#history = history;
    const directory = {
      ...EVERYBODY,
      people: EVERYBODY.people.map((person) => ({
        ...person,
        groups: (history.groups[person.name] ?? []).map(name),
      })),
    };
    this.world = new World(ruled(history.policy), { mutingDenials: 1000 }, directory);
  }

  /** Seconds since the beginning. */
  get now(): number {
    return (this.world.now - NOON) / 1000;
  }

  /** Whether it succeeds. */
  async step(step: Step): Promise<boolean> {
    try {
      await this.#do(step);
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }

  /** Where each ask stands: its state, and how often it was used as a grant. */
  standings(): (string | null)[] {
    return this.ids.map((id) => {
      const request = id === null ? undefined : this.world.store.requests.get(id);
      return request === undefined ? null : `${request.state} ${request.uses}`;
    });
  }

  async #do(step: Step): Promise<unknown> {
    const { world } = this;
    if (step.do === 'wait') {
      world.now += step.seconds * 1000;
      return world.requests.tick();
    }
    if (step.do === 'dismiss' || step.do === 'regroup') {
      const who = name(step.who);
      await world.changeRoster(
        step.do === 'dismiss'
          ? { change: 'remove', name: who }
          : { change: 'set', name: who, groups: step.groups.map(name) },
      );
      return world.requests.reconsider();
    }
    if (step.do === 'submit') return this.#submit(step.ask, step.claim);
    const id = this.ids[step.ask] ?? null;
    if (id === null) throw new Problem('not-found', 'was never asked');
    switch (step.do) {
      case 'leave': {
        const watch = this.#tokens[step.ask]?.at(-1);
        if (watch === undefined) throw new Problem('not-found', 'nobody waits');
        await world.detach(id, watch, true);
        return this.#tokens[step.ask]?.pop();
      }
      case 'approve': {
        const { who, covers, duration, uses, validity } = step;
        const notAfter = world.now + validity * 1000;
        return this.#decide(id, who, { covers, duration, uses, notAfter });
      }
      case 'deny':
        return this.#decide(id, step.who, { verdict: 'deny' });
      case 'revoke': {
        const { digest: request, scope } = await world.read(id);
        const approver = name(step.who);
        const statement = { broker: BROKER, request, scope, approver, issued: world.now, comment: '' };
        return world.requests.revoke(id, formatRevocation(statement) + armor(step.who, 'revoke@countersign'));
      }
      case 'redeem':
        return world.redeem(id, claim(step.claim));
    }
  }

  async #submit(ask: number, digit: string | null): Promise<void> {
    const { requester, duration } = this.#history;
    const bound = bind({ requester, duration, nonce: String(ask).repeat(32) });
    const { request, watch } = await this.world.submit(bound, digit === null ? null : claim(digit));
    this.ids[ask] = request.id;
    if (watch === null) throw new Problem('request-ended', 'nothing to watch');
    this.#tokens[ask]?.push(watch);
  }

  async #decide(id: RequestId, who: string, change: Partial<Decision>): Promise<unknown> {
    const { world } = this;
    this.#decisions += 1;
    const { document, digest, scope, policy } = await world.read(id);
    const statement = formatDecision({
      broker: BROKER,
      door: document.door,
      request: digest,
      scope,
      covers: 'request',
      policy,
      verdict: 'approve',
      requester: document.requester,
      approver: name(who),
      decided: world.now,
      notAfter: world.now + 300_000,
      duration: 0,
      uses: 1,
      code: null,
      // The same receipt again would be the same decision.
      comment: `decision ${this.#decisions}`,
      ...change,
    });
    return world.requests.decide(id, statement + armor(who, 'decision@countersign'));
  }
}
