import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { ONE_OTHER_PERSON } from '../../../broker/policy/one-other-person.js';
import { backgroundOf, isUsual } from '../../../broker/requests/background.js';
import { submitted } from '../../../broker/requests/lifecycle.js';
import { readPast } from '../../../broker/requests/past.js';
import type { Request, Vote } from '../../../broker/requests/request.js';
import type { ListQuery, Store } from '../../../broker/store/store.js';
import { type Background, backgroundSchema } from '../../../src/protocol/background.js';
import { leastIdAt } from '../../../src/protocol/filter.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { REQUEST_STATES } from '../../../src/protocol/request-view.js';
import { bind, claim, DIRECTORY, NOON, name, PEOPLE } from './world.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const vote = (approver: string, verdict: Vote['verdict'] = 'approve', decided = NOON): Vote => ({
  approver: name(approver),
  verdict,
  decided,
  notAfter: decided + 900_000,
  covers: 'request',
  duration: 0,
  uses: 1,
  comment: '',
  receipt: '',
});

interface Asked extends Partial<Omit<Request, 'document'>> {
  /** How long before noon, in ms. */
  readonly ago?: number;
  readonly document?: Parameters<typeof bind>[0];
}

/** An ask of alice from one address; pending unless told otherwise. */
function ask({ ago = 0, document = {}, ...given }: Asked = {}): Request {
  const submittedAt = NOON - ago;
  const details = { service: 'sshd', source: '203.0.113.9', user: 'alice' };
  const { request } = submitted(
    {
      id: leastIdAt(submittedAt),
      bound: bind({ details, ...document }),
      submitter: name('host:web-1'),
      vouched: 'statement',
      verified: null,
      signers: null,
      validated: null,
      rule: ONE_OTHER_PERSON,
      missing: [],
    },
    submittedAt,
  );
  return { ...request, ...given };
}

const opened = (at: number): Request['report'] => ({ claim: claim('a'), outcome: 'opened', code: null, at });
/** An ask that bob approved and the door opened. */
const passed = (asked: Asked = {}): Request => {
  const at = NOON - (asked.ago ?? 0);
  return ask({
    state: 'redeemed',
    votes: [vote('bob', 'approve', at)],
    report: opened(at),
    endedAt: at,
    ...asked,
  });
};
/** Days apart, at the hour of the request. */
const habit = (count: number, asked: Asked = {}): readonly Request[] =>
  Array.from({ length: count }, (_, n) => passed({ ago: (n + 1) * DAY, ...asked }));

const place = (zone = 'UTC') => ({ person: PEOPLE.alice, roster: DIRECTORY.people, zone });
const look = (request: Request, asks: readonly Request[], zone?: string): Background =>
  backgroundOf(request, { asks, since: NOON - 30 * DAY, reach: 'days' }, place(zone));
const codes = (request: Request, asks: readonly Request[], zone?: string): readonly string[] =>
  look(request, asks, zone).unusual.map(({ code }) => code);

