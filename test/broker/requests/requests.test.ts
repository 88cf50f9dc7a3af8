import { beforeEach, describe, expect, test } from 'vitest';
import { rejectionCode } from '../../ssh/problem.js';
import {
  bind,
  claim,
  fingerprintOf,
  HOST,
  keyEntry,
  keys,
  name,
  otherPeople,
  PATIENT,
  ruled,
  World,
} from './world.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const kinds = (): string[] => world.store.log.map(({ kind }) => kind.replace('request.', ''));

async function pending() {
  const { request, watch } = await world.submit();
  if (watch === null) throw new Error('no watch token');
  return { request, id: request.id, watch };
}

async function approvedRequest() {
  const asked = await pending();
  await world.requests.decide(asked.id, world.decision(asked.request));
  return asked;
}

describe('decisions at once', () => {
  test('2,000 of four people, some twice, make one transition (A14, A25)', async () => {
    const { id, request } = await pending();
    const receipts = [
      world.decision(request),
      world.decision(request, {}, keys.bobToo),
      world.decision(request, { approver: name('carol') }, keys.carol),
      world.decision(request, { approver: name('dave'), verdict: 'deny' }, keys.dave),
      world.decision(request, { approver: name('dave') }, keys.dave),
    ];
    const calls = Array.from({ length: 2000 }, (_, index) =>
      rejectionCode(world.requests.decide(id, receipts[(index * 7) % receipts.length] ?? '')),
    );
    const codes = new Set(await Promise.all(calls));
    expect(kinds().filter((kind) => kind === 'approved' || kind === 'denied')).toHaveLength(1);
    expect([...codes].every((code) => code === null || code === 'request-ended')).toBe(true);
    expect((await world.read(id)).votes).toHaveLength(1);
  });

  test('the same receipt 50 times at once is one decision, and each call is answered with it', async () => {
    for (const verdict of ['approve', 'deny'] as const) {
      world = new World();
      const { id, request } = await pending();
      const receipt = world.decision(request, { verdict });
      const answers = await Promise.all(Array.from({ length: 50 }, () => world.requests.decide(id, receipt)));
      expect(new Set(answers.map(({ state }) => state))).toEqual(
        new Set([verdict === 'deny' ? 'denied' : 'approved']),
      );
      expect((await world.read(id)).votes).toHaveLength(1);
    }
  });

  test('a person counts once, with every key and every alias together (A8, A14)', async () => {
    world = new World(otherPeople(2));
    const { id, request } = await pending();
    const decide = (key: typeof keys.bob, approver = 'bob') =>
      rejectionCode(world.requests.decide(id, world.decision(request, { approver: name(approver) }, key)));
    expect(await decide(keys.bob)).toBe(null);
    expect(await decide(keys.bobToo)).toBe('already-voted');
    expect(await decide(keys.bobToo, 'bob-admin')).toBe('wrong-principal');
    expect((await world.read(id)).state).toBe('pending');
    expect(await decide(keys.carol, 'carol')).toBe(null);
    expect((await world.read(id)).state).toBe('approved');
  });

  test('a deny ends the request whatever was signed before it (A26)', async () => {
    world = new World(otherPeople(2));
    const { id, request } = await pending();
    await world.requests.decide(id, world.decision(request));
    await world.requests.decide(id, world.decision(request, { verdict: 'deny' }, keys.bobToo));
    const carol = world.decision(request, { approver: name('carol') }, keys.carol);
    expect(await rejectionCode(world.requests.decide(id, carol))).toBe('request-ended');
    expect(await rejectionCode(world.redeem(id, claim('a')))).toBe('denied');
  });
});

