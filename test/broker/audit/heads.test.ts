import { describe, expect, onTestFinished, test } from 'vitest';
import { HEAD_INTERVAL, Heads } from '../../../broker/audit/heads.js';
import { BrokerKeys } from '../../../broker/broker-keys.js';
import type { SignedHead } from '../../../src/protocol/audit-head.js';
import { verifyAuditHead } from '../../../src/ssh/audit-head.js';
import { verifyKeyHandover } from '../../../src/ssh/key-handover.js';
import { formatPublicKey } from '../../../src/ssh/public-key.js';
import { StoreWorld } from '../store/store-world.js';
import { TestBroker } from '../test-broker.js';

/** The heads of a store and key of their own, ticked by the test. */
async function openHeads() {
  const world = await StoreWorld.open();
  const keys = await BrokerKeys.open(world.directory, world.now);
  const signed: SignedHead[] = [];
  const failures: unknown[] = [];
  const heads = new Heads({
    store: world.store,
    keys,
    clock: () => world.now,
    onSigned: (head) => signed.push(head),
    onFailed: (error) => failures.push(error),
  });
  return {
    world,
    keys,
    heads,
    failures,
    record: () => world.store.record({ kind: 'policy.loaded', at: world.now, body: {} }),
    /** Lets time pass, ticks, and waits for what that signs. @returns the numbers of all heads so far */
    async pass(ms: number): Promise<readonly number[]> {
      world.now += ms;
      await heads.tick(world.now);
      return signed.map(({ seq }) => seq);
    },
    newest: () => verifyAuditHead(signed.at(-1)?.text ?? ''),
  };
}

