import { describe, expect, test } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { RequestId } from '../../../src/protocol/names.js';
import type { Rule } from '../../../src/protocol/rule.js';
import type { Decision } from '../../../src/protocol/statements.js';
import { bind, claim, fingerprintOf, HOST, keys, name, PATIENT, ruled, World } from './world.js';

const HOUR = 3600;
const GRANTS: Partial<Rule> = { grants: { uses: 0 } };
/** This and every equal ask, for an hour from the first use, any number of times. */
const AN_HOUR: Partial<Decision> = { covers: 'scope', uses: 0, duration: HOUR };

let drawn = 0;
/** Equal asks: only the nonce differs. */
const ask = (change: Parameters<typeof bind>[0] = {}) => {
  drawn += 1;
  return bind({ duration: HOUR, nonce: drawn.toString(16).padStart(32, '0'), ...change });
};

const open = (rule: Partial<Rule> = GRANTS, limits = {}) => new World(ruled(rule), limits);

/** A grant that bob has given and nobody has used. */
async function given(world: World, terms: Partial<Decision> = AN_HOUR): Promise<Request> {
  const { request } = await world.submit(ask());
  return world.requests.decide(request.id, world.decision(request, terms));
}

/** A grant in use, by its own ask. */
async function inUse(world: World, terms?: Partial<Decision>): Promise<Request> {
  const { id } = await given(world, terms);
  return world.redeem(id, claim('a'));
}

const kindsOf = ({ store }: World, id: RequestId): string[] =>
  store.log.filter(({ request }) => request?.id === id).map(({ kind }) => kind.replace('request.', ''));

describe('a grant', () => {
  test('becomes active with its first use, from which its time counts', async () => {
    const world = open();
    const grant = await given(world);
    expect(grant).toMatchObject({ state: 'approved', uses: 0, redeemedAt: null });
    await world.pass(60);
    const used = await world.redeem(grant.id, claim('a'));
    expect(used).toMatchObject({ state: 'active', uses: 1, redeemedAt: world.now, endedAt: null });
    await world.pass(HOUR - 1);
    expect((await world.read(grant.id)).state).toBe('active');
    await world.pass(1);
    expect(await world.read(grant.id)).toMatchObject({ state: 'redeemed', endedAt: world.now });
    expect((await world.read(grant.id)).endedBy).toContain('the time of the grant was over');
    expect(kindsOf(world, grant.id)).toEqual(['submitted', 'voted', 'approved', 'used', 'redeemed']);
  });

  test('without a duration ends with its not-after', async () => {
    const world = open();
    const { id } = await inUse(world, { covers: 'scope', uses: 5 });
    await world.pass(899);
    expect((await world.read(id)).state).toBe('active');
    await world.pass(1);
    expect((await world.read(id)).state).toBe('redeemed');
  });

  test('of one use is over with it', async () => {
    const world = open();
    expect(await inUse(world, { covers: 'scope', uses: 1 })).toMatchObject({ state: 'redeemed', uses: 1 });
  });

  test('that nobody used lapses as any approval', async () => {
    const world = open();
    const { id } = await given(world);
    await world.pass(600);
    expect((await world.read(id)).state).toBe('lapsed');
  });

  test('is worth the shortest time and the fewest uses that were signed', async () => {
    const world = open({ ...GRANTS, approvals: [{ people: 2, groups: [] }] });
    const { request } = await world.submit(ask());
    await world.requests.decide(request.id, world.decision(request, { ...AN_HOUR, uses: 3 }));
    const carols = { ...AN_HOUR, duration: 60, approver: name('carol') };
    await world.requests.decide(request.id, world.decision(request, carols, keys.carol));
    await world.redeem(request.id, claim('a'));
    expect((await world.submit(ask(), claim('b'))).request.state).toBe('redeemed');
    await world.pass(60);
    expect((await world.read(request.id)).endedBy).toContain('time');
  });

  test('is signed for by all, or by none: the message says who signed what', async () => {
    const world = open({ ...GRANTS, approvals: [{ people: 2, groups: [] }] });
    const { request } = await world.submit(ask());
    await world.requests.decide(request.id, world.decision(request, AN_HOUR));
    const carols = world.decision(request, { approver: name('carol') }, keys.carol);
    await expect(world.requests.decide(request.id, carols)).rejects.toMatchObject({
      code: 'covers-differ',
      message: 'bob signed for this and every equal ask, and carol for this one ask alone',
      hint: expect.stringContaining('sign for this and every equal ask too'),
    });
    expect((await world.read(request.id)).votes).toHaveLength(1);
  });
});

