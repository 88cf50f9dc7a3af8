import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { Committed, RequestChange, RequestKey } from '../../../broker/store/store.js';
import { verifyChain } from '../../../src/protocol/event-log.js';
import { EVERYTHING } from '../../../src/protocol/filter.js';
import type { Name, Nonce } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import {
  denied,
  enrol,
  event,
  NOON,
  newPerson,
  newRequest,
  put,
  StoreWorld,
  standing,
  submit,
  tokenHash,
} from './store-world.js';

const nonce = (text: string): Nonce => tokenHash(text).slice(0, 32) as Nonce;

function refuse(): never {
  throw new Problem('request-ended', 'no');
}

async function everything(world: StoreWorld): Promise<object> {
  const { store } = world;
  const all = { filter: EVERYTHING, before: null, limit: 1000 };
  return {
    live: store.live(),
    requests: (await store.list(all)).requests,
    events: await store.events({ after: 0, limit: 1000 }),
    seq: store.seq,
    directory: store.directory(),
  };
}

describe('changes of one turn', () => {
  it('see what the ones before them did, by id and by digest', async () => {
    const { store } = await StoreWorld.open();
    const request = newRequest();
    const seen: (Request | null)[] = [];
    const look = (key: RequestKey) =>
      store.change(key, (current) => {
        seen.push(current);
        return { events: [], result: null };
      });
    await Promise.all([
      look({ id: request.id }),
      submit(store, request),
      look({ id: request.id }),
      look(standing(request)),
      store.change({ id: request.id }, () => put(denied(request), 'request.denied')),
      look(standing(request)),
    ]);
    expect(seen).toEqual([null, request, request, denied(request)]);
    expect(store.live()).toEqual([]);
    expect(await store.find(standing(request))).toEqual(denied(request));
  });

  it('leave nothing of one that throws, and everything of the others', async () => {
    const world = await StoreWorld.open();
    const { store } = world;
    const [first, second] = [newRequest(), newRequest()];
    const outcomes = await Promise.allSettled([
      submit(store, first),
      store.change({ id: first.id }, refuse),
      store.change({ id: first.id }, () => {
        throw new TypeError('a defect');
      }),
      submit(store, second),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'request-ended' } });
    for (const restarted of [false, true]) {
      if (restarted) await world.reopen();
      expect(world.store.live()).toEqual([first, second]);
      const events = await world.store.events({ after: 0, limit: 10 });
      expect(events.map(({ kind, request }) => [kind, request])).toEqual([
        ['store.created', null],
        ['request.submitted', first.id],
        ['request.submitted', second.id],
      ]);
      expect(verifyChain(events)).toBeNull();
    }
  });

  it('end one request once, however many try (A25)', async () => {
    const { store } = await StoreWorld.open();
    const request = newRequest();
    await submit(store, request);
    const end = () =>
      store.change({ id: request.id }, (current) =>
        current?.state === 'pending' ? put(denied(current), 'request.denied') : refuse(),
      );
    const outcomes = await Promise.allSettled(Array.from({ length: 2000 }, end));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const events = await store.events({ after: 0, limit: 5000 });
    expect(events.filter(({ kind }) => kind === 'request.denied')).toHaveLength(1);
  });

  it('make one request of equal submits, for ever', async () => {
    const world = await StoreWorld.open();
    const request = newRequest();
    const join = () =>
      world.store.change(
        standing(request),
        (current): RequestChange<boolean> =>
          current === null ? { ...put(request), result: true } : { events: [], result: false },
      );
    expect(await Promise.all([join(), join(), join()])).toEqual([true, false, false]);
    await world.store.change({ id: request.id }, () => put(denied(request), 'request.denied'));
    expect(await join()).toBe(false);
    await world.reopen();
    expect(await join()).toBe(false);
    // The same document of another submitter is another request.
    const other = {
      ...newRequest(),
      ...standing(request),
      canonical: request.canonical,
      scope: request.scope,
    };
    const theirs = { ...other, document: request.document, submitter: 'host-web-2' as Name };
    await submit(world.store, theirs);
    expect(await world.store.find(standing(theirs))).toEqual(theirs);
    expect(await world.store.find(standing(request))).toEqual(denied(request));
  });
});