describe('heads of the log (A49)', () => {
  test('are signed at most once a minute, while there is something new', async () => {
    const { record, pass } = await openHeads();
    const first = await pass(0);
    expect(first).toEqual([2]);
    await record();
    expect(await pass(HEAD_INTERVAL - 1)).toEqual([2]);
    expect(await pass(1)).toEqual([2, 3]);
    expect(await pass(10 * HEAD_INTERVAL)).toEqual([2, 3]);
    await record();
    await record();
    expect(await pass(1000)).toEqual([2, 3, 5]);
  });

  test('name the key, the life of the database, number and hash of the newest entry, and the time', async () => {
    const { world, keys, pass, newest } = await openHeads();
    await pass(0);
    const [entry] = await world.store.events({ after: 1, limit: 1 });
    expect(newest()).toEqual({
      broker: keys.current.fingerprint,
      epoch: world.store.epoch,
      seq: 2,
      hash: `sha256:${entry?.hash}`,
      signed: world.now,
    });
  });

  test('are kept, and read again from a number on', async () => {
    const { world, record, pass } = await openHeads();
    await pass(0);
    await record();
    await pass(HEAD_INTERVAL);
    const kept = await world.store.heads({ after: 0, limit: 10 });
    expect(kept.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(await world.store.heads({ after: 2, limit: 10 })).toEqual(kept.slice(1));
    await world.reopen();
    expect(world.store.newestHead()).toEqual(kept[1]);
  });

  test('of what a killed broker left unsigned are signed at the first tick of the next one', async () => {
    const { world, keys, record, pass } = await openHeads();
    await pass(0);
    await record();
    // Nothing of the first one runs any more; less than a minute has passed.
    const failures: unknown[] = [];
    const next = new Heads({
      store: world.store,
      keys,
      clock: () => world.now,
      onSigned: () => {},
      onFailed: (error) => failures.push(error),
    });
    await next.tick(world.now);
    expect([failures, world.store.newestHead()?.seq]).toEqual([[], 3]);
  });

  test('go on after the clock was set back', async () => {
    const { record, pass } = await openHeads();
    await pass(0);
    await record();
    expect(await pass(-3600_000)).toEqual([2, 3]);
  });

  test('that cannot be written stop nothing, and are tried again in a minute (A41)', async () => {
    const { world, heads, record, pass, failures } = await openHeads();
    const disk = world.outside();
    disk.exec(
      "CREATE TRIGGER full BEFORE INSERT ON heads BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    expect(await pass(0)).toEqual([]);
    expect([failures.length, heads.isFailing]).toEqual([1, true]);
    await record();
    disk.exec('DROP TRIGGER full');
    expect(await pass(HEAD_INTERVAL - 1)).toEqual([]);
    expect(failures).toHaveLength(1);
    expect(await pass(1)).toEqual([3]);
    expect([heads.isFailing, heads.unsigned]).toEqual([false, 0]);
  });

  test('of two that are signed at once the second finds nothing left to say', async () => {
    const { world, heads } = await openHeads();
    await Promise.all([heads.sign(), heads.sign()]);
    expect(await world.store.heads({ after: 0, limit: 10 })).toHaveLength(1);
  });

  test('after a rotation are signed by the new key, to which the log says how the old one handed over', async () => {
    const { world, keys, pass, newest } = await openHeads();
    await pass(0);
    const old = keys.current.fingerprint;
    await keys.rotate(0, world.now);
    await world.store.record({ kind: 'policy.loaded', at: world.now, body: {} });
    await pass(HEAD_INTERVAL);
    expect(newest().broker).toBe(keys.current.fingerprint);
    const [named] = await world.store.events({ after: 3, limit: 1 });
    const body = JSON.parse(named?.body ?? '');
    expect([named?.kind, body.key]).toEqual(['broker.key', formatPublicKey(keys.current)]);
    expect(verifyKeyHandover(body.handover)).toMatchObject({
      fingerprint: old,
      next: keys.current.fingerprint,
    });
  });

  test('after two rotations of a stopped broker, the log names each key on the way', async () => {
    const { world, keys, heads } = await openHeads();
    await heads.nameKey();
    const first = keys.current.fingerprint;
    await keys.rotate(0, world.now);
    const second = keys.current.fingerprint;
    await keys.rotate(0, world.now);
    await heads.nameKey();
    const named = (await world.store.events({ after: 2, limit: 10 })).map(({ body }) =>
      JSON.parse(body ?? ''),
    );
    expect(named.map(({ handover }) => verifyKeyHandover(handover).fingerprint)).toEqual([first, second]);
    expect(world.store.brokerKey()).toBe(formatPublicKey(keys.current));
  });
});

describe('a broker', () => {
  async function started(): Promise<{ broker: TestBroker; heads: () => Promise<SignedHead[]> }> {
    const broker = await TestBroker.start();
    onTestFinished(() => broker.stop());
    return {
      broker,
      heads: async () =>
        (await broker.call('GET', '/v1/heads', { token: await broker.signIn() })).json.heads as SignedHead[],
    };
  }

  test('signs as the last thing at shutdown, also after a minute that was not over (A49)', async () => {
    const { broker, heads } = await started();
    broker.pass(1);
    await broker.submit();
    await broker.restart();
    const [last] = (await heads()).slice(-1);
    const { json } = await broker.call('GET', '/v1/events', { token: await broker.signIn() });
    expect(last?.seq).toBe(json.events.length);
  });

  test('names its key once, and not again at each start', async () => {
    const { broker } = await started();
    await broker.restart();
    await broker.restart();
    const { json } = await broker.call('GET', '/v1/events', { token: await broker.signIn() });
    const named = json.events.filter(({ kind }: { kind: string }) => kind === 'broker.key');
    expect(named).toHaveLength(1);
  });

  test('gives the links of the log without bodies, and the entries of one request', async () => {
    const { broker } = await started();
    const token = await broker.signIn();
    const { json: one } = await broker.submit();
    await broker.submit();
    const { json: whole } = await broker.call('GET', '/v1/events', { token });
    const { json: links } = await broker.call('GET', '/v1/events?links=only', { token });
    expect(links.events).toEqual(whole.events.map((entry: object) => ({ ...entry, body: null })));
    const { json: ofOne } = await broker.call('GET', `/v1/events?request=${one.id}`, { token });
    expect(ofOne.events).toEqual(
      whole.events.filter(({ request }: { request: string | null }) => request === one.id),
    );
    expect(ofOne.events).toHaveLength(1);
    for (const query of ['links=yes', 'request=x', 'after=-1']) {
      expect((await broker.call('GET', `/v1/events?${query}`, { token })).status, query).toBe(400);
    }
  });
});
