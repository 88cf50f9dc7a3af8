import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NewEvent, Request } from '../../../broker/requests/request.js';
import type { Store } from '../../../broker/store/store.js';
import { verifyChain } from '../../../src/protocol/event-log.js';
import { EVERYTHING } from '../../../src/protocol/filter.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import {
  denied,
  event,
  NOON,
  newRequest,
  put,
  StoreWorld,
  standing,
  submit,
  tokenHash,
} from './store-world.js';

const LATER = NOON + 86_400_000;
const ALL = { filter: EVERYTHING, before: null, limit: 100 };

const at = (kind: NewEvent['kind'], body: NewEvent['body'] = { kind }): NewEvent => ({
  kind,
  at: NOON,
  body,
});

const end = (store: Store, request: Request): Promise<RequestId> =>
  store.change({ id: request.id }, () => put(request, 'request.denied'));

/** Requests that were asked and denied. */
async function denials(store: Store, count = 1): Promise<Request[]> {
  const requests = Array.from({ length: count }, () => newRequest());
  for (const request of requests) {
    await submit(store, request);
    await end(store, denied(request));
  }
  return requests.map(denied);
}

const erase = (store: Store, requests: readonly Pick<Request, 'id'>[], before = LATER) =>
  store.erase({ ids: requests.map(({ id }) => id), before, holds: store.holds(), at: LATER });

const wholeLog = (store: Store) => store.events({ after: 0, limit: 10_000 });

describe('an erased request', () => {
  it('is gone by its id and from lists, and leaves a log whose chain holds', async () => {
    const world = await StoreWorld.open();
    const [old, other] = (await denials(world.store, 2)) as [Request, Request];
    const before = await wholeLog(world.store);
    expect(await erase(world.store, [old])).toEqual({ requests: [old.id], unfinished: null });
    for (const restarted of [false, true]) {
      if (restarted) await world.reopen();
      expect(await world.store.find({ id: old.id })).toBeNull();
      expect(await world.store.list(ALL)).toEqual({ requests: [other], next: null });
      const log = await wholeLog(world.store);
      expect(verifyChain(log)).toBeNull();
      const erased = log.filter(({ body }) => body === null);
      expect(erased.map(({ seq, kind }) => [seq, kind])).toEqual([
        [2, 'request.submitted'],
        [3, 'request.denied'],
      ]);
      expect(log.map(({ hash }) => hash).slice(0, -1)).toEqual(before.map(({ hash }) => hash));
      expect(log.at(-1)).toMatchObject({ kind: 'history.erased', request: null });
      expect(JSON.parse(log.at(-1)?.body ?? '')).toEqual({
        ids: [old.id],
        through: 3,
        before: '2026-02-01T12:00:00Z',
      });
    }
  });

  it('is never a new one: the same document gets its end as answer, for ever', async () => {
    const world = await StoreWorld.open();
    const [old] = (await denials(world.store)) as [Request];
    await erase(world.store, [old]);
    for (const restarted of [false, true]) {
      if (restarted) await world.reopen();
      const again = world.store.change(standing(old), () => put(newRequest()));
      await expect(again).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringContaining('erased'),
      });
      await expect(world.store.find(standing(old))).rejects.toMatchObject({ code: 'denied' });
    }
    const anothers = { ...old, ...newRequest(), submitter: 'ci' as Name };
    expect(await submit(world.store, anothers)).toBe(anothers.id);
    expect(world.outside().prepare('SELECT count(*) FROM requests').pluck().get()).toBe(2);
  });

  it('is erased for those who come in the same commit, and changed by those who came before', async () => {
    const { store } = await StoreWorld.open();
    const [old, younger] = (await denials(store, 2)) as [Request, Request];
    const [, again, byId] = await Promise.allSettled([
      erase(store, [old]),
      store.change(standing(old), () => put(newRequest())),
      store.change({ id: old.id }, (current) => ({ events: [], result: current })),
    ]);
    expect(again).toMatchObject({ status: 'rejected', reason: { code: 'denied' } });
    expect(byId).toEqual({ status: 'fulfilled', value: null });
    const [, erased] = await Promise.all([
      store.change({ id: younger.id }, () =>
        put({ ...younger, endedBy: 'bob, after all' }, 'request.reported'),
      ),
      erase(store, [younger]),
    ]);
    expect(erased?.requests).toEqual([]);
    expect(await store.find({ id: younger.id })).toMatchObject({ endedBy: 'bob, after all' });
  });

  it('takes its watch tokens with it, and no later one is lost for that', async () => {
    const world = await StoreWorld.open();
    const hashes = ['a', 'b', 'c', 'd'].map(tokenHash) as [string, string, string, string];
    const ask = async (hash: string) => {
      const request = newRequest();
      const asker = { hash, request: request.id, attached: true };
      await world.store.change(standing(request), () => ({ ...put(request), asker }));
      await end(world.store, denied(request));
      return request;
    };
    const [first, , third] = [await ask(hashes[0]), await ask(hashes[1]), await ask(hashes[2])];
    await erase(world.store, [first, third]);
    const left = async () => Promise.all(hashes.map((hash) => world.store.findAsker(hash)));
    const [none, second] = await left();
    expect([none, second?.hash]).toEqual([null, hashes[1]]);
    await world.reopen();
    await ask(hashes[3]);
    await world.reopen();
    expect((await left()).map((asker) => asker?.hash ?? null)).toEqual([null, hashes[1], null, hashes[3]]);
  });

  it('leaves nothing of what was written in it in any file of the database', async () => {
    const world = await StoreWorld.open();
    const SECRET = 'Zwieback-7731';
    const padding = 'p'.repeat(3000);
    const requests: Request[] = [];
    for (let count = 0; count < 40; count += 1) {
      const isOld = count % 2 === 0;
      const text = isOld ? SECRET : 'kept';
      const request = newRequest({ requester: isOld ? SECRET.toLowerCase() : 'alice', resource: text });
      const written = { ...request, vouched: `${text}${padding}`, verified: text, rule: text };
      await world.store.change(standing(written), () => ({
        request: written,
        events: [at('request.submitted', { text, padding })],
        result: null,
      }));
      for (let step = 0; step < 4; step += 1) {
        const grown = { ...written, endedBy: `${text} ${padding.repeat(step)}` };
        await world.store.change({ id: written.id }, () => ({
          request: step < 3 ? grown : { ...grown, state: 'denied' },
          events: [at('request.voted', { text, step })],
          result: null,
        }));
      }
      if (isOld) requests.push(written);
    }
    const found = () =>
      readdirSync(world.directory).filter((file) => {
        const bytes = readFileSync(join(world.directory, file)).toString('latin1').toLowerCase();
        return bytes.includes(SECRET.toLowerCase());
      });
    expect(found()).toContain('broker.db-wal');
    const { length } = requests;
    while (requests.length > 0) {
      const { unfinished } = (await erase(world.store, requests)) ?? {};
      if (unfinished === null) break;
    }
    // Another checkpoint may be under way.
    while (!(await world.store.scrub())) await nextTurn();
    expect(found()).toEqual([]);
    const log = await wholeLog(world.store);
    expect(verifyChain(log)).toBeNull();
    expect(log.filter(({ body }) => body === null)).toHaveLength(length * 5);
    expect(log.filter(({ body }) => body?.includes('kept'))).toHaveLength(length * 5);
    await world.reopen();
    expect((await world.store.list(ALL)).requests).toHaveLength(length);
    expect(found()).toEqual([]);
  });
});

