import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import { MIGRATIONS } from '../../../broker/store/sqlite/migrations.js';
import { RequestWalk } from '../../../broker/store/sqlite/request-walk.js';
import { parseDocument } from '../../../src/protocol/document.js';
import { type FilterSubject, matchesFilter, subjectOf } from '../../../src/protocol/filter.js';
import { parseFilter } from '../../../src/protocol/filter-text.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import { filter, subject } from '../../protocol/filter-arbitraries.js';
import { hostileText, request } from './arbitraries.js';
import { NOON, newRequest, put, StoreWorld, standing } from './store-world.js';

const VOTE = {
  decided: NOON,
  notAfter: NOON,
  covers: 'request',
  duration: 0,
  uses: 1,
  comment: '',
  receipt: 'r',
} as const;

/** A request that a filter sees like that. */
function requestLike({ id, state, outcome, votes, reason, ...seen }: FilterSubject): Request {
  const { action, door, requester, resource, submitter } = seen;
  const plain = newRequest();
  const { context: _, ...document } = plain.document;
  const context = reason === null ? {} : { reason };
  return {
    ...plain,
    ...parseDocument({ ...document, action, door, requester, resource: resource || 'x', context }),
    id,
    submitter: submitter as Name,
    state,
    votes: votes.map(({ approver, verdict }) => ({ ...VOTE, approver: approver as Name, verdict })),
    report:
      outcome === null || outcome === 'canary'
        ? null
        : { claim: '0'.repeat(32) as never, outcome, code: null, at: NOON },
    canary: outcome === 'canary' ? NOON : null,
  };
}

async function storeOf(requests: readonly Request[]): Promise<StoreWorld> {
  const world = await StoreWorld.open();
  await Promise.all(requests.map((one) => world.store.change(standing(one), () => put(one))));
  return world;
}

const subjects = fc.uniqueArray(subject, { minLength: 200, maxLength: 200, selector: ({ id }) => id });

/** All that a walk finds, however many steps it takes. */
function walkThrough(walk: RequestWalk): RequestId[] {
  const { fitting, next } = walk.step(1000);
  return next === null ? [...fitting] : [...fitting, ...walkThrough(walk)];
}

describe('the search on disk', () => {
  it('finds what the filter fits, and nothing else', async () => {
    const [some = []] = fc.sample(subjects, { numRuns: 1, seed: 4312 });
    const all = some.map(requestLike).toSorted((a, b) => (a.id < b.id ? 1 : -1));
    const database = (await storeOf(all)).outside();
    let found = 0;
    fc.assert(
      fc.property(filter, (one) => {
        const fitting = all.filter((request) => matchesFilter(one, subjectOf(request))).map(({ id }) => id);
        found += fitting.length;
        expect(walkThrough(new RequestWalk(database, one, null))).toEqual(fitting);
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(10_000);
  });

  it('takes what is written in a filter for nothing but text', async () => {
    const world = await storeOf([requestLike({ ...subjectOf(newRequest()), resource: "100%_[*]?'--\\" })]);
    const found = async (text: string): Promise<number> =>
      (await world.store.list({ filter: parseFilter(text, NOON), before: null, limit: 10 })).requests.length;
    for (const text of ['100%_', `"[*]"`, `?'--`, `"\\\\"`, `resource:100*"--\\\\"`])
      expect([text, await found(text)]).toEqual([text, 1]);
    for (const text of ['1_0', '10%0', '[*]0', "' OR 1=1 --", `"') OR ('1'='1"`])
      expect([text, await found(text)]).toEqual([text, 0]);
  });

  it('does not take the end of one name and the beginning of the next for a name', async () => {
    const votes = [
      { approver: 'bob', verdict: 'approve' as const },
      { approver: 'carol', verdict: 'approve' as const },
    ];
    const database = (await storeOf([requestLike({ ...subjectOf(newRequest()), votes })])).outside();
    const found = (text: string): number =>
      new RequestWalk(database, parseFilter(text, NOON), null).step(10).fitting.length;
    expect(['b*b', 'c*r*l', 'bob', '*ol', 'car*', '*o*'].map((glob) => found(`approver:${glob}`))).toEqual([
      1, 1, 1, 1, 1, 1,
    ]);
    expect(['b*l', 'b*car*', 'ob', 'caro'].map((glob) => found(`approver:${glob}`))).toEqual([0, 0, 0, 0]);
  });

  it('reads no further than the times and ids of a filter reach', async () => {
    const world = await StoreWorld.open();
    const walk = (text: string) => new RequestWalk(world.outside(), parseFilter(text, NOON), null);
    const all = Array.from({ length: 30 }, (_, day): Request => {
      const id = `01KG${String(day).padStart(22, '0')}` as RequestId;
      return { ...newRequest(), id, state: 'redeemed' };
    });
    await Promise.all(all.map((one) => world.store.change(standing(one), () => put(one))));
    expect(walk(`id:${all[3]?.id},${all[17]?.id.toLowerCase()}`).step(9).fitting).toEqual([
      all[17]?.id,
      all[3]?.id,
    ]);
    expect(walk('id:01*,01KG*').step(99).fitting).toHaveLength(30);
    expect(walk('since:9999-01-01').step(9)).toEqual({ fitting: [], next: null });
    expect(walk('until:1970-01-01').step(9)).toEqual({ fitting: [], next: null });
  });

  it('goes by what a request has become', async () => {
    const world = await StoreWorld.open();
    const asked = newRequest();
    const found = async (text: string): Promise<number> =>
      (await world.store.list({ filter: parseFilter(text, NOON), before: null, limit: 10 })).requests.length;
    const become = (form: Request): Promise<unknown> => world.store.change({ id: form.id }, () => put(form));
    await become(asked);
    expect(await found('state:pending inc-4312')).toBe(1);
    const votes = [{ ...VOTE, approver: 'bob' as Name, verdict: 'deny' as const }];
    await become({ ...asked, state: 'denied', votes, endedAt: NOON, endedBy: 'bob' });
    expect([await found('state:pending'), await found('state:denied approver:bob verdict:deny')]).toEqual([
      0, 1,
    ]);
  });

  it('stands for old requests after the migration as if they had been written with it', async () => {
    const reasons = fc.oneof(
      hostileText,
      hostileText.map((text) => text + '😀'.repeat(300)),
    );
    const old = fc.uniqueArray(
      fc.tuple(request, reasons).map(([one, reason]): Request => {
        const context =
          reason.isWellFormed() && !/\p{Noncharacter_Code_Point}/u.test(reason) ? { reason } : {};
        // There were no canaries then.
        return { ...one, ...parseDocument({ ...one.document, context }), canary: null };
      }),
      { minLength: 1, maxLength: 12, selector: ({ id }) => id },
    );
    await fc.assert(
      fc.asyncProperty(old, async (requests) => {
        const database = (await storeOf(requests)).outside();
        const rows = () => database.prepare('SELECT * FROM request_search ORDER BY id').all();
        const written = rows();
        const step = MIGRATIONS.find(({ sql }) => sql.includes('CREATE TABLE request_search'));
        database.exec('DROP TABLE request_search; CREATE INDEX requests_listed ON requests (id)');
        database.exec(step?.sql ?? '');
        expect(rows()).toEqual(written);
        expect(written).toHaveLength(requests.length);
      }),
      { numRuns: 30 },
    );
  });
});