/** Ways in which a disk, or whoever shares it, makes a commit fail. Each returns how to mend it. */
const FAILURES: Record<string, (world: StoreWorld) => () => void> = {
  'cannot begin because another connection writes': (world) => {
    const other = world.outside();
    other.exec('BEGIN IMMEDIATE');
    return () => other.exec('COMMIT');
  },
  'fails in its middle': (world) => {
    const other = world.outside();
    other.exec(`CREATE TRIGGER broken BEFORE INSERT ON events WHEN NEW.kind = 'request.denied'
      BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
    return () => other.exec('DROP TRIGGER broken');
  },
  'fails at its very end': (world) => {
    const other = world.outside();
    other.exec(`CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
      CREATE TRIGGER broken AFTER INSERT ON events WHEN NEW.kind = 'request.denied'
      BEGIN INSERT INTO children VALUES (1); END`);
    return () => other.exec('DROP TRIGGER broken');
  },
};

describe.for(Object.entries(FAILURES))('a commit that %s', ([, fail]) => {
  it('rejects everything of its turn and changes nothing, in memory or on disk (A41)', async () => {
    const world = await StoreWorld.open();
    const { store } = world;
    const [old, fresh] = [newRequest(), newRequest()];
    await submit(store, old);
    await nextTurn();
    const heard: Committed[] = [];
    store.onCommitted((entries) => heard.push(...entries));
    const before = await everything(world);

    const mend = fail(world);
    const asker = { hash: tokenHash('w'), request: fresh.id, attached: true };
    const once = { nonce: nonce('n'), expires: NOON + 60_000 };
    const outcomes = await Promise.allSettled([
      store.change(standing(fresh), () => ({ ...put(fresh), asker, nonce: once })),
      store.change({ id: old.id }, () => put(denied(old), 'request.denied')),
      store.change({ id: old.id }, (current) => (current?.state === 'pending' ? put(current) : refuse())),
      enrol(store, [newPerson('mallory')]),
    ]);
    expect(outcomes).toEqual(
      Array(4).fill({ status: 'rejected', reason: expect.objectContaining({ code: 'storage-failed' }) }),
    );
    mend();
    await nextTurn();
    expect(heard).toEqual([]);
    expect(await everything(world)).toEqual(before);
    expect(await store.findAsker(asker.hash)).toBeNull();

    await store.change(standing(fresh), () => ({ ...put(fresh), asker, nonce: once }));
    expect(store.live()).toEqual([old, fresh]);
    const after = await everything(world);
    await world.reopen();
    expect(await everything(world)).toEqual(after);
    expect(verifyChain(await world.store.events({ after: 0, limit: 100 }))).toBeNull();
  });
});

describe('nonces', () => {
  const use = (world: StoreWorld, text: string, expires: number) =>
    world.store.change({ id: newRequest().id }, () => ({
      events: [],
      nonce: { nonce: nonce(text), expires },
      result: null,
    }));

  it('are good once, also in one turn and after a restart (A22)', async () => {
    const world = await StoreWorld.open();
    const twice = await Promise.allSettled([use(world, 'a', NOON + 60), use(world, 'a', NOON + 60)]);
    expect(twice.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(use(world, 'a', NOON + 90)).rejects.toMatchObject({ code: 'replayed' });
    await world.reopen();
    await expect(use(world, 'a', NOON + 90)).rejects.toMatchObject({ code: 'replayed' });
  });

  it('stay unused when the change that brings them is refused', async () => {
    const world = await StoreWorld.open();
    const request = newRequest();
    const change = { nonce: { nonce: nonce('a'), expires: NOON + 60 }, events: [], result: null };
    await expect(
      world.store.change({ id: request.id }, () => ({ ...change, request: newRequest() })),
    ).rejects.toThrow('key');
    await use(world, 'a', NOON + 60);
  });

  it('are forgotten once expired, on the disk too, and a few at a time', async () => {
    const world = await StoreWorld.open();
    await Promise.all(Array.from({ length: 2500 }, (_, index) => use(world, `${index}`, NOON + 60 + index)));
    const stored = world.outside().prepare('SELECT count(*) FROM nonces').pluck();
    expect(stored.get()).toBe(2500);
    world.now = NOON + 10_000;
    await use(world, '7', NOON + 20_000);
    expect(stored.get()).toBe(2500 - 1024 + 1);
    await use(world, 'b', NOON + 20_000);
    await use(world, 'c', NOON + 20_000);
    expect(stored.get()).toBe(3);
    await expect(use(world, '7', NOON + 20_000)).rejects.toMatchObject({ code: 'replayed' });
    world.now = NOON + 30_000;
    await world.reopen();
    expect(stored.get()).toBe(0);
  });
});

describe('listeners', () => {
  it('hear every entry in order with the request as it then stood, after the answers', async () => {
    const { store } = await StoreWorld.open();
    const order: string[] = [];
    const heard: Committed[] = [];
    store.onCommitted((entries) => {
      order.push('heard');
      heard.push(...entries);
    });
    const request = newRequest();
    await Promise.all([
      submit(store, request).then(() => order.push('answered')),
      store
        .change({ id: request.id }, () => put(denied(request), 'request.denied'))
        .then(() => order.push('answered')),
      enrol(store, []).then(() => order.push('answered')),
    ]);
    expect(order).toEqual(['answered', 'answered', 'answered']);
    await nextTurn();
    expect(order).toEqual(['answered', 'answered', 'answered', 'heard']);
    expect(heard).toEqual([
      { seq: 2, kind: 'request.submitted', at: NOON, request },
      { seq: 3, kind: 'request.denied', at: NOON, request: denied(request) },
      { seq: 4, kind: 'roster.changed', at: NOON, request: null },
    ]);
    expect(store.seq).toBe(4);
  });

  it('hear nothing of changes without an entry', async () => {
    const { store } = await StoreWorld.open();
    const request = newRequest();
    await submit(store, request);
    await nextTurn();
    let calls = 0;
    store.onCommitted(() => calls++);
    await store.change({ id: request.id }, () => ({
      request: { ...request, askers: 2 },
      events: [],
      result: null,
    }));
    await nextTurn();
    expect(calls).toBe(0);
    expect(store.live()).toEqual([{ ...request, askers: 2 }]);
  });

  it('hear the last commit before the store is closed', async () => {
    const { store } = await StoreWorld.open();
    const heard: Committed[] = [];
    store.onCommitted((entries) => heard.push(...entries));
    const written = submit(store, newRequest());
    await store.close();
    await written;
    expect(heard).toHaveLength(1);
    await expect(submit(store, newRequest())).rejects.toMatchObject({ code: 'draining' });
    await expect(store.find({ id: newRequest().id })).rejects.toMatchObject({ code: 'draining' });
    await store.close();
  });
});

describe('a decision that breaks the contract', () => {
  it.for<[string, (request: Request) => [RequestKey, RequestChange<null>]]>([
    [
      'changes the document',
      (one) => [one, { ...put({ ...one, canonical: `${one.canonical} ` }), result: null }],
    ],
    ['changes the rule', (one) => [one, { ...put({ ...one, rule: '{}' }), result: null }]],
    ['changes the submitter', (one) => [one, { ...put({ ...one, submitter: 'x' as Name }), result: null }]],
    ['answers another key', () => [newRequest(), { ...put(newRequest()), result: null }]],
    [
      'repeats a digest under a new id',
      (one) => {
        const again = { ...one, id: newRequest().id };
        return [{ id: again.id }, { ...put(again), result: null }];
      },
    ],
    [
      'brings an asker of another request',
      (one) => [
        { id: one.id },
        {
          events: [],
          asker: { hash: tokenHash('x'), request: newRequest().id, attached: true },
          result: null,
        },
      ],
    ],
    [
      'logs what is no JSON',
      (one) => [
        { id: one.id },
        { request: denied(one), events: [{ ...event(), body: { bad: Number.NaN } }], result: null },
      ],
    ],
  ])('because it %s is refused alone and leaves no trace', async ([, breach]) => {
    const world = await StoreWorld.open();
    const request = newRequest();
    await submit(world.store, request);
    const before = await everything(world);
    const [key, change] = breach(request);
    const other = newRequest();
    const [refused, written] = await Promise.allSettled([
      world.store.change('id' in key ? { id: key.id } : key, () => change),
      submit(world.store, other),
    ]);
    expect(refused.status).toBe('rejected');
    expect(written.status).toBe('fulfilled');
    expect(world.store.live()).toEqual([request, other]);
    expect(world.store.seq).toBe((before as { seq: number }).seq + 1);
  });
});