describe('what stays', () => {
  const erased = async (store: Store, request: Request, before = LATER): Promise<boolean> => {
    const { requests = [] } = (await erase(store, [request], before)) ?? {};
    return requests.includes(request.id);
  };

  it('is what is live, or of which something was logged lately', async () => {
    const { store } = await StoreWorld.open();
    const live = newRequest();
    await submit(store, live);
    expect(await erased(store, live)).toBe(false);
    const [old] = (await denials(store)) as [Request];
    expect(await erased(store, old, NOON)).toBe(false);
    expect(await erased(store, old, NOON + 1000)).toBe(true);
    expect(await erased(store, old)).toBe(false);
    expect(await erased(store, newRequest())).toBe(false);
  });

  it('is what others have to look at still, until they did', async () => {
    const { store } = await StoreWorld.open();
    const [old] = (await denials(store)) as [Request];
    const { requester, resource } = old.document;
    const review = { request: old.id, requester, resource, openedAt: NOON, signed: [] };
    await store.change({ id: old.id }, () => ({ events: [], review, result: null }));
    expect(await erased(store, old)).toBe(false);
    await store.change({ id: old.id }, () => ({ events: [], review: null, result: null }));
    expect(await erased(store, old)).toBe(true);
  });

  it('is what somebody is locked for, until it is lifted', async () => {
    const { store } = await StoreWorld.open();
    const [old] = (await denials(store)) as [Request];
    const lock = {
      kind: 'lock' as const,
      requester: 'alice' as Name,
      since: NOON,
      by: 'bob' as Name,
      request: old.id,
      comment: '',
    };
    await store.changeRestraints(() => ({ restraints: new Map([['lock alice', lock]]), events: [] }));
    expect(await erased(store, old)).toBe(false);
    await store.changeRestraints(() => ({ restraints: new Map(), events: [] }));
    expect(await erased(store, old)).toBe(true);
  });

  it('is what has to leave the broker still', async () => {
    const world = await StoreWorld.open();
    const [waiting, other] = (await denials(world.store, 2)) as [Request, Request];
    const outside = world.outside();
    outside.exec(
      `INSERT INTO outbox (event, sink, request, attempts, due) VALUES (2, 'command', '${waiting.id}', 0, 0)`,
    );
    expect(await erased(world.store, waiting)).toBe(false);
    outside.exec("DELETE FROM outbox; INSERT INTO sinks (name, position) VALUES ('webhook:siem', 4)");
    expect(await erased(world.store, waiting)).toBe(true);
    expect(await erased(world.store, other)).toBe(false);
    outside.exec('UPDATE sinks SET position = 5');
    expect(await erased(world.store, other)).toBe(true);
  });

  it('is a grant, as long as what passed under it is kept', async () => {
    const { store } = await StoreWorld.open();
    const [grant, child] = (await denials(store, 2)) as [Request, Request];
    await store.change({ id: grant.id }, () => ({
      events: [at('request.used', { by: grant.id }), at('request.used', { by: child.id })],
      result: null,
    }));
    expect(await erased(store, grant)).toBe(false);
    const together = await erase(store, [child, grant]);
    expect(together?.requests).toEqual([child.id, grant.id]);
  });

  it('is what the log says of roster, policy and the store, in whose name it may be', async () => {
    const { store } = await StoreWorld.open();
    const [old] = (await denials(store)) as [Request];
    await store.change({ id: old.id }, () => ({
      events: [event('requester.locked'), event('roster.changed'), event('policy.loaded')],
      result: null,
    }));
    await store.record(event('restore.acknowledged'));
    expect(await erased(store, old)).toBe(true);
    const left = (await wholeLog(store)).filter(({ body }) => body !== null).map(({ kind }) => kind);
    expect(left).toEqual([
      'store.created',
      'roster.changed',
      'policy.loaded',
      'restore.acknowledged',
      'history.erased',
    ]);
  });

  it('is what was logged when a hash covered the body itself', async () => {
    const world = await StoreWorld.open();
    const [old] = (await denials(world.store)) as [Request];
    const outside = world.outside();
    outside.exec('DROP TRIGGER events_are_not_edited; UPDATE events SET digest = NULL WHERE seq = 2');
    expect(await erased(world.store, old)).toBe(false);
    expect(await world.store.find({ id: old.id })).toEqual(old);
  });

  it('is everything where other holds are in force than those that it was looked through by', async () => {
    const { store } = await StoreWorld.open();
    const [old] = (await denials(store)) as [Request];
    const holds = store.holds();
    const hold = { name: 'case-7' as Name, filter: 'person:alice', reason: 'court', since: NOON };
    const [, erased] = await Promise.all([
      store.changeHolds(() => ({ holds: new Map([[hold.name, hold]]), event: event('hold.placed') })),
      store.erase({ ids: [old.id], before: LATER, holds, at: LATER }),
    ]);
    expect(erased).toBeNull();
    expect(await store.find({ id: old.id })).toEqual(old);
  });
});

describe('a request with more entries than one commit takes', () => {
  it('goes in several, each with its event, and its row with the last', async () => {
    const world = await StoreWorld.open();
    const [old, next] = (await denials(world.store, 2)) as [Request, Request];
    const uses = Array.from({ length: 200 }, (_, use) => at('request.used', { by: old.id, use }));
    await world.store.change({ id: old.id }, () => ({ events: uses, result: null }));
    expect(await erase(world.store, [old, next])).toEqual({ requests: [], unfinished: old.id });
    expect(await world.store.find({ id: old.id })).toEqual(old);
    expect(await erase(world.store, [old, next])).toEqual({ requests: [old.id, next.id], unfinished: null });
    const log = await wholeLog(world.store);
    expect(verifyChain(log)).toBeNull();
    const told = log
      .filter(({ kind }) => kind === 'history.erased')
      .map(({ body }) => JSON.parse(body ?? ''));
    expect(told.map(({ ids }) => ids)).toEqual([[old.id], [old.id, next.id]]);
  });
});