describe('what is unusual about a request', () => {
  test('is nothing where all of it was approved before', () => {
    expect(look(ask(), habit(12))).toEqual({
      isPerson: true,
      since: NOON - 30 * DAY,
      reach: 'days',
      asks: 12,
      approved: 12,
      earlier: expect.objectContaining({ length: 5 }),
      unusual: [],
    });
  });

  test('is another address, and who says so: with a signature or without one', () => {
    const details = { service: 'sshd', source: '198.51.100.7', user: 'alice' };
    expect(look(ask({ document: { details } }), habit(3)).unusual).toEqual([
      { code: 'new-address', address: '198.51.100.7', submitter: 'host:web-1', signed: true },
    ]);
    expect(look(ask({ document: { details }, vouched: null }), habit(3)).unusual).toMatchObject([
      { signed: false },
    ]);
  });

  test.each([
    ['none', undefined],
    ['null', null],
    ['empty', ''],
    ['no text', 7],
    ['a list', ['203.0.113.9']],
    ['longer than any address', 'a'.repeat(257)],
  ])('says nothing of an address that is %s', (_what, source) => {
    const details = source === undefined ? {} : { source };
    expect(codes(ask({ document: { details } }), habit(3))).toEqual([]);
  });

  test('is another resource and another submitter', () => {
    const request = ask({ document: { resource: 'db-1' }, submitter: name('host:db-1') });
    expect(codes(request, habit(3))).toEqual(['new-submitter', 'new-resource']);
  });

  test('is everything, said once, where nothing was approved before', () => {
    expect(codes(ask(), [])).toEqual(['nothing-approved']);
    expect(codes(ask(), [ask({ ago: DAY }), ask({ ago: HOUR, state: 'expired' })])).toEqual([
      'nothing-approved',
    ]);
  });

  test('is who was denied in the 24 hours before, on anything, each ask counted once', () => {
    const denied = (ago: number, votes = [vote('bob', 'deny', NOON - ago)]) =>
      ask({ ago, state: 'denied', votes, endedAt: NOON - ago, document: { resource: 'db-1' } });
    const twice = denied(2 * HOUR, [vote('bob', 'deny', NOON - HOUR), vote('carol', 'deny', NOON - HOUR)]);
    expect(look(ask(), [denied(HOUR), twice, denied(25 * HOUR), ...habit(3)]).unusual).toEqual([
      { code: 'denied', asks: 2 },
    ]);
  });

  test('is a denial also of what was revealed to be a canary: who asks hides none afterwards (A20)', () => {
    const canary = { ago: HOUR, canary: NOON };
    const denied = ask({ ...canary, state: 'denied', votes: [vote('bob', 'deny', NOON - HOUR)] });
    const approved = ask({ ...canary, state: 'cancelled', votes: [vote('bob', 'approve', NOON - HOUR)] });
    expect(look(ask(), [denied, approved, ...habit(3)])).toMatchObject({
      asks: 4,
      approved: 3,
      unusual: [{ code: 'denied', asks: 1 }],
    });
  });

  test('counts a denial that a clock dates after the request, but for a record none that came after its end', () => {
    const later = ask({ ago: HOUR, state: 'denied', votes: [vote('bob', 'deny', NOON + HOUR)] });
    expect(codes(ask(), [later, ...habit(3)])).toEqual(['denied']);
    expect(codes(ask({ state: 'expired', endedAt: NOON + 60_000 }), [later, ...habit(3)])).toEqual([]);
  });

  test("goes by the hour of the reader's own zone, also through the change to summer time", () => {
    // 04:30 in Berlin: 02:30 UTC in summer, 03:30 UTC in winter.
    const at = Date.parse('2026-03-29T02:30:00Z');
    const past = Array.from({ length: 10 }, (_, n) => {
      const submittedAt = Date.parse('2026-03-28T01:20:00Z') - n * DAY;
      return { ...passed(), id: leastIdAt(submittedAt), submittedAt };
    });
    const request = ask({ ago: NOON - at });
    expect(look(request, past, 'Europe/Berlin').unusual).toEqual([
      { code: 'new-hour', at: '04:30', zone: 'Europe/Berlin' },
    ]);
    expect(look(request, past, 'UTC').unusual).toEqual([{ code: 'new-hour', at: '02:30', zone: 'UTC' }]);
  });

  test.each([
    [10, 61, ['new-hour']],
    [10, 60, []],
    [9, 61, []],
    [10, 23 * 60, []],
    [10, 12 * 60, ['new-hour']],
  ])('with %i asks that lie %i minutes apart on the clock is %j', (count, minutes, expected) => {
    const past = habit(count).map((request) => {
      const submittedAt = request.submittedAt - minutes * 60_000;
      return { ...request, submittedAt };
    });
    expect(codes(ask(), past)).toEqual(expected);
  });

  test('is a name that looks like that of somebody else, before all the rest', () => {
    const request = ask({ document: { requester: 'a1ice' } });
    const { unusual, isPerson } = backgroundOf(
      request,
      { asks: [], since: NOON, reach: 'days' },
      { ...place(), person: null },
    );
    expect(isPerson).toBe(false);
    expect(unusual).toEqual([
      { code: 'look-alike', requester: 'a1ice', name: 'alice', by: 'looks' },
      { code: 'nothing-approved' },
    ]);
  });
});

describe('what makes an ask usual (A31)', () => {
  const isIt = (request: Request): boolean => isUsual(request, PEOPLE.alice);

  test.each(REQUEST_STATES)('a request that is %s', (state) => {
    const passes = ['approved', 'active', 'redeemed', 'lapsed'].includes(state);
    expect(isIt(passed({ state, report: null }))).toBe(passes);
    // Nobody makes himself usual by asking.
    expect(isIt(ask({ state }))).toBe(false);
  });

  test('is somebody else: no rule that lets pass alone, and not the requester by any name', () => {
    expect(isIt(passed({ votes: [] }))).toBe(false);
    expect(isIt(passed({ votes: [vote('alice')], document: { requester: 'alice-admin' } }))).toBe(false);
    expect(isIt(passed({ votes: [vote('alice'), vote('bob')] }))).toBe(true);
  });

  test.each([
    ['refused', false],
    ['observed', false],
    ['opened', true],
  ] as const)('of which the door says %s', (outcome, expected) => {
    expect(isIt(passed({ report: { claim: claim('a'), outcome, code: null, at: NOON } }))).toBe(expected);
  });
});

