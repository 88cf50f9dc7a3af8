import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { Committed, Store } from '../../../broker/store/store.js';
import type { Name } from '../../../src/protocol/names.js';
import { denied, event, newRequest, put, StoreWorld, standing, submit } from './store-world.js';

const used = (request: Request, uses: number): Request => ({ ...request, state: 'active', uses });

/** Two live equal asks, and one for something else. */
async function two(store: Store): Promise<readonly [Request, Request, Request]> {
  const requests = [newRequest(), newRequest(), newRequest({ resource: 'db-1' })] as const;
  for (const request of requests) await submit(store, request);
  return requests;
}

const equalTo = (store: Store, request: Request): Promise<readonly string[]> =>
  store.change({ id: request.id }, (_current, _restraints, peers) => ({
    events: [],
    result: peers.equal(request).map(({ id }) => id),
  }));

describe('requests that change with another', () => {
  it('are written in one commit, each with its entries, and are there after a restart', async () => {
    const world = await StoreWorld.open();
    const [one, other] = await two(world.store);
    const heard: Committed[] = [];
    world.store.onCommitted((entries) => heard.push(...entries));
    await world.store.change({ id: one.id }, () => ({
      ...put(denied(one), 'request.denied'),
      others: [{ request: used(other, 1), events: [event('request.used')] }],
    }));
    await nextTurn();
    await nextTurn();
    const news = heard.filter(({ seq }) => seq > 4);
    expect(news.map(({ seq, kind, request }) => [seq, kind, request?.id])).toEqual([
      [5, 'request.denied', one.id],
      [6, 'request.used', other.id],
    ]);
    await world.reopen();
    expect(await world.store.find({ id: other.id })).toEqual(used(other, 1));
    expect(world.store.live().map(({ id, uses }) => [id, uses])).toContainEqual([other.id, 1]);
  });

  it('change with it, or not at all', async () => {
    const { store } = await StoreWorld.open();
    const [one, other] = await two(store);
    const { seq } = store;
    const refused = [
      { request: newRequest(), events: [] },
      { request: one, events: [] },
      { request: { ...used(other, 1), submitter: 'another' as Name }, events: [] },
    ];
    for (const broken of refused) {
      const change = { ...put(denied(one)), others: [{ request: used(other, 1), events: [] }, broken] };
      await expect(store.change({ id: one.id }, () => change)).rejects.toThrow('store:');
    }
    expect([await store.find({ id: one.id }), await store.find({ id: other.id })]).toEqual([one, other]);
    expect(store.seq).toBe(seq);
  });

  it('are seen as they then stand by the changes after it, of the same commit too', async () => {
    const { store } = await StoreWorld.open();
    const [one, other] = await two(store);
    const use = (request: Request) =>
      store.change({ id: request.id }, (current, _restraints, peers) => {
        const grant = peers.equal(request).find(({ id }) => id === other.id);
        if (grant === undefined) return { events: [], result: 'none' };
        const next = grant.uses === 1 ? denied(grant) : used(grant, grant.uses + 1);
        return {
          request: current ?? request,
          events: [],
          others: [{ request: next, events: [] }],
          result: '',
        };
      });
    const late = newRequest();
    const answers = [use(one), use(one), use(one), submit(store, late), equalTo(store, late)];
    expect(await Promise.all(answers)).toEqual(['', '', 'none', late.id, [one.id, late.id]]);
  });
});

describe('equal asks', () => {
  it('are the live ones of one scope and submitter, oldest first', async () => {
    const world = await StoreWorld.open();
    const [one, other, different] = await two(world.store);
    const foreign = { ...newRequest(), submitter: 'host-web-2' as Name };
    await submit(world.store, foreign);
    expect(await equalTo(world.store, other)).toEqual([one.id, other.id]);
    expect(await equalTo(world.store, different)).toEqual([different.id]);
    await world.store.change(standing(one), () => put(denied(one), 'request.denied'));
    expect(await equalTo(world.store, one)).toEqual([other.id]);
    await world.reopen();
    expect(await equalTo(world.store, one)).toEqual([other.id]);
    expect(await equalTo(world.store, foreign)).toEqual([foreign.id]);
  });
});
