import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Request, requestIsLive } from '../../../broker/requests/request.js';
import type { Asker, Store } from '../../../broker/store/store.js';
import { EVERYTHING } from '../../../src/protocol/filter.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import { name, request, requestId, sha256 } from './arbitraries.js';
import { enrol, newPerson, newSubmitter, put, StoreWorld, standing } from './store-world.js';

/** Requests that can stand in one store. */
const requests = fc.uniqueArray(request, {
  minLength: 1,
  maxLength: 12,
  comparator: (a, b) => a.id === b.id || (a.digest === b.digest && a.submitter === b.submitter),
});

const byId = (a: Request, b: Request): number => (a.id < b.id ? -1 : 1);

async function expectAll(store: Store, kept: readonly Request[]): Promise<void> {
  const oldestFirst = [...kept].sort(byId);
  expect(store.live()).toEqual(oldestFirst.filter(requestIsLive));
  for (const one of kept) {
    expect(await store.find({ id: one.id })).toEqual(one);
    expect(await store.find(standing(one))).toEqual(one);
  }
  const all = await store.list({ filter: EVERYTHING, before: null, limit: 100 });
  expect(all.requests).toEqual(oldestFirst.reverse());
}

describe('what the store gives back', () => {
  it('is every request as it was put in, before and after a restart, whatever is written in it', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (kept) => {
        const world = await StoreWorld.open();
        await Promise.all(kept.map((one) => world.store.change(standing(one), () => put(one))));
        await expectAll(world.store, kept);
        await world.reopen();
        await expectAll(world.store, kept);
        await world.store.close();
      }),
      { numRuns: 40 },
    );
  });

  it('is the newest form of a request after any number of changes', async () => {
    const histories = fc.tuple(request, fc.array(request, { minLength: 1, maxLength: 5 }));
    await fc.assert(
      fc.asyncProperty(histories, fc.boolean(), async ([first, others], together) => {
        const world = await StoreWorld.open();
        const { id, submitter, vouched, verified, rule, policy, submittedAt } = first;
        const { document, canonical, digest, scope } = first;
        const fixed = {
          id,
          submitter,
          vouched,
          verified,
          rule,
          policy,
          submittedAt,
          document,
          canonical,
          digest,
          scope,
        };
        const forms = [first, ...others.map((other) => ({ ...other, ...fixed }))];
        const writes: Promise<unknown>[] = [];
        for (const form of forms) {
          const written = world.store.change({ id }, () => put(form));
          if (together) writes.push(written);
          else await written;
        }
        await Promise.all(writes);
        const newest = forms.at(-1) as Request;
        await expectAll(world.store, [newest]);
        await world.reopen();
        await expectAll(world.store, [newest]);
        await world.store.close();
      }),
      { numRuns: 40 },
    );
  });

  it('keeps the canonical text of a document byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        const world = await StoreWorld.open();
        await world.store.change({ id: one.id }, () => put(one));
        await world.store.close();
        const text = world
          .outside()
          .prepare('SELECT CAST(canonical AS BLOB) AS bytes FROM requests')
          .pluck()
          .get();
        expect(text).toEqual(Buffer.from(one.canonical));
      }),
      { numRuns: 30 },
    );
  });

  it('is every asker, of live and of ended requests, attached or not', async () => {
    const askers = fc.uniqueArray(fc.tuple(sha256, fc.boolean()), {
      selector: ([hash]) => hash,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(request, askers, async (one, list) => {
        const world = await StoreWorld.open();
        const expected: Asker[] = list.map(([hash, attached]) => ({ hash, request: one.id, attached }));
        await world.store.change({ id: one.id }, () => put(one));
        for (const asker of expected) {
          // First the other way round, so that it is replaced.
          for (const attached of [!asker.attached, asker.attached]) {
            const change = { events: [], asker: { ...asker, attached }, result: null };
            await world.store.change({ id: one.id }, () => change);
          }
        }
        for (const restarted of [false, true]) {
          if (restarted) await world.reopen();
          for (const asker of expected) expect(await world.store.findAsker(asker.hash)).toEqual(asker);
          expect(await world.store.findAsker('f'.repeat(64))).toBeNull();
        }
        await world.store.close();
      }),
      { numRuns: 30 },
    );
  });

  it('is the directory, sorted by name, after any change', async () => {
    const lists = fc.array(fc.uniqueArray(name, { maxLength: 6 }), { minLength: 1, maxLength: 4 });
    const known = new Map<Name, ReturnType<typeof newPerson>>();
    const personNamed = (one: Name) => {
      const person = known.get(one) ?? newPerson(one);
      known.set(one, person);
      return person;
    };
    await fc.assert(
      fc.asyncProperty(lists, async (changes) => {
        const world = await StoreWorld.open();
        for (const names of changes) {
          const answered = await enrol(world.store, names.map(personNamed), names.map(newSubmitter));
          const sorted = [...names].sort();
          expect(answered.people.map((person) => person.name)).toEqual(sorted);
          expect(answered.submitters).toEqual(sorted.map(newSubmitter));
          expect(world.store.directory()).toBe(answered);
          await world.reopen();
          expect(world.store.directory()).toEqual(answered);
        }
        await world.store.close();
      }),
      { numRuns: 25 },
    );
  });

  it('is nothing for ids and digests that it does not know', async () => {
    const world = await StoreWorld.open();
    await fc.assert(
      fc.asyncProperty(requestId, sha256, name, async (id, digits, submitter) => {
        expect(await world.store.find({ id })).toBeNull();
        expect(await world.store.find({ digest: `sha256:${digits}` as never, submitter })).toBeNull();
      }),
    );
    expect(await world.store.find({ id: "' OR 1=1" as RequestId })).toBeNull();
  });
});