describe('a later equal ask', () => {
  test('passes at once, with the receipts of the grant, and is a request of its own', async () => {
    const world = open();
    const grant = await inUse(world);
    const { request, watch, isNew } = await world.submit(ask(), claim('b'));
    expect([isNew, watch === null]).toEqual([true, false]);
    expect(request).toMatchObject({ state: 'redeemed', grant: grant.id, claim: claim('b'), uses: 0 });
    expect(request.votes).toEqual(grant.votes);
    expect(await world.read(grant.id)).toMatchObject({ state: 'active', uses: 2 });
    expect(kindsOf(world, request.id)).toEqual(['submitted', 'approved', 'redeemed']);
    expect(kindsOf(world, grant.id)).toEqual(['submitted', 'voted', 'approved', 'used', 'used']);
  });

  test('without a claim is approved, and uses the grant when its door comes back', async () => {
    const world = open();
    const grant = await inUse(world);
    const { request } = await world.submit(ask());
    expect(request).toMatchObject({ state: 'approved', grant: grant.id, missing: [] });
    expect((await world.read(grant.id)).uses).toBe(1);
    expect(await world.redeem(request.id, claim('b'))).toMatchObject({ state: 'redeemed' });
    expect((await world.read(grant.id)).uses).toBe(2);
    await expect(world.redeem(request.id, claim('c'))).rejects.toMatchObject({ code: 'spent' });
  });

  test('gets the same answer to the same claim, and counts once (A60)', async () => {
    const world = open();
    const grant = await inUse(world);
    const again = ask();
    for (const _ of [1, 2, 3]) {
      expect((await world.submit(again, claim('b'))).request).toMatchObject({
        state: 'redeemed',
        votes: grant.votes,
      });
    }
    expect(await world.redeem(grant.id, claim('a'))).toMatchObject({ state: 'active', uses: 2 });
    await expect(world.redeem(grant.id, claim('c'))).rejects.toMatchObject({ code: 'spent' });
    expect((await world.submit(again, claim('c'))).watch).toBeNull();
  });

  test('may be the first to use it', async () => {
    const world = open();
    const grant = await given(world);
    await world.submit(ask(), claim('b'));
    expect(await world.read(grant.id)).toMatchObject({ state: 'active', uses: 1, claim: null });
    expect(await world.redeem(grant.id, claim('a'))).toMatchObject({ state: 'active', uses: 2 });
  });

  test('that is pending already is let go when the grant is given', async () => {
    const world = open();
    const { request: first } = await world.submit(ask());
    const { request: second } = await world.submit(ask());
    const waiting = world.requests.redeem(second.id, claim('b'), PATIENT(60));
    await world.requests.decide(first.id, world.decision(first, AN_HOUR));
    expect(await waiting).toMatchObject({ state: 'redeemed', grant: first.id });
  });

  test.each([
    ['another user', { details: { service: 'sshd', user: 'root' } }],
    ['another resource', { resource: 'web-2' }],
    ['another door', { door: 'host:web-2' }],
    ['another requester', { requester: 'mallory' }],
    ['another action', { action: 'sudo' }],
  ])('for %s is none (A3)', async (_title, change) => {
    const world = open();
    await inUse(world);
    expect((await world.submit(ask(change), claim('b'))).request.state).toBe('pending');
  });

  test('by another submitter is none', async () => {
    const world = open();
    await inUse(world);
    const { request } = await world.submit(ask(), claim('b'), { ...HOST, name: name('host:web-2') });
    expect(request.state).toBe('pending');
  });

  test('waits where only this one ask was approved (A53)', async () => {
    const world = open();
    const grant = await inUse(world, { duration: HOUR });
    expect(grant.state).toBe('redeemed');
    expect((await world.submit(ask(), claim('b'))).request.state).toBe('pending');
  });

  test('waits from the end of the grant on, to the millisecond (A53)', async () => {
    const world = open();
    await inUse(world);
    world.now += HOUR * 1000 - 1;
    expect((await world.submit(ask(), claim('b'))).request.state).toBe('redeemed');
    world.now += 1;
    expect((await world.submit(ask(), claim('c'))).request.state).toBe('pending');
  });

  test('waits once all uses were made, however many come at once (A25)', async () => {
    const world = open();
    const { id } = await inUse(world, { ...AN_HOUR, uses: 3 });
    const all = await Promise.all([1, 2, 3, 4].map(() => world.submit(ask(), claim('b'))));
    expect(all.map(({ request }) => request.state)).toEqual(['redeemed', 'redeemed', 'pending', 'pending']);
    expect(await world.read(id)).toMatchObject({ state: 'redeemed', uses: 3 });
    expect((await world.read(id)).endedBy).toBe('all uses of the grant were made: 3');
  });

  test('never takes the use that is kept for another one', async () => {
    const world = open();
    const grant = await given(world, { ...AN_HOUR, uses: 2 });
    const { request: kept } = await world.submit(ask());
    expect(kept.state).toBe('approved');
    expect((await world.submit(ask(), claim('c'))).request.state).toBe('pending');
    expect((await world.redeem(grant.id, claim('a'))).uses).toBe(1);
    expect((await world.redeem(kept.id, claim('b'))).state).toBe('redeemed');
  });

  test('is no pending one: the budget is not touched (A32)', async () => {
    const world = open(GRANTS, { pendingPerSubmitter: 1 });
    await inUse(world);
    for (const _ of [1, 2, 3]) expect((await world.submit(ask())).request.state).toBe('approved');
  });

  test('passes after the broker has started anew, within the same clocks', async () => {
    const world = open();
    const { id } = await inUse(world);
    world.restart();
    expect((await world.submit(ask(), claim('b'))).request.grant).toBe(id);
    await world.pass(HOUR);
    expect((await world.read(id)).state).toBe('redeemed');
  });
});

