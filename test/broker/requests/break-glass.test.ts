import { beforeEach, describe, expect, test } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { type Decision, formatReview, type ReviewStatement } from '../../../src/protocol/statements.js';
import { rejectionCode } from '../../ssh/problem.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { BROKER, bind, claim, fingerprintOf, keys, NOON, name, ruled, World } from './world.js';

const REASON = 'db-2 is down, the pager of everybody else rings out, INC-4312';
const GLASS = ruled({ alone: { group: 'sre', delay: 900, reason: 40 } });

let world: World;
let request: Request;
let id: RequestId;
const kinds = (): string[] => world.store.log.map(({ kind }) => kind.replace('request.', ''));
const own = (change: Partial<Decision> = {}, key = keys.alice): string =>
  world.decision(
    request,
    { approver: name('alice'), comment: REASON, notAfter: world.now + 1_500_000, ...change },
    key,
  );
const breakGlass = (change: Partial<Decision> = {}) => world.requests.decide(id, own(change));
const review = (approver: string, key: typeof keys.bob, change: Partial<ReviewStatement> = {}): string => {
  const statement = formatReview({
    broker: BROKER,
    request: request.digest,
    scope: request.scope,
    approver: name(approver),
    issued: world.now,
    comment: 'seen the log of the session',
    ...change,
  });
  return statement + signInSoftware(key, statement, { namespace: 'review@countersign' });
};

beforeEach(async () => {
  world = new World(GLASS);
  await world.changeRoster({ change: 'set', name: name('alice'), groups: [name('sre')] });
  ({ request } = await world.submit());
  id = request.id;
});

describe('a requester who lets himself in alone', () => {
  test('waits for the delay of the rule, whoever waits with him, and can then claim it once', async () => {
    const { request: standing, watch } = await world.submit();
    expect(standing.id).toBe(id);
    await breakGlass();
    const asked = await world.read(id);
    expect(asked).toMatchObject({
      state: 'pending',
      votes: [],
      alone: { opened: false, opensAt: NOON + 900_000 },
    });
    if (watch !== null) await world.detach(id, watch);
    await world.pass(899);
    expect((await world.read(id)).state).toBe('pending');
    await world.pass(1);
    expect(await world.read(id)).toMatchObject({ state: 'approved', alone: { opened: true } });
    const used = await world.redeem(id, claim('a'));
    expect(used).toMatchObject({ state: 'redeemed', votes: [{ approver: 'alice', comment: REASON }] });
    expect(kinds().slice(-3)).toEqual(['alone', 'approved', 'redeemed']);
    expect(await rejectionCode(world.redeem(id, claim('b')))).toBe('spent');
  });

  test('can be stopped at a door that has claimed it and whose own delay is longer (A27)', async () => {
    await breakGlass();
    await world.pass(900);
    await world.redeem(id, claim('a'));
    await world.requests.revoke(id, world.revocation(request));
    expect(await rejectionCode(world.redeem(id, claim('a')))).toBe('revoked');
  });

  test('is over once the door has said that it opened (A50)', async () => {
    await breakGlass();
    await world.pass(900);
    await world.redeem(id, claim('a'));
    await world.requests.report(id, { claim: claim('a'), outcome: 'opened', code: 'alone' });
    expect(await rejectionCode(world.requests.revoke(id, world.revocation(request)))).toBe(
      'nothing-to-revoke',
    );
  });

  test('tells everybody at once', async () => {
    await breakGlass();
    const [told] = world.store.deliveries();
    expect(told).toMatchObject({ request: id, due: world.now });
    expect(world.store.log[(told?.event ?? 0) - 1]?.kind).toBe('request.alone');
  });

  test('is stopped by anybody who says no, until the last second', async () => {
    await breakGlass();
    await world.pass(899);
    await world.requests.decide(id, world.decision(request, { verdict: 'deny' }));
    await world.pass(600);
    expect(await world.read(id)).toMatchObject({ state: 'denied', endedBy: 'denied by bob' });
    expect(world.store.reviews().size).toBe(0);
  });

  test('is let in at once where somebody else says yes, and then nothing is to be reviewed', async () => {
    await breakGlass();
    await world.pass(400);
    await world.requests.decide(id, world.decision(request));
    const used = await world.redeem(id, claim('a'));
    expect(used.votes.map(({ approver }) => approver)).toEqual(['bob']);
    expect(world.store.reviews().size).toBe(0);
  });

  test('survives a restart of the broker', async () => {
    await breakGlass();
    world.restart();
    await world.pass(900);
    expect((await world.read(id)).state).toBe('approved');
  });

  test.each<[string, Partial<Decision>, string]>([
    ['without a reason', { comment: '' }, 'rule-unmet'],
    ['with a reason of spaces', { comment: ' '.repeat(60) }, 'rule-unmet'],
    ['with a yes that ends before it opens', { notAfter: NOON + 900_000 }, 'not-after-invalid'],
    ['with a yes that never ends', { notAfter: NOON + 1_801_000 }, 'not-after-invalid'],
    ['for every equal ask', { covers: 'scope', uses: 2 }, 'grant-not-allowed'],
  ])('is not let in %s', async (_, change, code) => {
    expect(await rejectionCode(breakGlass(change))).toBe(code);
    expect((await world.read(id)).alone).toBe(null);
  });

  test('is not let in from outside the group, under a rule without it, or by another hand (A8, A9)', async () => {
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [] });
    expect(await rejectionCode(breakGlass())).toBe('not-an-approver');
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [name('sre')] });
    expect(await rejectionCode(world.requests.decide(id, own({}, keys.bob)))).toBe('wrong-principal');
    expect(await rejectionCode(world.requests.decide(id, own({}, keys.stranger)))).toBe('unknown-key');
    world = new World();
    ({ request } = await world.submit());
    expect(await rejectionCode(world.requests.decide(request.id, own({ notAfter: NOON + 900_000 })))).toBe(
      'self-approval',
    );
  });

  test('falls with the right to it: before it opens, after it, and at the door (A15)', async () => {
    await breakGlass();
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [] });
    await world.requests.reconsider();
    expect(await world.read(id)).toMatchObject({
      state: 'pending',
      alone: null,
      missing: ['the yes of alice no longer counts', '1 more person: bob, carol or dave'],
    });
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [name('sre')] });
    await world.requests.decide(id, own({ decided: world.now }));
    await world.pass(900);
    await world.changeRoster({
      change: 'rotate-key',
      name: name('alice'),
      fingerprint: fingerprintOf(keys.alice),
      key: { key: keys.stranger.line, validAfter: null, validBefore: null },
    });
    expect(await rejectionCode(world.redeem(id, claim('a')))).toBe('revoked');
  });

  test('leaves what others approved alone when he loses the right to it (A15)', async () => {
    await breakGlass();
    await world.requests.decide(id, world.decision(request));
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [] });
    await world.requests.reconsider();
    expect((await world.redeem(id, claim('a'))).state).toBe('redeemed');
  });

  test('falls with the votes of others in one go, and ends what is late without it (A15)', async () => {
    world = new World(
      ruled({ alone: { group: 'sre', delay: 900, reason: 40 }, approvals: [{ people: 2, groups: [] }] }),
    );
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [name('sre')] });
    ({ request } = await world.submit());
    id = request.id;
    await world.requests.decide(id, world.decision(request));
    await breakGlass();
    await world.changeRoster({ change: 'remove', name: name('bob') });
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [] });
    await world.pass(301);
    expect((await world.read(id)).state).toBe('pending');
    await world.requests.reconsider();
    expect(await world.read(id)).toMatchObject({ state: 'expired', alone: null });
  });

  test('counts for nobody where others must sign (A14)', async () => {
    world = new World(
      ruled({ alone: { group: 'sre', delay: 900, reason: 40 }, approvals: [{ people: 2, groups: [] }] }),
    );
    await world.changeRoster({ change: 'set', name: name('alice'), groups: [name('sre')] });
    ({ request } = await world.submit());
    id = request.id;
    await breakGlass();
    await world.requests.decide(id, world.decision(request));
    expect((await world.read(id)).state).toBe('pending');
    expect((await world.read(id)).missing).toEqual(['1 more person: carol or dave']);
  });
});

