import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { Committed } from '../../../broker/store/store.js';
import type { BearerToken, RequestId } from '../../../src/protocol/names.js';
import { Problem, type ProblemCode } from '../../../src/protocol/problems.js';
import { OUTCOMES } from '../../../src/protocol/request-view.js';
import { Oracle } from './oracle.js';
import { bind, claim, fingerprintOf, keyEntry, keys, name, otherPeople, PEOPLE, World } from './world.js';

type Voter = readonly [keyof typeof PEOPLE, keyof typeof keys];
const VOTERS: readonly Voter[] = [
  ['bob', 'bob'],
  ['bob', 'bobToo'],
  ['carol', 'carol'],
  ['dave', 'dave'],
  ['alice', 'alice'],
];

const voter: fc.Arbitrary<Voter> = fc.constantFrom(...VOTERS);
const aClaim = fc.constantFrom('a', 'b');
const asker = fc.nat({ max: 4 });
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('submit' as const), claim: fc.option(aClaim) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('detach' as const), asker, cancel: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('approve' as const),
      voter,
      seconds: fc.constantFrom(30, 300, 900),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('approve again' as const), which: fc.nat({ max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deny' as const), voter }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('redeem' as const), claim: aClaim }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      claim: aClaim,
      outcome: fc.constantFrom(...OUTCOMES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), voter }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove key' as const), voter }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('enrol key' as const), voter }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 999, 1000, 29_999, 59_999, 60_000, 240_000, 600_000),
      ticks: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

/** One request, what the oracle says of it, and the tokens and receipts that were made on the way. */
class Play {
  readonly world: World;
  readonly oracle: Oracle;
  readonly #enrolled = new Map<string, Set<string>>();
  readonly #tokens: BearerToken[] = [];
  #id: RequestId | null = null;

  constructor(need: number) {
    this.world = new World(otherPeople(need));
    for (const [who, key] of VOTERS) this.#enrolled.set(who, (this.#enrolled.get(who) ?? new Set()).add(key));
    this.oracle = new Oracle(need, this.#enrolled);
  }

  async run(operation: Operation): Promise<void> {
    const { world, oracle } = this;
    if (operation.do === 'wait') {
      world.now += operation.ms;
      oracle.settle(world.now);
      if (operation.ticks) await world.requests.tick();
    } else if (operation.do === 'restart') world.restart();
    else if (operation.do === 'submit') await this.#submit(operation.claim);
    else if (this.#id !== null) await this.#act(operation, this.#id);
    if (this.#id === null) return;
    const { state, askers } = await world.read(this.#id);
    expect([operation, state, askers]).toEqual([operation, oracle.state, oracle.waiting]);
  }

  async #submit(digit: string | null): Promise<void> {
    const { request, isNew, watch } = await this.world.submit(bind(), digit === null ? null : claim(digit));
    expect(isNew).toBe(this.#id === null);
    this.#id ??= request.id;
    expect(request.id).toBe(this.#id);
    expect(watch !== null).toBe(this.oracle.submit(this.#tokens.length, digit, this.world.now));
    if (watch !== null) this.#tokens.push(watch);
  }

  async #act(
    operation: Exclude<Operation, { do: 'wait' | 'restart' | 'submit' }>,
    id: RequestId,
  ): Promise<void> {
    const { world, oracle } = this;
    const { requests, now } = world;
    const standing = await world.read(id);
    switch (operation.do) {
      case 'detach': {
        if (this.#tokens.length === 0) return;
        const which = operation.asker % this.#tokens.length;
        const watch = this.#tokens[which] ?? ('' as BearerToken);
        const expected = oracle.detach(which, operation.cancel, now);
        return expectAnswer(operation, expected, world.detach(id, watch, operation.cancel));
      }
      case 'approve': {
        const [who, key] = operation.voter;
        const decided = Math.floor(now / 1000) * 1000;
        const notAfter = decided + operation.seconds * 1000;
        const receipt = world.decision(standing, { approver: name(who), decided, notAfter }, keys[key]);
        return this.#decide(operation, standing, receipt, () => oracle.approve(who, key, notAfter, now));
      }
      case 'approve again': {
        const receipt = standing.votes[operation.which]?.receipt;
        if (receipt !== undefined) await expectAnswer(operation, null, requests.decide(id, receipt));
        return;
      }
      case 'deny': {
        const [who, key] = operation.voter;
        const receipt = world.decision(standing, { approver: name(who), verdict: 'deny' }, keys[key]);
        return this.#decide(operation, standing, receipt, () => oracle.deny(who, key));
      }
      case 'redeem':
        return expectAnswer(
          operation,
          oracle.redeem(operation.claim, now),
          world.redeem(id, claim(operation.claim)),
        );
      case 'report': {
        const { outcome } = operation;
        const report = { claim: claim(operation.claim), outcome, code: null };
        return expectAnswer(operation, oracle.report(operation.claim, outcome), requests.report(id, report));
      }
      case 'revoke': {
        const [who, key] = operation.voter;
        const statement = world.revocation(standing, { approver: name(who) }, keys[key]);
        return expectAnswer(operation, oracle.revoke(who, key), requests.revoke(id, statement));
      }
      case 'remove key':
        return this.#removeKey(operation.voter);
      case 'enrol key':
        return this.#enrolKey(operation.voter);
    }
  }

  /** A receipt that was counted is one decision, however often it is sent. */
  async #decide(
    operation: Operation,
    { id, votes }: Request,
    receipt: string,
    judge: () => ProblemCode | null,
  ) {
    const expected = votes.some((vote) => vote.receipt === receipt) ? null : judge();
    await expectAnswer(operation, expected, this.world.requests.decide(id, receipt));
  }

  /** The last key goes with its person. */
  async #removeKey([who, key]: Voter): Promise<void> {
    const own = this.#enrolled.get(who);
    if (!own?.delete(key)) return;
    const fingerprint = fingerprintOf(keys[key]);
    const remove = { change: 'remove', name: name(who) } as const;
    const removeKey = { change: 'remove-key', name: name(who), fingerprint } as const;
    await this.world.changeRoster(own.size === 0 ? remove : removeKey);
  }

  async #enrolKey([who, key]: Voter): Promise<void> {
    const own = this.#enrolled.get(who) ?? new Set();
    if (own.has(key)) return;
    const add = { change: 'add' as const, person: { ...PEOPLE[who], keys: [keyEntry(keys[key])] } };
    const addKey = { change: 'add-key' as const, name: name(who), key: keyEntry(keys[key]) };
    await this.world.changeRoster(own.size === 0 ? add : addKey);
    this.#enrolled.set(who, own.add(key));
  }
}

async function expectAnswer(operation: Operation, expected: ProblemCode | null, answer: Promise<unknown>) {
  const code = await answer.then(
    () => null,
    (error: unknown) => {
      if (error instanceof Problem) return error.code;
      throw error;
    },
  );
  expect([operation, code]).toEqual([operation, expected]);
}

const ENDS = ['denied', 'expired', 'cancelled', 'lapsed', 'revoked', 'redeemed'];

/** What must hold of every log, whatever the oracle thinks. */
function checkLog(log: readonly Committed[], need: number): void {
  const kinds = log.filter(({ request }) => request !== null).map(({ kind }) => kind.replace('request.', ''));
  const count = (kind: string): number => kinds.filter((other) => other === kind).length;
  const ends = kinds.filter((kind) => ENDS.includes(kind));
  expect(count('submitted')).toBeLessThanOrEqual(1);
  expect(count('approved')).toBeLessThanOrEqual(1);
  expect(count('reported')).toBeLessThanOrEqual(1);
  expect(ends.length).toBeLessThanOrEqual(1);
  const last = ends.length === 0 ? kinds.length : kinds.indexOf(ends[0] ?? '');
  expect(kinds.slice(last + 1).every((kind) => kind === 'reported')).toBe(true);
  if (count('approved') > 0) expect(count('voted')).toBeGreaterThanOrEqual(need);
  for (const kind of ['redeemed', 'lapsed', 'revoked'])
    if (count(kind) > 0) expect(kinds.indexOf('approved')).toBeGreaterThan(-1);
}

describe.each([1, 2])(
  'any order of steps, where %i other people must approve (A14, A15, A26, A55)',
  (need) => {
    test('has the outcome that the rules of the life of a request give it, and one only', async () => {
      const reached = new Set<string>();
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async (operations) => {
          const play = new Play(need);
          await play.run({ do: 'submit', claim: null });
          for (const next of operations) await play.run(next);
          checkLog(play.world.store.log, need);
          reached.add(play.oracle.state);
        }),
        { numRuns: 250 },
      );
      expect([...reached]).toEqual(expect.arrayContaining(['redeemed', 'denied', 'cancelled', 'expired']));
    });
  },
);
