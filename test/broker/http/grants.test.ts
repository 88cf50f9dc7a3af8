import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/client/address.js';
import { fetchGrants } from '../../../src/client/grants.js';
import { HttpClient } from '../../../src/client/http-client.js';
import type { BearerToken } from '../../../src/protocol/names.js';
import { newClaim, TestBroker } from '../test-broker.js';

const POLICY = `version: 1
rules:
  - name: logins
    approvals: { people: 1 }
    work: { longest: 1h }
    grants: yes
`;

let broker: TestBroker;
let token: string;
beforeEach(async () => {
  broker = await TestBroker.start();
  await broker.restartWith(POLICY);
  token = await broker.signIn();
});
afterEach(() => broker.stop());

const told = async () => (await broker.call('GET', '/v1/grants', { token })).json;

/** An equal ask, approved and used; as a grant where terms say so. */
async function opened(terms: Parameters<TestBroker['decide']>[2] | null) {
  const bound = broker.document({ duration: 3600 });
  const claim = newClaim();
  const { id, watch } = (await broker.submit(bound, claim)).json;
  if (terms !== null) await broker.decide(id, bound, terms);
  await broker.call('POST', `/v1/requests/${id}/redeem`, { token: watch, body: { claim } });
  return { id, watch };
}

const GRANT = { covers: 'scope', uses: 0, duration: 3600 } as const;

/** A door begins to watch; resolves once the broker has heard it. */
async function watched(id: string, watch: string) {
  const wait = broker.open('GET', `/v1/requests/${id}/standing`, {
    token: watch,
    headers: { prefer: 'wait=60' },
  });
  for (;;) {
    const { watched } = await told();
    if (watched.some((request: { id: string }) => request.id === id)) return wait;
  }
}

describe('what is known of grants, over HTTP', () => {
  test('is nothing where there are none', async () => {
    expect(await told()).toEqual({ uses: [], watched: [], more: 0 });
  });

  test('is when each was last used, by whichever ask', async () => {
    const { id } = await opened(GRANT);
    expect((await told()).uses).toEqual([{ id, at: '2026-01-31T12:00:00Z' }]);
    broker.pass(60);
    await opened(null);
    broker.pass(60);
    expect((await told()).uses).toEqual([{ id, at: '2026-01-31T12:01:00Z' }]);
    broker.pass(3600);
    token = await broker.signIn();
    expect((await told()).uses).toEqual([]);
  });

  test('is what doors watch just now, until it is revoked or the door has gone (A27)', async () => {
    const first = await opened({});
    const second = await opened({});
    const [one, other] = [await watched(first.id, first.watch), await watched(second.id, second.watch)];
    const ids = async () => (await told()).watched.map(({ id }: { id: string }) => id);
    expect(await ids()).toEqual([second.id, first.id]);
    expect((await told()).watched[0]).toMatchObject({ state: 'redeemed', watchedAt: '2026-01-31T12:00:00Z' });
    one.hangUp();
    await one.answer.catch(() => {});
    const aSecondLater = () => {
      broker.pass(1);
      return ids();
    };
    await expect.poll(aSecondLater).toEqual([second.id]);
    other.hangUp();
    await other.answer.catch(() => {});
  });

  test('is read by a client', async () => {
    const { id } = await opened(GRANT);
    const client = new HttpClient(parseAddress(broker.address));
    try {
      const reply = await fetchGrants((schema, given) =>
        client.call(schema, { ...given, token: token as BearerToken }),
      );
      expect(reply).toEqual({ uses: [{ id, at: broker.now }], watched: [], more: 0 });
    } finally {
      client.close();
    }
  });
});
