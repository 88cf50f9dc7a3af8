import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/client/address.js';
import { fetchBackground } from '../../../src/client/background.js';
import { HttpClient } from '../../../src/client/http-client.js';
import type { BearerToken, RequestId } from '../../../src/protocol/names.js';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
let token: string;
beforeEach(async () => {
  broker = await TestBroker.start();
  token = await broker.signIn();
});
afterEach(() => broker.stop());

const details = (source: string) => ({ service: 'sshd', source, user: 'alice' });
const submitted = async (change: Parameters<TestBroker['document']>[0] = {}): Promise<string> =>
  (await broker.submit(broker.document({ details: details('203.0.113.9'), ...change }))).json.id;
const decided = async (verdict: 'approve' | 'deny', change: Parameters<TestBroker['document']>[0] = {}) => {
  const bound = broker.document({ details: details('203.0.113.9'), ...change });
  const { id } = (await broker.submit(bound)).json;
  await broker.decide(id, bound, { verdict });
  return id as string;
};
const background = (id: string, query = '') =>
  broker.call('GET', `/v1/requests/${id}/background${query}`, { token });
const codesOf = async (id: string): Promise<string[]> =>
  (await background(id)).json.unusual.map(({ code }: { code: string }) => code);

describe('what came before a request, over HTTP', () => {
  test('is told with words: the address, who was denied, and earlier decisions', async () => {
    const first = await decided('approve');
    broker.pass(60);
    await decided('deny', { resource: 'db-1' });
    broker.pass(60);
    const id = await submitted({ details: details('198.51.100.7') });
    const { status, json } = await background(id, '?zone=Europe%2FBerlin');
    expect(status).toBe(200);
    expect(json).toEqual({
      isPerson: true,
      since: '2026-01-01T12:02:00Z',
      reach: 'days',
      asks: 2,
      approved: 1,
      earlier: [],
      unusual: [
        { code: 'denied', asks: 1, words: 'denied once in the 24h before' },
        {
          code: 'new-address',
          address: '198.51.100.7',
          submitter: 'host:web-1',
          signed: true,
          words: 'first time from 198.51.100.7 (says host:web-1, and signs)',
        },
      ],
    });
    const again = await submitted();
    expect((await background(again)).json.earlier).toEqual([
      { request: first, approver: 'bob', verdict: 'approve', decided: '2026-01-31T12:00:00Z', report: null },
    ]);
  });

  test('takes the names of one person for one, and no ask for its own past', async () => {
    await decided('approve', { requester: 'alice@example.com' });
    broker.pass(60);
    const id = await submitted();
    expect((await background(id)).json).toMatchObject({ isPerson: true, asks: 1, approved: 1, unusual: [] });
    await submitted({ nonce: '1'.repeat(32) });
    expect((await background(id)).json.asks).toBe(1);
  });

  test('knows nothing of what was erased, and says how far back all is kept', async () => {
    broker.retain = 86_400;
    await decided('approve');
    broker.pass(3600);
    await broker.restartAfter(3);
    token = await broker.signIn();
    const id = await submitted();
    expect((await background(id)).json).toMatchObject({
      reach: 'kept',
      since: '2026-02-02T13:00:00Z',
      asks: 0,
      unusual: [{ code: 'nothing-approved' }],
    });
  });

  test('tells of an account that is nobody’s, and of one that looks like somebody', async () => {
    expect((await background(await submitted({ requester: 'deploy' }))).json.isPerson).toBe(false);
    expect(await codesOf(await submitted({ requester: 'a1ice' }))).toEqual([
      'look-alike',
      'nothing-approved',
    ]);
  });

  test('tells of an ended request what was unusual about it then', async () => {
    const first = await decided('approve');
    broker.pass(60);
    await decided('approve');
    expect(await codesOf(first)).toEqual(['nothing-approved']);
  });

  test.each(['?zone=Mars%2FBase', '?zone=', '?zone=UTC&zone=UTC', `?zone=${'a'.repeat(1000)}`])(
    'refuses %s',
    async (query) => {
      const { status, json } = await background(await submitted(), query);
      expect([status, json.code]).toEqual([400, 'malformed-request']);
    },
  );

  test.each(['01KB2X6C9V4T7M3N8QZ5R0EWHD', 'nonsense'])('knows no request %s', async (id) => {
    const { status, json } = await background(id);
    expect([status, json.code]).toEqual([404, 'not-found']);
  });

  test('is for approvers alone (A18)', async () => {
    const { id, watch } = (await broker.submit()).json;
    const path = `/v1/requests/${id}/background`;
    for (const [bearer, status] of [
      [undefined, 401],
      ['e30.e30.AA', 401],
      [broker.ciToken, 403],
      [watch, 403],
      [token, 200],
    ] as const) {
      expect([bearer, (await broker.call('GET', path, { token: bearer })).status]).toEqual([bearer, status]);
    }
    expect((await broker.call('GET', path, { viaSocket: true })).status).toBe(403);
  });

  test('is read by a client', async () => {
    const id = (await submitted()) as RequestId;
    const client = new HttpClient(parseAddress(broker.address));
    try {
      const told = await fetchBackground(
        (schema, given) => client.call(schema, { ...given, token: token as BearerToken }),
        id,
        'America/St_Johns',
      );
      expect(told).toMatchObject({ asks: 0, unusual: [{ code: 'nothing-approved' }] });
    } finally {
      client.close();
    }
  });
});
