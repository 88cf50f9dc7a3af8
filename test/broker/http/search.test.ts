import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/client/address.js';
import { brokerHistory, searchHistory } from '../../../src/client/history.js';
import { type CallAs, HttpClient } from '../../../src/client/http-client.js';
import type { BearerToken, RequestId } from '../../../src/protocol/names.js';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
let token: string;
/** By what was asked for, oldest first. */
const ids: Record<'denied' | 'approved' | 'pending', string> = { denied: '', approved: '', pending: '' };

beforeAll(async () => {
  broker = await TestBroker.start();
  const denied = broker.document({ resource: 'Db-1', context: { reason: 'INC-7 drop it' } });
  ids.denied = (await broker.submit(denied)).json.id;
  await broker.decide(ids.denied, denied, { verdict: 'deny' });
  broker.pass(3600);
  const approved = broker.document();
  ids.approved = (await broker.submit(approved)).json.id;
  await broker.decide(ids.approved, approved);
  broker.pass(3);
  ids.pending = (await broker.submit(broker.document({ resource: 'web-2' }))).json.id;
  token = await broker.signIn();
});
afterAll(() => broker.stop());

const list = (query: Record<string, string>) =>
  broker.call('GET', `/v1/requests?${new URLSearchParams(query)}`, { token });
const found = async (query: Record<string, string>): Promise<string[]> =>
  (await list(query)).json.requests.map(({ id }: { id: string }) => id);
const search = (filter: string): Promise<string[]> => found({ filter });

describe('the search over HTTP', () => {
  test('finds by person, verdict, resource, reason, state, id and time', async () => {
    expect(await search('')).toEqual([ids.pending, ids.approved, ids.denied]);
    expect(await search('person:bob')).toEqual([ids.approved, ids.denied]);
    expect(await search('approver:bob verdict:deny')).toEqual([ids.denied]);
    expect(await search('resource:db-*,web-2')).toEqual([ids.pending, ids.denied]);
    expect(await search('inc-7')).toEqual([ids.denied]);
    expect(await search('state:live -state:pending')).toEqual([ids.approved]);
    expect(await search(`id:${ids.approved}`)).toEqual([ids.approved]);
    expect(await search('since:10m')).toEqual([ids.pending, ids.approved]);
    expect(await search('until:10m')).toEqual([ids.denied]);
    expect(await search('submitter:nobody')).toEqual([]);
  });

  test('goes on where the page before ended, and says when it has looked at everything', async () => {
    const first = await list({ filter: 'requester:alice', limit: '1' });
    expect(first.json).toMatchObject({ requests: [{ id: ids.pending }], next: ids.pending });
    expect(first.json.searchedTo).toBe('2026-01-31T13:00:03Z');
    const second = await list({ filter: 'requester:alice', limit: '2', cursor: ids.pending });
    expect(second.json).toMatchObject({
      requests: [{ id: ids.approved }, { id: ids.denied }],
      next: null,
      searchedTo: null,
    });
  });

  test('still takes what lists took before there were filters, alone and with one', async () => {
    expect(await found({ state: 'denied' })).toEqual([ids.denied]);
    expect(await found({ state: 'live' })).toEqual([ids.pending, ids.approved]);
    expect(await found({ state: 'all', requester: 'alice', resource: 'web-2' })).toEqual([ids.pending]);
    expect(await found({ requester: 'bob' })).toEqual([]);
    expect(await found({ state: 'live', filter: 'web-2' })).toEqual([ids.pending]);
  });

  test.each([
    ['filter=stat:x', 'usage', 'there is no key stat; did you mean state?'],
    ['filter=%22', 'usage', 'a quote is not closed'],
    ['filter=a&filter=b', 'malformed-request', '"filter" stands twice'],
    ['cursor=1', 'malformed-request', 'cursor'],
    ['limit=101', 'malformed-request', 'limit'],
    ['state=open', 'malformed-request', 'state'],
  ])('refuses ?%s and says what is wrong', async (query, code, detail) => {
    const answer = await broker.call('GET', `/v1/requests?${query}`, { token });
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe(code);
    expect(answer.json.detail).toContain(detail);
  });

  test('is for approvers alone (A18)', async () => {
    for (const [bearer, status] of [
      [undefined, 401],
      [broker.ciToken, 403],
    ] as const) {
      const answer = await broker.call('GET', '/v1/requests?filter=alice', { token: bearer });
      expect([bearer, answer.status]).toEqual([bearer, status]);
    }
  });

  test('is read by a client page by page, or to its end', async () => {
    const client = new HttpClient(parseAddress(broker.address));
    const call: CallAs = (schema, given) => client.call(schema, { ...given, token: token as BearerToken });
    try {
      const query = { filter: 'requester:alice', cursor: null };
      const page = await searchHistory(call, query, 2);
      expect(page).toMatchObject({ next: ids.approved, searchedTo: Date.parse('2026-01-31T13:00:00Z') });
      expect(page.requests.map(({ id }) => id)).toEqual([ids.pending, ids.approved]);
      for (const all of [
        await searchHistory(call, query, 1000),
        await brokerHistory(call).search(query, new AbortController().signal),
      ]) {
        expect(all).toMatchObject({ next: null, searchedTo: null });
        expect(all.requests.map(({ id }) => id)).toEqual([ids.pending, ids.approved, ids.denied]);
      }
    } finally {
      client.close();
    }
  });
});

describe('a client that searches', () => {
  const reading = async (pages: readonly object[], filter: string) => {
    const paths: string[] = [];
    const left = [...pages];
    const call = async (_: unknown, { path }: { path: string }) => {
      paths.push(path);
      return { requests: [], next: null, searchedTo: null, ...left.shift() };
    };
    const found = await searchHistory(call as unknown as CallAs, { filter, cursor: null }, 150);
    return { found, paths };
  };
  const views = async (): Promise<{ id: RequestId }[]> => (await list({})).json.requests;

  test('goes on past pages on which nothing was found', async () => {
    const [pending, approved] = await views();
    const { found, paths } = await reading(
      [{ next: pending?.id, searchedTo: 5 }, { next: approved?.id, searchedTo: 4 }, { requests: [pending] }],
      'alice state:live',
    );
    expect(found.requests).toEqual([pending]);
    const path = '/v1/requests?filter=alice+state%3Alive&limit=100';
    expect(paths).toEqual([path, `${path}&cursor=${pending?.id}`, `${path}&cursor=${approved?.id}`]);
  });

  test('leaves out what does not fit, and refuses to go in circles', async () => {
    const [pending] = await views();
    const { found } = await reading([{ requests: await views() }], 'web-2');
    expect(found.requests.map(({ id }) => id)).toEqual([ids.pending]);
    const circle = reading([{ next: pending?.id }, { next: pending?.id }], '');
    await expect(circle).rejects.toMatchObject({ code: 'broker-reply' });
  });
});