describe('what was opened by its requester alone', () => {
  beforeEach(async () => {
    await breakGlass();
    await world.pass(900);
  });

  test('is to be reviewed by two other people, also long after', async () => {
    expect([...world.store.reviews().values()]).toMatchObject([
      { request: id, requester: 'alice', signed: [] },
    ]);
    await world.redeem(id, claim('a'));
    await world.pass(86_400);
    await world.requests.review(id, review('bob', keys.bob));
    expect(world.store.reviews().get(id)?.signed).toMatchObject([{ approver: 'bob' }]);
    expect(await rejectionCode(world.requests.review(id, review('bob', keys.bobToo)))).toBe('already-voted');
    expect(await rejectionCode(world.requests.review(id, review('alice', keys.alice)))).toBe('self-approval');
    expect(await rejectionCode(world.requests.review(id, review('carol', keys.bob)))).toBe('wrong-principal');
    await world.requests.review(id, review('carol', keys.carol));
    expect(world.store.reviews().size).toBe(0);
    expect(await rejectionCode(world.requests.review(id, review('dave', keys.dave)))).toBe(
      'nothing-to-review',
    );
    expect(kinds().slice(-2)).toEqual(['reviewed', 'reviewed']);
  });

  test('is never signed off by him, also once the account is no longer an alias of his (A8)', async () => {
    const asked = bind({ requester: 'alice-admin', nonce: '2'.repeat(32) });
    ({ request } = await world.submit(asked));
    id = request.id;
    await breakGlass();
    await world.pass(900);
    await world.changeRoster({ change: 'set', name: name('alice'), aliases: [] });
    expect(await rejectionCode(world.requests.review(id, review('alice', keys.alice)))).toBe('self-approval');
    await world.requests.review(id, review('bob', keys.bob));
    expect(world.store.reviews().get(id)?.signed).toHaveLength(1);
  });

  test('is not signed off with a signature about something else (A22, A23)', async () => {
    const other = (await world.submit(bind({ nonce: '1'.repeat(32) }))).request;
    const refused = async (statement: string) => rejectionCode(world.requests.review(id, statement));
    expect(await refused(review('bob', keys.bob, { request: other.digest }))).toBe('statement-mismatch');
    expect(await refused(review('bob', keys.bob, { issued: world.now - 61_000 }))).toBe('clock-skew');
    expect(await refused(world.revocation(request))).toBe('malformed-statement');
    const statement = review('bob', keys.bob).replace(/-----BEGIN[\s\S]*/, '');
    const elsewhere = signInSoftware(keys.bob, statement, { namespace: 'revoke@countersign' });
    expect(await refused(statement + elsewhere)).toBe('wrong-namespace');
  });

  test('needs fewer where there are fewer people', async () => {
    for (const left of ['carol', 'dave']) await world.changeRoster({ change: 'remove', name: name(left) });
    await world.requests.review(id, review('bob', keys.bob));
    expect(world.store.reviews().size).toBe(0);
  });
});
