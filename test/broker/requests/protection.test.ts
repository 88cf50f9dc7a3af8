import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { Submitter } from '../../../src/protocol/roster-messages.js';
import { formatUnlocking, type Unlocking } from '../../../src/protocol/statements.js';
import { rejectionCode } from '../../ssh/problem.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { BROKER, bind, claim, HOST, keys, name, PEOPLE, World } from './world.js';

const CI: Submitter = { ...HOST, name: name('ci'), credential: { kind: 'socket' } };

let world: World;
let drawn = 0;
beforeEach(() => {
  world = new World();
});

const fresh = (change: Parameters<typeof bind>[0] = {}) => {
  drawn += 1;
  return bind({ nonce: drawn.toString(16).padStart(32, '0'), ...change });
};
const ask = (change: Parameters<typeof bind>[0] = {}, submitter = HOST) =>
  world.submit(fresh(change), null, submitter);
const deny = (request: Request, comment = '', key = keys.bob, approver = 'bob') =>
  world.requests.decide(
    request.id,
    world.decision(request, { verdict: 'deny', comment, approver: name(approver) }, key),
  );
const askAndDeny = async (change: Parameters<typeof bind>[0] = {}, comment = ''): Promise<void> => {
  await deny((await ask(change)).request, comment);
};
const unlocking = (
  change: Partial<Unlocking> = {},
  key = keys.bob,
  namespace = 'unlock@countersign',
): string => {
  const statement = formatUnlocking({
    broker: BROKER,
    requester: name('alice'),
    approver: name('bob'),
    issued: Math.floor(world.now / 1000) * 1000,
    comment: 'called her',
    ...change,
  });
  return statement + signInSoftware(key, statement, { namespace });
};
const kinds = (): string[] => world.store.log.map(({ kind }) => kind);

