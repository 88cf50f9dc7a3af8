import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAddress } from '../../../src/client/address.js';
import { fetchCanaries } from '../../../src/client/canaries.js';
import { HttpClient } from '../../../src/client/http-client.js';
import { canaryNonce, canarySecret } from '../../../src/protocol/canary.js';
import type { BearerToken, Claim, Name } from '../../../src/protocol/names.js';
import { formatCanary } from '../../../src/protocol/statements.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

/** Asks for what nobody needs, lets bob decide, and reveals it. */
async function canary(digit: string, resource: string, verdict: 'approve' | 'deny' | null): Promise<string> {
  const secret = canarySecret(digit.repeat(32) as Claim);
  const nonce = canaryNonce(secret, broker.document({ resource }).scope);
  const bound = broker.document({ resource, nonce });
  const { id } = (await broker.submit(bound)).json;
  if (verdict !== null) await broker.decide(id, bound, { verdict });
  const statement = formatCanary({
    broker: broker.fingerprint,
    submitter: 'host:web-1' as Name,
    request: bound.digest,
    secret,
    issued: broker.now,
  });
  const armor = signInSoftware(broker.keys.host, statement, { namespace: 'canary@countersign' });
  const revealed = await broker.call('POST', `/v1/requests/${id}/canary`, {
    body: { statement: statement + armor },
  });
  expect([revealed.status, revealed.json.canary]).toEqual([200, '2026-01-31T12:00:00Z']);
  return id;
}

test('each approver reads how he did, and nobody else (A33)', async () => {
  const caught = await canary('1', 'web-1', 'deny');
  const missed = await canary('2', 'web-2', 'approve');
  await canary('3', 'web-3', null);
  const read = async (token?: string) =>
    (await broker.call('GET', '/v1/canaries', token === undefined ? {} : { token })).json;
  const bob = await broker.signIn(broker.keys.bob);
  expect(await read(bob)).toEqual({
    caught: 1,
    missed: [{ id: missed, revealed: '2026-01-31T12:00:00Z' }],
    missedCount: 1,
    searchedTo: null,
  });
  const client = new HttpClient(parseAddress(broker.address));
  const fetched = fetchCanaries((schema, given) =>
    client.call(schema, { ...given, token: bob as BearerToken }),
  ).finally(() => client.close());
  expect(await fetched).toMatchObject({ caught: 1, missed: [{ id: missed, revealed: broker.now }] });
  const carol = await broker.signIn(broker.keys.carol, 'carol');
  expect(await read(carol)).toMatchObject({ caught: 0, missedCount: 0 });
  expect((await read()).code).toBe('unauthenticated');
  const listed = await broker.call('GET', '/v1/requests?filter=state:canary%20verdict:deny', { token: bob });
  expect(listed.json.requests.map(({ id }: { id: string }) => id)).toEqual([caught]);
});
