import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Name } from '../../../src/protocol/names.js';
import { formatUnlocking } from '../../../src/protocol/statements.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

const name = (text: string): Name => text as Name;

async function askAndDeny(comment: string): Promise<void> {
  const bound = broker.document();
  const { id } = (await broker.submit(bound)).json;
  const answer = await broker.decide(id, bound, { verdict: 'deny', comment });
  expect(answer.json.state).toBe('denied');
}

function unlocking(approver = 'carol', key = broker.keys.carol): string {
  const statement = formatUnlocking({
    broker: broker.fingerprint,
    requester: name('alice'),
    approver: name(approver),
    issued: broker.now,
    comment: 'it was her',
  });
  return statement + signInSoftware(key, statement, { namespace: 'unlock@countersign' });
}

describe('mutes and locks over HTTP (A31)', () => {
  test('a muted requester is told when to come back, across a restart, also in text for a shell', async () => {
    await askAndDeny('no');
    await askAndDeny('no');
    await broker.restart();
    const answer = await broker.submit();
    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('900');
    expect(answer.json).toMatchObject({
      code: 'muted',
      detail: 'alice was denied "web-1" repeatedly and may not ask for it until 2026-01-31T12:15:00Z',
    });
    const text = await broker.call('POST', '/v1/requests', {
      body: broker.hostSubmit(broker.document()),
      headers: { accept: 'text/plain' },
    });
    expect(text.text.split('\n').slice(0, 3)).toEqual(['countersign/1 error -', 'watch: -', 'code: muted']);
    expect((await broker.submit(broker.document({ resource: 'web-2' }))).status).toBe(201);
    broker.pass(900);
    expect((await broker.submit()).status).toBe(201);
  });

  test('a lock outlives a restart, is listed and logged, and ends with a signed statement', async () => {
    await askAndDeny('fraud: she is on holiday');
    await broker.restart();
    expect((await broker.submit(broker.document({ resource: 'web-2' }))).json.code).toBe('locked');
    const locks = async () => (await broker.call('GET', '/v1/locks', { viaSocket: true })).json;
    expect(await locks()).toMatchObject({
      locks: [{ requester: 'alice', by: 'bob', comment: 'fraud: she is on holiday' }],
      mutes: [],
    });
    const { json: status } = await broker.call('GET', '/v1/status', { viaSocket: true });
    expect(status.locks).toHaveLength(1);

    const refused = await broker.call('POST', '/v1/locks/lifts', {
      body: { statement: unlocking('alice', broker.keys.alice) },
    });
    expect(refused.json.code).toMatch(/self-approval|unknown-key/);
    const lifted = await broker.call('POST', '/v1/locks/lifts', { body: { statement: unlocking() } });
    expect(lifted.json).toEqual({ locks: 1, mutes: 1 });
    expect(await locks()).toEqual({ locks: [], mutes: [] });
    await broker.restart();
    expect((await broker.submit()).status).toBe(201);
    const token = await broker.signIn();
    const { json } = await broker.call('GET', '/v1/events', { token });
    const kinds = json.events.map(({ kind }: { kind: string }) => kind);
    expect(kinds.filter((kind: string) => kind.startsWith('requester.'))).toEqual([
      'requester.locked',
      'requester.unlocked',
    ]);
  });

  test('a flood by one submitter is refused beyond its places and keeps nobody else out (A32)', async () => {
    await broker.stop();
    broker = await TestBroker.start({ callsBurst: 5000, addressCallsBurst: 50_000 });
    const approvedFirst = broker.document({ resource: 'db-1' });
    const { id, watch } = (await broker.submit(approvedFirst)).json;
    await broker.decide(id, approvedFirst);
    const codes = new Map<string, number>();
    for (let round = 0; round < 10; round += 1) {
      const answers = Array.from({ length: 100 }, (_, number) =>
        broker.submit(broker.document({ requester: `m-${number % 7}`, resource: `prod/${number % 2}` })),
      );
      for (const { status, json } of await Promise.all(answers)) {
        const code = status === 201 ? 'taken' : json.code;
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    }
    expect([...codes]).toEqual([
      ['taken', 200],
      ['too-many-pending', 800],
    ]);
    const other = await broker.call('POST', '/v1/requests', {
      token: broker.ciToken,
      body: {
        document: JSON.parse(
          broker.document({ action: 'ci.deploy', door: 'ci', resource: 'prod/1' }).canonical,
        ),
      },
    });
    expect(other.status).toBe(201);
    const redeemed = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: 'a'.repeat(32) },
    });
    expect(redeemed.status).toBe(200);
    const token = await broker.signIn();
    const { json } = await broker.call('GET', '/v1/requests?state=redeemed', { token });
    expect(json.requests.map((request: { id: string }) => request.id)).toContain(id);
  });
});