describe('every order of what can happen to a pending request at once (A26)', () => {
  const steps = ['approve', 'deny', 'expire', 'cancel'] as const;
  const orders = steps.flatMap((a) =>
    steps.flatMap((b) => steps.flatMap((c) => steps.map((d) => [a, b, c, d] as const))),
  );

  test('the first that is committed wins, and there is one outcome', async () => {
    for (const order of orders.filter((order) => new Set(order).size === 4)) {
      world = new World();
      const { id, request, watch } = await pending();
      world.now += 299_000;
      const receipts = {
        approve: world.decision(request),
        deny: world.decision(request, { approver: name('carol'), verdict: 'deny' }, keys.carol),
      };
      for (const step of order) {
        if (step === 'expire') await world.pass(1);
        else if (step === 'cancel') await rejectionCode(world.detach(id, watch, true));
        else await rejectionCode(world.requests.decide(id, receipts[step]));
      }
      const first = { approve: 'approved', deny: 'denied', expire: 'expired', cancel: 'cancelled' }[order[0]];
      expect([order, (await world.read(id)).state]).toEqual([order, first]);
      expect(kinds().filter((kind) => /approved|denied|expired|cancelled/.test(kind))).toEqual([first]);
    }
  });
});

describe('who waits', () => {
  test('a token that is sent again never ends the ask of somebody else (A60)', async () => {
    const { id, watch } = await pending();
    const other = (await world.submit()).watch;
    expect((await world.detach(id, watch)).askers).toBe(1);
    for (const cancel of [false, true]) {
      const again = await world.detach(id, watch, cancel);
      expect([again.state, again.askers]).toEqual(['pending', 1]);
    }
    await world.pass(61);
    expect((await world.read(id)).state).toBe('pending');
    expect(other).not.toBe(null);
  });

  test.each([false, true])(
    'one token sent many times at once counts once, cancel %s (A60)',
    async (cancel) => {
      const { id, watch } = await pending();
      await world.submit();
      await Promise.all(Array.from({ length: 20 }, () => world.detach(id, watch, cancel)));
      const { state, askers } = await world.read(id);
      expect([state, askers]).toEqual(['pending', 1]);
    },
  );

  test('the last one may cancel at once, also after a detach', async () => {
    const { id, watch } = await pending();
    await world.detach(id, watch);
    expect((await world.detach(id, watch, true)).state).toBe('cancelled');
  });

  test('nobody cancels what is approved', async () => {
    const { id, watch } = await approvedRequest();
    expect(await rejectionCode(world.detach(id, watch, true))).toBe('request-ended');
    expect((await world.detach(id, watch)).state).toBe('approved');
    await world.pass(61);
    expect((await world.redeem(id, claim('a'))).state).toBe('redeemed');
  });

  test('one more asker within the minute keeps the request; a minute after the last one it is cancelled', async () => {
    const { id, watch } = await pending();
    await world.detach(id, watch);
    await world.pass(59);
    const joined = await world.submit();
    expect([joined.isNew, joined.request.askers]).toEqual([false, 1]);
    await world.pass(61);
    expect((await world.read(id)).state).toBe('pending');
    await world.detach(id, joined.watch ?? watch);
    await world.pass(60);
    expect((await world.read(id)).state).toBe('cancelled');
  });

  test('consoles are told who waits: joins and detaches, not the first ask', async () => {
    const { id, watch } = await pending();
    await world.submit();
    await world.detach(id, watch);
    expect(world.waitingTold.map(({ askers }) => askers)).toEqual([2, 1]);
  });
});