describe('a mute (A31)', () => {
  test('follows the second denial, whoever denies, submits or under which alias it was asked', async () => {
    await deny((await ask({ requester: 'alice-admin' })).request);
    await deny((await ask({}, CI)).request, '', keys.carol, 'carol');
    expect(kinds().at(-1)).toBe('requester.muted');
    for (const requester of ['alice', 'alice-admin', 'alice@example.com']) {
      for (const submitter of [HOST, CI]) {
        expect(await rejectionCode(ask({ requester }, submitter))).toBe('muted');
      }
    }
  });

  test('is for this requester and this resource alone', async () => {
    await askAndDeny();
    await askAndDeny();
    expect((await ask({ resource: 'web-2' })).isNew).toBe(true);
    expect((await ask({ requester: 'carol' })).isNew).toBe(true);
    expect((await ask({ requester: 'deploy' })).isNew).toBe(true);
  });

  test('counts shared accounts by their name', async () => {
    await askAndDeny({ requester: 'deploy' });
    await askAndDeny({ requester: 'deploy' });
    expect(await rejectionCode(ask({ requester: 'deploy' }))).toBe('muted');
  });

  test('outlives a restart, and ends by the clock of the broker', async () => {
    await askAndDeny();
    await askAndDeny();
    world.restart();
    world.now += 899_000;
    expect(await rejectionCode(ask())).toBe('muted');
    world.now += 1000;
    expect((await ask()).isNew).toBe(true);
  });

  test('leaves a standing ask of the pair as it is, and its approval lifts the mute', async () => {
    const standing = fresh();
    const { request } = await world.submit(standing);
    await askAndDeny();
    await askAndDeny();
    expect((await world.submit(standing)).isNew).toBe(false);
    await world.requests.decide(request.id, world.decision(request));
    expect((await ask()).isNew).toBe(true);
    await askAndDeny();
    expect((await ask()).isNew).toBe(true);
  });

  test('does not follow requests that nobody answered', async () => {
    for (let count = 0; count < 3; count += 1) {
      await ask();
      await world.pass(301);
    }
    expect((await ask()).isNew).toBe(true);
  });

  test('is lifted by an approver, and only once by one statement', async () => {
    await askAndDeny();
    await askAndDeny();
    const statement = unlocking();
    expect(await world.requests.unlock(statement)).toEqual({ locks: 0, mutes: 1 });
    expect((await ask()).isNew).toBe(true);
    await askAndDeny();
    await askAndDeny();
    expect(await rejectionCode(world.requests.unlock(statement))).toBe('replayed');
    expect(await rejectionCode(ask())).toBe('muted');
  });

  test('never refuses the ask of somebody else, whatever was denied before', async () => {
    const asked = fc.record({
      requester: fc.constantFrom('alice', 'alice-admin', 'carol', 'deploy'),
      resource: fc.constantFrom('web-1', 'web-2'),
      outcome: fc.constantFrom('deny' as const, 'fraud' as const, 'leave' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { maxLength: 8 }), async (steps) => {
        world = new World();
        for (const { requester, resource, outcome } of steps) {
          const submitted = await ask({ requester, resource }).catch(() => null);
          if (submitted === null || outcome === 'leave') continue;
          await deny(submitted.request, outcome === 'fraud' ? 'fraud: not her' : '');
        }
        expect((await ask({ requester: 'dave', resource: 'web-1' })).isNew).toBe(true);
        expect((await ask({ requester: 'bob-admin', resource: 'web-2' })).isNew).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a deny that is signed as a fraud (A31)', () => {
  test('locks the person under every alias, for every resource and submitter, across a restart', async () => {
    await askAndDeny({ requester: 'alice-admin' }, 'fraud: she is on holiday');
    expect(kinds().slice(-2)).toEqual(['request.denied', 'requester.locked']);
    world.restart();
    for (const requester of ['alice', 'alice-admin', 'alice@example.com']) {
      expect(await rejectionCode(ask({ requester, resource: 'web-9' }, CI))).toBe('locked');
    }
    expect((await ask({ requester: 'carol' })).isNew).toBe(true);
  });

  test('ends what was pending in that name, and what was approved and not used', async () => {
    const pending = (await ask({ requester: 'alice@example.com', resource: 'web-2' }, CI)).request;
    const other = (await ask({ requester: 'carol' })).request;
    const approved = (await ask({ resource: 'web-3' })).request;
    await world.requests.decide(approved.id, world.decision(approved));
    await askAndDeny({}, 'fraud:');
    const why = { endedBy: 'bob called a request of alice a fraud' };
    expect(await world.read(pending.id)).toMatchObject({ state: 'denied', ...why });
    expect(await world.read(approved.id)).toMatchObject({ state: 'revoked', ...why });
    expect(await rejectionCode(world.redeem(approved.id, claim('1')))).toBe('revoked');
    expect((await world.read(other.id)).state).toBe('pending');
  });

  test('admits no use of an approval even where its end could not be written', async () => {
    const { request } = await ask({ resource: 'web-3' });
    await world.requests.decide(request.id, world.decision(request));
    await world.store.changeRestraints((current) => ({
      events: [],
      restraints: new Map([
        ...current,
        [
          'lock alice',
          {
            kind: 'lock',
            requester: name('alice'),
            since: 0,
            by: name('bob'),
            request: request.id,
            comment: '',
          },
        ],
      ]),
    }));
    world.restart();
    expect(await rejectionCode(world.redeem(request.id, claim('1')))).toBe('revoked');
  });

  test('is not made out of an ordinary deny: the word stands in what was signed', async () => {
    const { request } = await ask();
    const receipt = world.decision(request, { verdict: 'deny', comment: 'no' });
    const forged = receipt.replace('comment: "no"', 'comment: "fraud: no"');
    expect(await rejectionCode(world.requests.decide(request.id, forged))).toBe('bad-signature');
    await world.requests.decide(request.id, receipt);
    expect((await ask()).isNew).toBe(true);
  });

  test('means nothing in an approval', async () => {
    const { request } = await ask();
    await world.requests.decide(request.id, world.decision(request, { comment: 'fraud: no' }));
    expect((await ask()).isNew).toBe(true);
  });

  test('takes no yes for what is locked', async () => {
    const { request } = await ask({ resource: 'web-2' });
    const yes = world.decision(request);
    await askAndDeny({}, 'FRAUD: x');
    expect(await rejectionCode(world.requests.decide(request.id, yes))).toBe('locked');
  });

  test('is lifted by another approver, never by the one who is locked', async () => {
    await askAndDeny({}, 'fraud:');
    const own = unlocking({ approver: name('alice'), requester: name('alice-admin') }, keys.alice);
    expect(await rejectionCode(world.requests.unlock(own))).toBe('self-approval');
    const wrong = unlocking({}, keys.bob, 'revoke@countersign');
    expect(await rejectionCode(world.requests.unlock(wrong))).toBe('wrong-namespace');
    const posing = unlocking({ approver: name('bob') }, keys.carol);
    expect(await rejectionCode(world.requests.unlock(posing))).toBe('wrong-principal');
    const strange = unlocking({}, keys.stranger);
    expect(await rejectionCode(world.requests.unlock(strange))).toBe('unknown-key');
    const old = unlocking({ issued: world.now - 61_000 });
    expect(await rejectionCode(world.requests.unlock(old))).toBe('clock-skew');
    expect(await rejectionCode(ask())).toBe('locked');

    expect(await world.requests.unlock(unlocking({ requester: name('alice-admin') }))).toMatchObject({
      locks: 1,
    });
    expect(kinds().at(-1)).toBe('requester.unlocked');
    expect((await ask()).isNew).toBe(true);
    expect(await rejectionCode(world.requests.unlock(unlocking({ comment: 'again' })))).toBe(
      'nothing-to-unlock',
    );
  });

  test('holds a shared account by its name, also once it has become an alias', async () => {
    await askAndDeny({ requester: 'deploy' }, 'fraud:');
    const { groups, ...dave } = PEOPLE.dave;
    await world.changeRoster({ change: 'remove', name: name('dave') });
    await world.changeRoster({ change: 'add', person: { ...dave, groups, aliases: [name('deploy')] } });
    expect(await rejectionCode(ask({ requester: 'deploy' }))).toBe('locked');
    expect((await ask({ requester: 'dave' })).isNew).toBe(true);
    await world.requests.unlock(unlocking({ requester: name('deploy') }));
    expect((await ask({ requester: 'deploy' })).isNew).toBe(true);
  });
});
