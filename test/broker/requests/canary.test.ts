import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import { changeSubmitters } from '../../../broker/roster/directory.js';
import { type CanarySecret, canaryNonce, canarySecret } from '../../../src/protocol/canary.js';
import type { Claim } from '../../../src/protocol/names.js';
import type { ProblemCode } from '../../../src/protocol/problems.js';
import { type CanaryStatement, formatCanary } from '../../../src/protocol/statements.js';
import { rejectionCode } from '../../ssh/problem.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { BROKER, bind, claim, HOST, keys, name, ruled, World } from './world.js';

let world: World;
let request: Request;
let secret: CanarySecret;

async function canary(change: Parameters<typeof bind>[0] = {}): Promise<void> {
  secret = canarySecret(randomBytes(16).toString('hex') as Claim);
  const nonce = canaryNonce(secret, bind(change).scope);
  ({ request } = await world.submit(bind({ ...change, nonce })));
}

function revelation(
  change: Partial<CanaryStatement> = {},
  key = keys.host,
  namespace = 'canary@countersign',
): string {
  const statement = formatCanary({
    broker: BROKER,
    submitter: HOST.name,
    request: request.digest,
    secret,
    issued: world.now,
    ...change,
  });
  return statement + signInSoftware(key, statement, { namespace });
}

const reveal = (...signed: Parameters<typeof revelation>) =>
  world.requests.reveal(request.id, revelation(...signed));

beforeEach(async () => {
  world = new World(ruled({ grants: { uses: 0 } }));
  await canary();
});

describe('a canary that is revealed (A33)', () => {
  test('ends a pending request, and says so once', async () => {
    expect(await reveal()).toMatchObject({
      state: 'cancelled',
      canary: world.now,
      endedBy: 'it was a canary',
    });
    const { length } = world.store.log;
    await world.pass(5);
    await reveal();
    expect(world.store.log).toHaveLength(length);
  });

  test('is none where its submitter is not enrolled for them, whose request goes on', async () => {
    const { canaries: _right, ...limits } = HOST.limits;
    for (const change of [
      { change: 'remove', name: HOST.name },
      { change: 'add', submitter: { ...HOST, limits } },
    ] as const)
      await world.store.changeDirectory((current) => changeSubmitters(current, change, world.now));
    expect(await rejectionCode(reveal())).toBe('canaries-not-allowed');
    expect(await world.read(request.id)).toMatchObject({ state: 'pending', canary: null });
  });

  test('ends an approval before anything can be opened with it', async () => {
    await world.requests.decide(request.id, world.decision(request));
    expect(await reveal()).toMatchObject({ state: 'cancelled', votes: [{ approver: 'bob' }] });
    expect(await rejectionCode(world.redeem(request.id, claim('a')))).toBe('cancelled');
  });

  test('ends a lasting grant, so that no equal ask passes under it', async () => {
    await canary({ duration: 600 });
    const grant = { covers: 'scope', uses: 0, duration: 600 } as const;
    await world.requests.decide(request.id, world.decision(request, grant));
    await reveal();
    const later = await world.submit(bind({ duration: 600, nonce: '1'.repeat(32) }), claim('b'));
    expect(later.request.state).toBe('pending');
  });

  test('leaves a denial as it is, with who signed it', async () => {
    await world.requests.decide(request.id, world.decision(request, { verdict: 'deny' }));
    const told = await reveal();
    expect(told).toMatchObject({
      state: 'denied',
      endedBy: 'denied by bob',
      canary: world.now,
    });
    expect(world.store.log.at(-1)?.kind).toBe('request.canary');
  });

  test('takes no denial back: else who asks would never be muted (A31)', async () => {
    for (const digit of ['3', '4']) {
      await canary();
      await world.requests.decide(request.id, world.decision(request, { verdict: 'deny' }));
      await reveal();
      await world.pass(Number(digit));
    }
    expect(await rejectionCode(world.submit(bind({ nonce: '3'.repeat(32) })))).toBe('muted');
  });

  test('leaves a lock to approvers: who asks must not lift the one on himself (A31)', async () => {
    await world.requests.decide(
      request.id,
      world.decision(request, { verdict: 'deny', comment: 'fraud: not him' }),
    );
    await reveal();
    expect(await rejectionCode(world.submit(bind({ nonce: '4'.repeat(32) })))).toBe('locked');
  });

  test('survives a restart of the broker', async () => {
    await reveal();
    world.restart();
    expect((await world.read(request.id)).canary).toBe(world.now);
  });
});

describe('what cannot be called a canary (A33)', () => {
  test('a request that was made as any other', async () => {
    ({ request } = await world.submit(bind({ nonce: '9'.repeat(32) })));
    expect(await rejectionCode(reveal())).toBe('not-a-canary');
  });

  test('a request that a door has used: its asker needed it', async () => {
    await world.requests.decide(request.id, world.decision(request));
    await world.redeem(request.id, claim('a'));
    expect(await rejectionCode(reveal())).toBe('not-a-canary');
    expect((await world.read(request.id)).state).toBe('redeemed');
  });

  test.each<[string, Partial<CanaryStatement>, ProblemCode]>([
    ['with another secret', { secret: '0'.repeat(64) as CanarySecret }, 'not-a-canary'],
    ['for another request', { request: `sha256:${'0'.repeat(64)}` as never }, 'statement-mismatch'],
    ['for another broker', { broker: `SHA256:${'A'.repeat(43)}` as never }, 'wrong-broker'],
    ['in the name of another submitter', { submitter: name('host:web-2') }, 'wrong-principal'],
    ['signed an hour ago', { issued: Date.parse('2026-01-31T11:00:00Z') }, 'clock-skew'],
  ])('on a statement %s', async (_what, change, code) => {
    expect(await rejectionCode(reveal(change))).toBe(code);
    expect((await world.read(request.id)).state).toBe('pending');
  });

  test('by a submitter who is removed in the same commit', async () => {
    // So many wait to be written that the signature is verified before the first of them is.
    const before = Array.from({ length: 20 }, () =>
      world.store.changeDirectory((directory) => ({ directory, events: [] })),
    );
    const removed = world.store.changeDirectory((current) =>
      changeSubmitters(current, { change: 'remove', name: HOST.name }, world.now),
    );
    expect(await rejectionCode(reveal())).toBe('unknown-key');
    await Promise.all([...before, removed]);
    expect((await world.read(request.id)).canary).toBe(null);
  });

  test('on the word of an approver, of a stranger, or on a signature for something else', async () => {
    expect(await rejectionCode(reveal({}, keys.bob))).toBe('unknown-key');
    expect(await rejectionCode(reveal({}, keys.stranger))).toBe('unknown-key');
    expect(await rejectionCode(reveal({}, keys.host, 'submit@countersign'))).toBe('wrong-namespace');
  });
});
