import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/client/address.js';
import { HttpClient } from '../../../src/client/http-client.js';
import { fetchStatistics } from '../../../src/client/statistics.js';
import type { BearerToken } from '../../../src/protocol/names.js';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
let token: string;
beforeEach(async () => {
  broker = await TestBroker.start();
  token = await broker.signIn();
});
afterEach(() => broker.stop());

const told = async (query = '') => broker.call('GET', `/v1/statistics${query}`, { token });
const decided = async (verdict: 'approve' | 'deny', after: number): Promise<void> => {
  const bound = broker.document();
  const { id } = (await broker.submit(bound)).json;
  broker.pass(after);
  await broker.decide(id, bound, { verdict });
};

describe('statistics, over HTTP', () => {
  test('count what was asked and how long people waited', async () => {
    await decided('approve', 20);
    await decided('deny', 40);
    await broker.submit();
    const { status, json } = await told('?days=7&zone=Asia%2FTokyo');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      since: '2026-01-24T12:01:00Z',
      until: '2026-01-31T12:01:00Z',
      reach: 'days',
      zone: 'Asia/Tokyo',
      asked: 3,
      approved: 1,
      denied: 1,
      expired: 0,
      waits: { decisions: 2, p50: 20, p90: 40, p99: 40 },
      approvers: [{ name: 'bob', approved: 1, denied: 1, p50: 20 }],
    });
    expect(json.hours[21]).toEqual({ asked: 3, approved: 1, denied: 1, expired: 0 });
    expect(json.days.at(-1)).toMatchObject({ day: '2026-01-31', asked: 3 });
  });

  test('go back 30 days unless told otherwise, by UTC', async () => {
    expect((await told()).json).toMatchObject({
      since: '2026-01-01T12:00:00Z',
      zone: 'UTC',
      asked: 0,
      waits: null,
    });
  });

  test.each([
    '?days=0',
    '?days=367',
    '?days=1e2',
    '?days=1&days=2',
    '?zone=Mars%2FBase',
    '?zone=UTC&zone=UTC',
  ])('refuse %s', async (query) => {
    const { status, json } = await told(query);
    expect([status, json.code]).toEqual([400, 'malformed-request']);
  });

  test('are read by a client', async () => {
    await decided('approve', 20);
    const client = new HttpClient(parseAddress(broker.address));
    try {
      const statistics = await fetchStatistics(
        (schema, given) => client.call(schema, { ...given, token: token as BearerToken }),
        { days: 30, zone: 'America/St_Johns' },
      );
      expect(statistics).toMatchObject({ asked: 1, until: broker.now, waits: { p50: 20 } });
    } finally {
      client.close();
    }
  });
});