describe('the rule that is in force at each use (A16)', () => {
  const grantingTwo: Partial<Rule> = { ...GRANTS, approvals: [{ people: 2, groups: [] }] };

  test.each<[string, Partial<Rule>]>([
    ['allows no grants any more', { grants: null }],
    ['allows fewer uses', { grants: { uses: 5 } }],
    ['allows less work', { ...GRANTS, work: { default: 0, longest: HOUR - 1 } }],
    ['wants two people', grantingTwo],
    ['wants a touched key', { ...GRANTS, touch: true }],
    ['wants the number', { ...GRANTS, number: true }],
  ])('%s: the ask waits, and the grant is as it was', async (_title, tightened) => {
    const world = open();
    const { id } = await inUse(world);
    world.policy = ruled(tightened);
    const { request } = await world.submit(ask(), claim('b'));
    expect(request).toMatchObject({ state: 'pending', grant: null });
    expect(await world.read(id)).toMatchObject({ state: 'active', uses: 1 });
  });

  test('lets nothing pass whose door shows a number: its yes needs one of its own (A40)', async () => {
    const world = open();
    await inUse(world, { ...AN_HOUR, code: '012345' });
    const { request } = await world.submit(ask({ context: { number: true } }), claim('b'));
    expect(request).toMatchObject({ state: 'pending', grant: null });
  });

  test('needs nobody any more: the ask passes, also where it finds the grant at its end', async () => {
    const world = open();
    const { id } = await inUse(world);
    world.policy = ruled({ approvals: 'automatic' });
    world.now += HOUR * 1000;
    const { request } = await world.submit(ask(), claim('b'));
    expect(request).toMatchObject({ state: 'redeemed', grant: null, votes: [] });
    expect((await world.read(id)).state).toBe('redeemed');
  });

  test('was loosened: what the request has pinned still holds', async () => {
    const world = open(grantingTwo);
    const { request } = await world.submit(ask());
    world.policy = ruled(GRANTS);
    expect((await world.requests.decide(request.id, world.decision(request, AN_HOUR))).state).toBe('pending');
    expect((await world.submit(ask(), claim('b'))).request.state).toBe('pending');
  });
});

describe('an approver who leaves (A15)', () => {
  test('takes the grant along: nothing passes any more', async () => {
    const world = open();
    const { id } = await inUse(world);
    const { request: unused } = await world.submit(ask());
    await world.changeRoster({ change: 'remove', name: name('bob') });
    expect((await world.submit(ask(), claim('b'))).request.state).toBe('pending');
    expect(await world.read(id)).toMatchObject({ state: 'revoked' });
    expect((await world.read(id)).endedBy).toContain('bob');
    expect((await world.read(unused.id)).state).toBe('revoked');
  });

  test('by a key alone too, and at the use of what was approved under it', async () => {
    const world = open();
    const { id } = await inUse(world);
    const { request: unused } = await world.submit(ask());
    const fingerprint = fingerprintOf(keys.bob);
    await world.changeRoster({ change: 'remove-key', name: name('bob'), fingerprint });
    await expect(world.redeem(unused.id, claim('b'))).rejects.toMatchObject({ code: 'revoked' });
    expect((await world.read(id)).state).toBe('revoked');
  });

  test('is noticed when the roster changes, long after the not-after of his yes', async () => {
    const world = open();
    const { id } = await inUse(world);
    await world.pass(1800);
    await world.requests.reconsider();
    expect((await world.read(id)).state).toBe('active');
    await world.changeRoster({ change: 'remove', name: name('bob') });
    await world.requests.reconsider();
    expect((await world.read(id)).state).toBe('revoked');
  });
});