describe('earlier decisions', () => {
  test('are the last five on the same scope, with what the door did, the newest first', () => {
    const other = passed({ ago: HOUR, document: { resource: 'db-1' } });
    const underGrant = passed({ ago: HOUR, grant: leastIdAt(NOON - DAY) });
    const denied = ask({ ago: 2 * HOUR, state: 'denied', votes: [vote('carol', 'deny', NOON - 2 * HOUR)] });
    const { earlier } = look(ask(), [other, underGrant, denied, ...habit(7)]);
    expect(earlier.map(({ approver, verdict, decided }) => [approver, verdict, NOON - decided])).toEqual([
      ['carol', 'deny', 2 * HOUR],
      ...[1, 2, 3, 4].map((day) => ['bob', 'approve', day * DAY]),
    ]);
    expect(earlier[0]?.report).toBeNull();
    expect(earlier[1]?.report).toEqual({ outcome: 'opened', code: null, at: NOON - DAY });
  });
});

const past = fc.array(
  fc
    .record({
      ago: fc.integer({ min: 1, max: 29 * DAY }),
      state: fc.constantFrom(...REQUEST_STATES),
      votes: fc.array(
        fc
          .tuple(fc.constantFrom('alice', 'bob', 'carol'), fc.constantFrom('approve', 'deny'), fc.nat(86_400))
          .map(([who, verdict, ago]) => vote(who, verdict as Vote['verdict'], NOON - ago * 1000)),
        { maxLength: 3 },
      ),
      source: fc.constantFrom('203.0.113.9', '198.51.100.7', null),
      resource: fc.constantFrom('web-1', 'db-1'),
      report: fc.constantFrom(null, opened(NOON)),
    })
    .map(({ source, resource, ...given }) =>
      ask({ ...given, document: { resource, details: { source, user: 'alice' } } }),
    ),
  { maxLength: 40 },
);

describe('whatever the past is', () => {
  const request = ask({ document: { details: { source: '203.0.113.9', user: 'alice' } } });

  test('asks that nobody else approved never make a request less unusual', () => {
    fc.assert(
      fc.property(past, past, (asks, more) => {
        const unapproved = more.filter((one) => !isUsual(one, PEOPLE.alice));
        const before = look(request, asks);
        const after = look(request, [...unapproved, ...asks]);
        for (const { code } of before.unusual) {
          expect(after.unusual.map((what) => what.code)).toContain(code);
        }
        expect(after.approved).toBe(before.approved);
      }),
    );
  });

  test('what is told can be read by a client, and is bounded', () => {
    fc.assert(
      fc.property(past, fc.constantFrom('UTC', 'Asia/Kolkata', 'America/St_Johns'), (asks, zone) => {
        const told = look(request, asks, zone);
        expect(z.decode(backgroundSchema, z.encode(backgroundSchema, told))).toEqual(told);
      }),
    );
  });
});

describe('the past of a request', () => {
  /** A store that answers with what it is told, and keeps what it was asked. */
  const store = (answer: { requests: readonly Request[]; next: RequestId | null }) => {
    const asked: { query: ListQuery; steps: number }[] = [];
    const list: Store['list'] = async (query, goesOn = () => true) => {
      let steps = 1;
      while (steps < 100_000 && goesOn()) steps += 1;
      asked.push({ query, steps });
      return answer;
    };
    return { asked, list };
  };
  const read = (from: ReturnType<typeof store>, kept: number | null = null) =>
    readPast(from, ask(), [name('alice'), name('alice-admin')], { kept, goesOn: () => true });

  test('is what was asked before it, in all names of the person, within 30 days: never the request itself', async () => {
    const from = store({ requests: [], next: null });
    expect(await read(from)).toEqual({ asks: [], since: NOON - 30 * DAY, reach: 'days' });
    expect(from.asked[0]?.query).toEqual({
      filter: {
        terms: [
          { key: 'requester', not: false, any: [['alice'], ['alice-admin']] },
          { key: 'since', at: NOON - 30 * DAY },
        ],
      },
      before: ask().id,
      limit: 200,
    });
  });

  test('is looked for in a few steps, however many there are, and says how far back that was', async () => {
    const next = leastIdAt(NOON - DAY);
    const few = store({ requests: habit(3), next });
    expect(await read(few)).toMatchObject({ reach: 'search', since: NOON - DAY });
    expect(few.asked[0]?.steps).toBe(8);
    expect(await read(store({ requests: habit(200), next }))).toMatchObject({
      reach: 'asks',
      since: NOON - DAY,
    });
  });

  test('reaches no further back than requests are kept', async () => {
    const from = store({ requests: [], next: null });
    expect(await read(from, NOON - DAY)).toMatchObject({ reach: 'kept', since: NOON - DAY });
    expect(await read(from, NOON - 40 * DAY)).toMatchObject({ reach: 'days', since: NOON - 30 * DAY });
  });

  test('is not looked for any longer once nobody wants to know', async () => {
    const from = store({ requests: [], next: leastIdAt(NOON - DAY) });
    await readPast(from, ask(), [name('alice')], { kept: null, goesOn: () => false });
    expect(from.asked[0]?.steps).toBe(1);
  });
});