describe('waiting', () => {
  test('a redeem that waits is answered when the request is approved, and uses it', async () => {
    const { id, request } = await pending();
    const redeem = world.requests.redeem(id, claim('a'), PATIENT(60));
    await world.settled();
    expect(world.requests.waiters.count).toBe(1);
    await world.requests.decide(id, world.decision(request));
    expect((await redeem).state).toBe('redeemed');
    expect(world.requests.waiters.count).toBe(0);
  });

  test.each([
    ['denied', async () => world.requests.decide(...(await denial()))],
    ['expired', () => world.pass(301)],
    ['cancelled', async () => world.detach((await only()).id, (await only()).watch, true)],
  ] as const)('a redeem that waits hears that the request is %s', async (state, end) => {
    asked = await pending();
    const redeem = rejectionCode(world.requests.redeem(asked.id, claim('a'), PATIENT(900)));
    await world.settled();
    await end();
    expect(await redeem).toBe(state);
  });
  let asked: Awaited<ReturnType<typeof pending>>;
  const only = async () => asked;
  const denial = async () => [asked.id, world.decision(asked.request, { verdict: 'deny' })] as const;

  test('of two claims that wait, one gets the approval and the other finds it spent', async () => {
    const { id, request } = await pending();
    const redeems = ['a', 'b', 'c'].map((digit) =>
      rejectionCode(world.requests.redeem(id, claim(digit), PATIENT(60))),
    );
    await world.settled();
    await world.requests.decide(id, world.decision(request));
    expect((await Promise.all(redeems)).sort()).toEqual([null, 'spent', 'spent']);
    expect(kinds().filter((kind) => kind === 'redeemed')).toHaveLength(1);
  });

  test('2,000 redeems of one claim at once use the approval once and get the same answer (A25, A55)', async () => {
    const { id } = await approvedRequest();
    const answers = await Promise.all(Array.from({ length: 2000 }, () => world.redeem(id, claim('a'))));
    expect(new Set(answers.map(({ state, redeemedAt }) => `${state} ${redeemedAt}`)).size).toBe(1);
    expect(kinds().filter((kind) => kind === 'redeemed')).toHaveLength(1);
  });

  test('whoever hangs up is forgotten; the request stands', async () => {
    const { id } = await pending();
    const hangUp = new AbortController();
    const redeem = world.requests.redeem(id, claim('a'), PATIENT(60, hangUp.signal));
    await world.settled();
    hangUp.abort();
    expect((await redeem).state).toBe('pending');
    expect(world.requests.waiters.count).toBe(0);
    expect((await world.read(id)).askers).toBe(1);
  });

  test('a broker that stops keeps nobody waiting', async () => {
    const { id } = await pending();
    const read = world.requests.read(id, PATIENT(60));
    await world.settled();
    world.isDraining = true;
    world.requests.waiters.releaseAll();
    expect((await read).state).toBe('pending');
  });

  test('a submitter that is removed while its door waits hears so at once', async () => {
    const { id } = await pending();
    const redeem = rejectionCode(world.requests.redeem(id, claim('a'), PATIENT(60)));
    await world.settled();
    await world.store.changeDirectory((current) => ({
      directory: { ...current, submitters: [] },
      events: [],
    }));
    world.requests.waiters.releaseAll();
    expect(await redeem).toBe('unauthenticated');
  });

  test('there is no request of another id', async () => {
    const { id } = await pending();
    const other = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}` as typeof id;
    expect(await rejectionCode(world.read(other))).toBe('not-found');
    expect(await rejectionCode(world.redeem(other, claim('a')))).toBe('not-found');
  });
});

describe('a rule that needs nobody (A20, A21)', () => {
  beforeEach(() => {
    world = new World(ruled({ approvals: 'automatic' }));
  });

  test('approves at once, with nothing that a door would take for a signature', async () => {
    const { request } = await world.submit();
    expect(request).toMatchObject({ state: 'approved', votes: [], missing: [] });
    const used = await world.redeem(request.id, claim('a'));
    expect(used).toMatchObject({ state: 'redeemed', votes: [] });
    expect(await rejectionCode(world.redeem(request.id, claim('b')))).toBe('spent');
    expect(kinds()).toEqual(['submitted', 'approved', 'redeemed']);
  });

  test('is used at once with a claim, and the same claim gets the same answer', async () => {
    const first = await world.submit(bind(), claim('a'));
    expect(first.request.state).toBe('redeemed');
    expect((await world.submit(bind(), claim('a'))).request.id).toBe(first.request.id);
    expect((await world.submit(bind(), claim('b'))).watch).toBe(null);
  });

  test('lapses like every other approval', async () => {
    const { request } = await world.submit();
    await world.pass(600);
    expect((await world.read(request.id)).state).toBe('lapsed');
  });
});

describe('an approver who loses the right between vote and use (A15)', () => {
  test('is not counted where the roster changes between the check of his vote and its commit', async () => {
    const { request } = await world.submit();
    const { store } = world;
    const change = store.change.bind(store);
    store.change = async (key, decide) => {
      await world.changeRoster({ change: 'remove', name: name('bob') });
      store.change = change;
      return change(key, decide);
    };
    expect(await rejectionCode(world.requests.decide(request.id, world.decision(request)))).toBe(
      'unknown-key',
    );
    expect(kinds()).toEqual(['submitted', 'roster.changed']);
  });

  const changes = [
    ['leaves the roster', { change: 'remove', name: name('bob') }],
    [
      'loses the key that signed',
      { change: 'remove-key', name: name('bob'), fingerprint: fingerprintOf(keys.bob) },
    ],
    [
      'had the key that signed replaced',
      {
        change: 'rotate-key',
        name: name('bob'),
        fingerprint: fingerprintOf(keys.bob),
        key: keyEntry(keys.stranger),
      },
    ],
    ['turns out to be the requester', { change: 'set', name: name('bob'), aliases: [name('deploy')] }],
  ] as const;

  test.each(changes)('%s: the approval falls, and that is said', async (_title, change) => {
    const bound = bind({ requester: 'deploy' });
    const { request } = await world.submit(bound);
    await world.requests.decide(request.id, world.decision(request));
    await world.changeRoster({
      ...change,
      ...('aliases' in change ? { aliases: [...change.aliases] } : {}),
    } as never);
    expect(await rejectionCode(world.redeem(request.id, claim('a')))).toBe('revoked');
    expect((await world.read(request.id)).endedBy).toBe('bob may no longer approve this');
    expect(kinds()).not.toContain('redeemed');
    expect((await world.submit(bound, claim('a'))).watch).toBe(null);
  });

  test('another key of the same person goes, or the key moves to another person: only the first leaves the vote', async () => {
    const first = await approvedRequest();
    await world.changeRoster({
      change: 'remove-key',
      name: name('bob'),
      fingerprint: fingerprintOf(keys.bobToo),
    });
    expect((await world.redeem(first.id, claim('a'))).state).toBe('redeemed');
    const { request } = await world.submit(bind({ nonce: '1'.repeat(32) }));
    await world.requests.decide(request.id, world.decision(request));
    await world.changeRoster({ change: 'remove', name: name('bob') });
    await world.changeRoster({ change: 'add-key', name: name('carol'), key: keyEntry(keys.bob) });
    expect(await rejectionCode(world.redeem(request.id, claim('a')))).toBe('revoked');
  });

  test('a yes that lost its key may be signed anew', async () => {
    world = new World(otherPeople(2));
    const { id, request } = await pending();
    await world.requests.decide(id, world.decision(request));
    await world.changeRoster({
      change: 'remove-key',
      name: name('bob'),
      fingerprint: fingerprintOf(keys.bob),
    });
    await world.requests.decide(id, world.decision(request, { approver: name('carol') }, keys.carol));
    const { state, missing } = await world.read(id);
    expect([state, missing[0]]).toEqual(['pending', 'the yes of bob no longer counts']);
    expect(world.store.log.map(({ kind }) => kind).slice(-2)).toEqual([
      'request.reconsidered',
      'request.voted',
    ]);
    await world.requests.decide(id, world.decision(request, {}, keys.bobToo));
    expect((await world.read(id)).state).toBe('approved');
  });

  test('the broker says so at once: what is missing is counted anew, and who waits for an approval hears it', async () => {
    world = new World(otherPeople(2));
    const { id, request } = await pending();
    await world.requests.decide(id, world.decision(request));
    expect((await world.read(id)).missing).toEqual(['1 more person: carol or dave']);
    await world.changeRoster({ change: 'remove', name: name('bob') });
    await world.requests.reconsider();
    const dropped = await world.read(id);
    expect(dropped.votes).toEqual([]);
    expect(dropped.missing).toEqual(['the yes of bob no longer counts', '2 more people: carol or dave']);
    await world.requests.reconsider();
    expect(kinds().filter((kind) => kind === 'reconsidered')).toHaveLength(1);
    await world.requests.decide(id, world.decision(request, { approver: name('carol') }, keys.carol));
    const approved = await world.requests.decide(
      id,
      world.decision(request, { approver: name('dave') }, keys.dave),
    );
    expect(approved.state).toBe('approved');
    await world.changeRoster({ change: 'remove', name: name('dave') });
    await world.requests.reconsider();
    expect(await world.read(id)).toMatchObject({
      state: 'revoked',
      endedBy: 'dave may no longer approve this',
    });
  });

  test('a change that makes the votes enough approves, and one that changes nothing is not logged', async () => {
    world = new World(ruled({ sharedRequester: 'one-more' }));
    const { request } = await world.submit(bind({ requester: 'deploy' }));
    await world.requests.decide(request.id, world.decision(request));
    expect((await world.read(request.id)).state).toBe('pending');
    await world.requests.reconsider();
    expect(kinds()).not.toContain('reconsidered');
    await world.changeRoster({ change: 'set', name: name('alice'), aliases: [name('deploy')] });
    await world.requests.reconsider();
    expect((await world.read(request.id)).state).toBe('approved');
  });

  test('a yes counts until its not-after, and that it is over is said and logged', async () => {
    world = new World(otherPeople(2));
    const { id, request } = await pending();
    await world.requests.decide(id, world.decision(request, { notAfter: world.now + 30_000 }));
    await world.pass(30);
    await world.requests.decide(id, world.decision(request, { approver: name('carol') }, keys.carol));
    expect((await world.read(id)).state).toBe('pending');
    await world.requests.decide(id, world.decision(request, {}, keys.bobToo));
    expect((await world.read(id)).state).toBe('approved');
  });
});

describe('clocks', () => {
  test('nothing is used at or after claim-by, to the millisecond, whether or not the broker noticed', async () => {
    for (const late of [false, true]) {
      world = new World();
      const { id } = await approvedRequest();
      const { claimBy } = await world.read(id);
      world.now = (claimBy ?? 0) - (late ? 0 : 1);
      expect(await rejectionCode(world.redeem(id, claim('a')))).toBe(late ? 'lapsed' : null);
    }
  });

  test('nobody joins or answers what is overdue, whether or not the broker noticed', async () => {
    const { id, request } = await pending();
    world.now += 299_999;
    const receipt = world.decision(request);
    world.now += 1;
    expect(await rejectionCode(world.requests.decide(id, receipt))).toBe('request-ended');
    const late = await world.submit();
    expect([late.watch, late.request.state]).toEqual([null, 'expired']);
  });

  test('an overdue approval is not handed to who asks again without a claim', async () => {
    await approvedRequest();
    world.now += 600_000;
    const late = await world.submit();
    expect([late.watch, late.request.state]).toEqual([null, 'lapsed']);
  });

  test('an approval lapses at the earliest not-after, never later than claim-by', async () => {
    const { id, request } = await pending();
    await world.requests.decide(id, world.decision(request, { notAfter: world.now + 45_000 }));
    expect((await world.read(id)).claimBy).toBe(world.now + 45_000);
    const other = await world.submit(bind({ nonce: '1'.repeat(32) }));
    await world.requests.decide(other.request.id, world.decision(other.request));
    expect((await world.read(other.request.id)).claimBy).toBe(world.now + 600_000);
  });

  test('what could not be written for a full disk is ended as soon as it can (A41)', async () => {
    const { id } = await pending();
    world.store.isFull = true;
    world.now += 301_000;
    await expect(world.requests.tick()).rejects.toThrow('the disk is full');
    await world.pass(1).catch(() => {});
    world.store.isFull = false;
    await world.pass(1);
    expect(world.store.requests.get(id)?.state).toBe('expired');
  });

  test('a clock that goes back ends nothing and reopens nothing', async () => {
    const { id } = await pending();
    await world.pass(301);
    await world.pass(-600);
    expect((await world.read(id)).state).toBe('expired');
    const other = await world.submit(bind({ nonce: '1'.repeat(32) }));
    await world.pass(-3600);
    expect((await world.read(other.request.id)).state).toBe('pending');
  });

  test('after a restart every clock runs on', async () => {
    const unanswered = await pending();
    const unused = await world.submit(bind({ nonce: '1'.repeat(32) }));
    await world.requests.decide(unused.request.id, world.decision(unused.request));
    const left = await world.submit(bind({ nonce: '2'.repeat(32) }));
    await world.detach(left.request.id, left.watch ?? unanswered.watch);
    world.restart();
    await world.pass(60);
    expect(world.store.requests.get(left.request.id)?.state).toBe('cancelled');
    await world.pass(240);
    expect(world.store.requests.get(unanswered.id)?.state).toBe('expired');
    await world.pass(300);
    expect(world.store.requests.get(unused.request.id)?.state).toBe('lapsed');
  });
});

describe('submitting', () => {
  test('(digest, submitter) is unique for ever: an ended document gets its end as answer', async () => {
    const { id } = await pending();
    await world.pass(301);
    for (const digit of [null, claim('a')]) {
      const again = await world.submit(bind(), digit);
      expect([again.request.id, again.isNew, again.watch, again.request.state]).toEqual([
        id,
        false,
        null,
        'expired',
      ]);
    }
    expect((await world.submit(bind({ nonce: '1'.repeat(32) }))).isNew).toBe(true);
  });

  test('1,000 equal submits at once make one request with 1,000 askers', async () => {
    const all = await Promise.all(Array.from({ length: 1000 }, () => world.submit()));
    expect(new Set(all.map(({ request }) => request.id)).size).toBe(1);
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(all.map(({ watch }) => watch)).size).toBe(1000);
    expect((await world.read(all[0]?.request.id ?? ('' as never))).askers).toBe(1000);
  });

  test('a claim gets an approved request at once, and again after a lost reply', async () => {
    await approvedRequest();
    for (let retry = 0; retry < 3; retry += 1) {
      const { request, watch } = await world.submit(bind(), claim('a'));
      expect([request.state, request.claim, watch === null]).toEqual(['redeemed', claim('a'), false]);
    }
    expect((await world.submit(bind(), claim('b'))).watch).toBe(null);
    expect((await world.submit()).watch).toBe(null);
    expect(kinds().filter((kind) => kind === 'redeemed')).toHaveLength(1);
  });

  test('a submitter asks within its limits, and only while somebody could approve', async () => {
    const narrow = { ...HOST, limits: { ...HOST.limits, doors: ['host:web-2'] } };
    expect(await rejectionCode(world.submit(bind(), null, narrow))).toBe('submitter-limits');
    await world.store.changeDirectory((current) => ({ directory: { ...current, people: [] }, events: [] }));
    expect(await rejectionCode(world.submit())).toBe('no-approver');
  });

  test('places for pending requests are given back when one ends, and when nothing was written (A32)', async () => {
    world = new World(undefined, { pendingPerSubmitter: 2 });
    const ask = (digit: string) => rejectionCode(world.submit(bind({ nonce: digit.repeat(32) })));
    world.store.isFull = true;
    for (const digit of '3456') expect(await ask(digit)).toBe('storage-failed');
    world.store.isFull = false;
    expect([await ask('1'), await ask('2'), await ask('3')]).toEqual([null, null, 'too-many-pending']);
    expect(await ask('1')).toBe(null);
    await world.pass(301);
    await world.settled();
    expect([await ask('4'), await ask('5'), await ask('6')]).toEqual([null, null, 'too-many-pending']);
    world.restart();
    expect(await ask('6')).toBe('too-many-pending');
  });

  test('the request keeps the rule that was in force when it was made (A16)', async () => {
    const { id, request } = await pending();
    const strict = new World(otherPeople(2));
    const strange = { ...request, rule: request.rule.replace('"people":1', '"people":0') };
    strict.store.requests.set(id, strange);
    expect(await rejectionCode(strict.requests.decide(id, world.decision(request)))).toBe('policy-changed');
    strict.store.requests.set(id, request);
    expect((await strict.requests.decide(id, world.decision(request))).state).toBe('approved');
  });
});