describe('a revocation (A27)', () => {
  const revoke = (world: World, request: Request, who: 'bob' | 'carol' | 'dave' = 'bob') =>
    world.requests.revoke(request.id, world.revocation(request, { approver: name(who) }, keys[who]));

  test('ends a grant in use, and what was approved under it', async () => {
    const world = open();
    const grant = await inUse(world);
    const { request: unused } = await world.submit(ask());
    expect(await revoke(world, grant)).toMatchObject({ state: 'revoked', endedBy: 'revoked by bob' });
    expect(await world.read(unused.id)).toMatchObject({ state: 'revoked' });
    expect((await world.submit(ask(), claim('b'))).request.state).toBe('pending');
    await expect(world.redeem(grant.id, claim('a'))).rejects.toMatchObject({ code: 'revoked' });
  });

  test('is pushed to the door that watches what it opened under the grant', async () => {
    const world = open();
    const grant = await inUse(world);
    const { request } = await world.submit(ask(), claim('b'));
    const own = world.requests.standing(grant.id, PATIENT(300));
    const under = world.requests.standing(request.id, PATIENT(300));
    await world.settled();
    expect((await world.read(request.id)).watchedAt).toBe(world.now);
    await revoke(world, grant);
    expect(await own).toEqual({ id: grant.id, state: 'revoked', because: 'revoked by bob' });
    expect(await under).toEqual({ id: request.id, state: 'revoked', because: 'revoked by bob' });
  });

  test('ends what one ask opened where its door watches, and not the others', async () => {
    const world = open();
    const grant = await inUse(world);
    const { request } = await world.submit(ask(), claim('b'));
    const watching = world.requests.standing(request.id, PATIENT(300));
    await world.settled();
    await revoke(world, request);
    expect(await watching).toMatchObject({ state: 'revoked' });
    expect(await world.requests.standing(grant.id, PATIENT(0))).toMatchObject({ state: 'active' });
  });

  test('says where the door does not end what it opened', async () => {
    const world = open();
    const grant = await inUse(world);
    const { request } = await world.submit(ask(), claim('b'));
    await expect(revoke(world, request)).rejects.toMatchObject({
      code: 'nothing-to-revoke',
      message: 'it was used, and host:web-1 does not end what it opened',
      hint: expect.stringContaining(`countersign revoke ${grant.id}`),
    });
    const report = { claim: claim('b'), outcome: 'opened', code: 'watched' } as const;
    await world.requests.report(request.id, report);
    expect((await revoke(world, request)).state).toBe('revoked');
  });

  test('stands: what was opened is told so by the time, by a hang-up, and by the end of the grant', async () => {
    const world = open();
    const { id } = await inUse(world);
    const watching = world.requests.standing(id, PATIENT(60));
    await world.settled();
    await world.pass(60);
    expect(await watching).toEqual({ id, state: 'active', because: null });
    const hangUp = new AbortController();
    const gone = world.requests.standing(id, PATIENT(60, hangUp.signal));
    await world.settled();
    hangUp.abort();
    expect((await gone).state).toBe('active');
    await world.pass(HOUR);
    expect((await world.requests.standing(id, PATIENT(0))).state).toBe('redeemed');
  });

  test('is for whom the rule names, and for who approved it', async () => {
    const world = open({ ...GRANTS, revokers: ['security'] });
    const grant = await inUse(world);
    await expect(revoke(world, grant, 'carol')).rejects.toMatchObject({ code: 'not-a-revoker' });
    await world.changeRoster({ change: 'set', name: name('dave'), groups: [name('security')] });
    const { request } = await world.submit(ask());
    expect((await revoke(world, request, 'dave')).state).toBe('revoked');
    expect((await revoke(world, grant, 'bob')).state).toBe('revoked');
  });

  test('of nothing that was opened has no standing', async () => {
    const world = open();
    const grant = await given(world);
    await expect(world.requests.standing(grant.id, PATIENT(0))).rejects.toMatchObject({
      code: 'not-redeemed',
    });
  });
});
