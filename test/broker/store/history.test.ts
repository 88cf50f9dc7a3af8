import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { ListPage, ListQuery, Store } from '../../../broker/store/store.js';
import { verifyChain } from '../../../src/protocol/event-log.js';
import { EVERYTHING, type Filter, matchesFilter, subjectOf } from '../../../src/protocol/filter.js';
import { parseFilter } from '../../../src/protocol/filter-text.js';
import { REQUEST_STATES } from '../../../src/protocol/request-view.js';
import { denied, NOON, newRequest, StoreWorld, submit, tokenHash } from './store-world.js';

const REQUESTERS = ['alice', 'bob'];
const RESOURCES = ['web-1', 'db-1', "x' OR '1'='1"];

const requestOf = (state: Request['state'], requester: string, resource: string): Request => ({
  ...newRequest({ requester, resource }),
  state,
});

/** What a list should give, by the plainest means. */
function listed(all: readonly Request[], { filter, before, limit }: ListQuery): ListPage {
  const fitting = all
    .filter(
      (request) => matchesFilter(filter, subjectOf(request)) && (before === null || request.id < before),
    )
    .toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const requests = fitting.slice(0, limit);
  return { requests, next: fitting.length > limit ? (requests.at(-1)?.id ?? null) : null };
}

/** All pages, each ended as soon as `goesOn` says so. */
async function pages(store: Store, query: ListQuery, goesOn = () => true): Promise<ListPage[]> {
  const page = await store.list(query, goesOn);
  return page.next === null
    ? [page]
    : [page, ...(await pages(store, { ...query, before: page.next }, goesOn))];
}

const parse = (text: string): Filter => parseFilter(text, NOON);

describe('lists', () => {
  it('give the newest first, filtered and cut like any plain list', async () => {
    const world = await StoreWorld.open();
    const all = REQUEST_STATES.flatMap((state) =>
      REQUESTERS.flatMap((requester) => RESOURCES.map((resource) => requestOf(state, requester, resource))),
    );
    await Promise.all(all.map((request) => submit(world.store, request)));
    const states = fc.subarray([...REQUEST_STATES, 'live', 'ended'], { minLength: 1 });
    const query = fc.record({
      filter: fc
        .tuple(
          states.map((some) => `state:${some.join()}`),
          fc.constantFrom('', 'requester:alice', 'requester:bob', 'requester:nobody'),
          fc.constantFrom('', 'resource:web-1', '1', 'OR', '"\'"'),
        )
        .map((terms) => parse(terms.join(' '))),
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
    const rare = { filter: parse('requester:bob'), before: null };
    const bobs = all.filter(({ document }) => document.requester === 'bob').reverse();
    expect(await world.store.list({ ...rare, limit: 10 })).toEqual({ requests: bobs, next: null });
    const ones = await pages(world.store, { ...rare, limit: 1 });
    expect(ones.map(({ requests }) => requests)).toEqual(bobs.map((bob) => [bob]));
    const many = await pages(world.store, { filter: EVERYTHING, before: null, limit: 999 });
    const ids = many.flatMap(({ requests }) => requests.map(({ id }) => id));
    expect(ids).toEqual(all.map(({ id }) => id).reverse());
  });

  it('end where they are told to, and say how far they have looked', async () => {
    const world = await StoreWorld.open();
    const all = Array.from({ length: 4500 }, () => requestOf('redeemed', 'alice', 'web-1'));
    await Promise.all(all.map((request) => submit(world.store, request)));
    const none = { filter: parse('requester:nobody'), before: null, limit: 10 };
    const steps = await pages(world.store, none, () => false);
    expect(steps.flatMap(({ requests }) => requests)).toEqual([]);
    expect(steps.map(({ next }) => next)).toEqual([...[3500, 2500, 1500, 500].map((n) => all[n]?.id), null]);
    const all4500 = await pages(world.store, { ...none, filter: EVERYTHING, limit: 100 }, () => false);
    expect(all4500.flatMap(({ requests }) => requests.map(({ id }) => id))).toEqual(
      all.map(({ id }) => id).reverse(),
    );
  });

  it('let others work between the steps of however many searches there are', async () => {
    const world = await StoreWorld.open();
    await Promise.all(
      Array.from({ length: 6000 }, () => submit(world.store, requestOf('redeemed', 'alice', 'web-1'))),
    );
    const query = { filter: parse('nothing'), before: null, limit: 1 };
    let steps = 0;
    const goesOn = (): boolean => {
      steps += 1;
      return true;
    };
    let open = 20;
    const searches = Array.from({ length: open }, async () => {
      await world.store.list(query, goesOn);
      open -= 1;
    });
    while (open > 0) {
      const before = steps;
      await nextTurn();
      expect(steps - before).toBeLessThanOrEqual(1);
    }
    await Promise.all(searches);
    expect(steps).toBeGreaterThanOrEqual(40);
  });

  it('are refused once the store is closed, like every other read', async () => {
    const { store } = await StoreWorld.open();
    await store.close();
    const query = { filter: EVERYTHING, before: null, limit: 1 };
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
