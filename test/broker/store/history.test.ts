import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { ListQuery, Store } from '../../../broker/store/store.js';
import { verifyChain } from '../../../src/protocol/event-log.js';
import type { Name } from '../../../src/protocol/names.js';
import { REQUEST_STATES } from '../../../src/protocol/request-view.js';
import { denied, newRequest, StoreWorld, submit, tokenHash } from './store-world.js';

const REQUESTERS = ['alice', 'bob'] as Name[];
const RESOURCES = ['web-1', 'db-1', "x' OR '1'='1"];

const requestOf = (state: Request['state'], requester: string, resource: string): Request => ({
  ...newRequest({ requester, resource }),
  state,
});

/** What a list should give, by the plainest means. */
function listed(all: readonly Request[], query: ListQuery): readonly Request[] {
  return all
    .filter(
      ({ id, state, document }) =>
        (query.states === null || query.states.includes(state)) &&
        (query.requester === null || query.requester === document.requester) &&
        (query.resource === null || query.resource === document.resource) &&
        (query.before === null || id < query.before),
    )
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, query.limit);
}

async function pages(store: Store, query: ListQuery): Promise<Request[]> {
  const found: Request[] = [];
  let before = query.before;
  for (;;) {
    const page = await store.list({ ...query, before });
    found.push(...page);
    if (page.length < query.limit) return found;
    before = page.at(-1)?.id ?? null;
  }
}

describe('lists', () => {
  it('give the newest first, filtered and cut like any plain list', async () => {
    const world = await StoreWorld.open();
    const all = REQUEST_STATES.flatMap((state) =>
      REQUESTERS.flatMap((requester) => RESOURCES.map((resource) => requestOf(state, requester, resource))),
    );
    await Promise.all(all.map((request) => submit(world.store, request)));
    const query = fc.record({
      states: fc.option(fc.subarray([...REQUEST_STATES])),
      requester: fc.option(fc.constantFrom(...REQUESTERS, 'nobody' as Name)),
      resource: fc.option(fc.constantFrom(...RESOURCES, '')),
      before: fc.option(fc.constantFrom(...all.map(({ id }) => id))),
      limit: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(query, async (one) => {
        expect(await world.store.list(one)).toEqual(listed(all, one));
      }),
    );
  });

  it('page through more rows than one turn looks at without losing or doubling one', async () => {
    const world = await StoreWorld.open();
    const all = Array.from({ length: 4500 }, (_, index) =>
      requestOf('redeemed', index % 1500 === 3 ? 'bob' : 'alice', 'web-1'),
    );
    await Promise.all(all.map((request) => submit(world.store, request)));
    const rare = { states: null, requester: 'bob' as Name, resource: null, before: null };
    const bobs = all.filter(({ document }) => document.requester === 'bob').reverse();
    expect(await world.store.list({ ...rare, limit: 10 })).toEqual(bobs);
    expect(await pages(world.store, { ...rare, limit: 1 })).toEqual(bobs);
    const found = await pages(world.store, { ...rare, requester: null, limit: 999 });
    expect(found.map(({ id }) => id)).toEqual(all.map(({ id }) => id).reverse());
  });

  it('are refused once the store is closed, like every other read', async () => {
    const { store } = await StoreWorld.open();
    await store.close();
    const query = { states: null, requester: null, resource: null, before: null, limit: 1 };
    const reads = [
      store.list(query),
      store.events({ after: 0, limit: 1 }),
      store.findAsker(tokenHash('x')),
      store.find({ id: newRequest().id }),
    ];
    const closed = { status: 'rejected', reason: expect.objectContaining({ code: 'draining' }) };
    expect(await Promise.allSettled<unknown>(reads)).toEqual(Array(4).fill(closed));
  });
});

describe('the event log', () => {
  it('is exported in pages that form one chain, also from its middle', async () => {
    const { store } = await StoreWorld.open();
    await Promise.all(Array.from({ length: 20 }, () => submit(store, denied(newRequest()))));
    const all = await store.events({ after: 0, limit: 100 });
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    expect(all[0]).toMatchObject({ kind: 'store.created', body: JSON.stringify({ epoch: store.epoch }) });
    expect(verifyChain(all)).toBeNull();
    const page = await store.events({ after: 7, limit: 5 });
    expect(page).toEqual(all.slice(7, 12));
    expect(verifyChain(page, all[6])).toBeNull();
    expect(await store.events({ after: 21, limit: 5 })).toEqual([]);
  });

  it('shows at export what an administrator did to its rows (A49)', async () => {
    const edits: [string, number][] = [
      ["UPDATE events SET body = '{}' WHERE seq = 5", 5],
      ['UPDATE events SET at = at + 1 WHERE seq = 3', 3],
      ['UPDATE events SET hash = zeroblob(32) WHERE seq = 4', 4],
      ['DELETE FROM events WHERE seq = 6', 6],
      ['DELETE FROM events WHERE seq = 1', 1],
      ['UPDATE events SET seq = 99 WHERE seq = 2; UPDATE events SET seq = 2 WHERE seq = 3', 2],
    ];
    for (const [sql, bad] of edits) {
      const world = await StoreWorld.open();
      await Promise.all(Array.from({ length: 9 }, () => submit(world.store, newRequest())));
      const outside = world.outside();
      expect(() => outside.exec(sql)).toThrow('append-only');
      outside.exec('DROP TRIGGER events_are_not_edited; DROP TRIGGER events_are_not_deleted');
      outside.exec(sql);
      expect(verifyChain(await world.store.events({ after: 0, limit: 100 })), sql).toBe(bad);
    }
  });
});
