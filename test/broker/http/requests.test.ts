import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseTextReply } from '../../../src/protocol/text-reply.js';
import { newClaim, TestBroker } from '../test-broker.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

describe('submitting', () => {
  test('a signed submit makes a pending request and hands out a watch token', async () => {
    const bound = broker.document();
    const answer = await broker.submit(bound);
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      digest: bound.digest,
      receipts: [],
      status: { state: 'pending', waiting: 1 },
    });
    expect(answer.json.watch).toMatch(/^[\w-]{43}$/);
  });

  test('the same document of the same submitter joins the standing request', async () => {
    const bound = broker.document();
    const first = await broker.submit(bound);
    const second = await broker.submit(bound);
    expect(second.status).toBe(200);
    expect(second.json.id).toBe(first.json.id);
    expect(second.json.watch).not.toBe(first.json.watch);
    expect(second.json.status.waiting).toBe(2);
  });

  test('another submitter with the same document learns nothing of the first (A60)', async () => {
    const bound = broker.document({ action: 'ci.deploy', resource: 'prod/api', door: 'ci' });
    const first = await broker.submit(bound);
    const other = await broker.call('POST', '/v1/requests', {
      token: broker.ciToken,
      body: { document: JSON.parse(bound.canonical) },
    });
    expect(other.status).toBe(201);
    expect(other.json.id).not.toBe(first.json.id);
  });

  test('a submit statement is good once, also after a restart (A22)', async () => {
    const body = broker.hostSubmit(broker.document());
    expect((await broker.call('POST', '/v1/requests', { body })).status).toBe(201);
    expect((await broker.call('POST', '/v1/requests', { body })).json.code).toBe('replayed');
    await broker.restart();
    expect((await broker.call('POST', '/v1/requests', { body })).json.code).toBe('replayed');
  });

  test.each([
    ['a key that is no submitter', 'unknown-key', { key: 'stranger' as const }],
    ['an approver key', 'unknown-key', { key: 'bob' as const }],
  ])('%s cannot submit', async (_title, code, { key }) => {
    const body = broker.hostSubmit(broker.document(), { key: broker.keys[key] });
    expect((await broker.call('POST', '/v1/requests', { body })).json.code).toBe(code);
  });

  test('a submit statement that is more than a minute off names whose clock says what', async () => {
    const body = broker.hostSubmit(broker.document(), { issued: broker.now - 61_000 });
    const answer = await broker.call('POST', '/v1/requests', { body });
    expect(answer.json.code).toBe('clock-skew');
    expect(answer.json.detail).toContain('11:58:59Z by the signer');
    expect(answer.json.detail).toContain("broker's clock says 2026-01-31T12:00:00Z");
  });

  test('a statement for another document is refused (A22)', async () => {
    const body = {
      ...broker.hostSubmit(broker.document()),
      document: JSON.parse(broker.document().canonical),
    };
    expect((await broker.call('POST', '/v1/requests', { body })).json.code).toBe('statement-mismatch');
  });

  test.each([
    ['action', { action: 'ssh.login' }],
    ['resource', { resource: 'staging/api' }],
    ['door', { door: 'host:web-1' }],
    ['requester', { requester: 'carol' }],
  ])('a token submitter asks only within its limits: %s', async (field, change) => {
    const allowed = { action: 'ci.deploy', resource: 'prod/api', door: 'ci', requester: 'alice' };
    const bound = broker.document({ ...allowed, ...change });
    const answer = await broker.call('POST', '/v1/requests', {
      token: broker.ciToken,
      body: { document: JSON.parse(bound.canonical) },
    });
    expect(answer.json.code).toBe('submitter-limits');
    expect(answer.json.detail).toContain(field);
  });

  test('the local socket may ask for the demo only, and only over the socket (A48)', async () => {
    const demo = broker.document({ action: 'demo.hello', door: 'demo', requester: 'demo' });
    const body = { document: JSON.parse(demo.canonical) };
    expect((await broker.call('POST', '/v1/requests', { body, viaSocket: true })).status).toBe(201);
    expect((await broker.call('POST', '/v1/requests', { body })).json.code).toBe('unauthenticated');
    const real = { document: JSON.parse(broker.document().canonical) };
    expect((await broker.call('POST', '/v1/requests', { body: real, viaSocket: true })).json.code).toBe(
      'demo-only',
    );
  });

  test('who asks over the socket of a broker without a demo is told what to enrol', async () => {
    await broker.change('submitters', { change: 'remove', name: 'local' });
    const body = { document: JSON.parse(broker.document().canonical) };
    const { json } = await broker.call('POST', '/v1/requests', { body, viaSocket: true });
    expect([json.code, json.hint]).toEqual([
      'forbidden',
      expect.stringContaining('countersign submitter add'),
    ]);
  });
});

describe('deciding and redeeming', () => {
  test('an approval is redeemed by one claim, which always gets the same receipts', async () => {
    const bound = broker.document();
    const claim = newClaim();
    const { id, watch } = (await broker.submit(bound, claim)).json;
    expect((await broker.decide(id, bound)).json.state).toBe('approved');
    const redeem = () => broker.call('POST', `/v1/requests/${id}/redeem`, { token: watch, body: { claim } });
    const first = await redeem();
    expect(first.status).toBe(200);
    expect(first.json.receipts).toHaveLength(1);
    expect((await redeem()).json).toEqual(first.json);
    await broker.restart();
    expect((await redeem()).json.receipts).toEqual(first.json.receipts);
    const other = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: newClaim() },
    });
    expect([other.status, other.json.code]).toEqual([409, 'spent']);
  });

  test('an asker sees who voted, and no receipt before its claim has redeemed', async () => {
    const bound = broker.document();
    const claim = newClaim();
    const { id, watch } = (await broker.submit(bound)).json;
    await broker.decide(id, bound);
    const read = await broker.call('GET', `/v1/requests/${id}`, { token: watch });
    expect(read.json.status.votes).toMatchObject([{ approver: 'bob', receipt: '' }]);
    expect(read.text).not.toContain('BEGIN SSH SIGNATURE');
    const redeemed = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim },
    });
    expect(redeemed.json.status.votes[0].receipt).toBe(redeemed.json.receipts[0]);
  });

  test('a waiting redeem is answered when the approval is committed', async () => {
    const bound = broker.document();
    const claim = newClaim();
    const { id, watch } = (await broker.submit(bound)).json;
    const waiting = broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim },
      headers: { prefer: 'wait=60' },
    });
    await broker.decide(id, bound);
    expect((await waiting).json.receipts).toHaveLength(1);
  });

  test('a waiting redeem that nobody answers gets 202 when its wait ends', async () => {
    const { id, watch } = (await broker.submit()).json;
    const waiting = broker.open('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: newClaim() },
      headers: { prefer: 'wait=10' },
    });
    await untilWaiters(1);
    broker.pass(12);
    const answer = await waiting.answer;
    expect([answer.status, answer.json.status.state]).toEqual([202, 'pending']);
  });

  test('a closed connection changes nothing; a detach leaves the request for a minute, then it is cancelled', async () => {
    const { id, watch } = (await broker.submit()).json;
    const waiting = broker.open('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: newClaim() },
      headers: { prefer: 'wait=60' },
    });
    waiting.answer.catch(() => {});
    await untilWaiters(1);
    waiting.hangUp();
    await untilWaiters(0);
    const token = await broker.signIn();
    const state = async () => (await broker.call('GET', `/v1/requests/${id}`, { token })).json;
    expect(await state()).toMatchObject({ state: 'pending', waiting: 1 });
    await broker.call('DELETE', `/v1/requests/${id}`, { token: watch });
    expect(await state()).toMatchObject({ state: 'pending', waiting: 0 });
    broker.pass(61);
    expect(await state()).toMatchObject({ state: 'cancelled', endedBy: 'nobody was waiting any more' });
  });

  test('a joiner who hangs up does not end the ask of the other (A60)', async () => {
    const bound = broker.document();
    const { id, watch } = (await broker.submit(bound)).json;
    const joiner = (await broker.submit(bound)).json;
    await broker.call('DELETE', `/v1/requests/${id}`, { token: joiner.watch });
    await broker.call('DELETE', `/v1/requests/${id}`, { token: joiner.watch });
    broker.pass(61);
    expect((await broker.call('GET', `/v1/requests/${id}`, { token: watch })).json.status).toMatchObject({
      state: 'pending',
      waiting: 1,
    });
  });

  test('a deny ends the request for everybody', async () => {
    const bound = broker.document();
    const { id, watch } = (await broker.submit(bound)).json;
    await broker.decide(id, bound, { verdict: 'deny', comment: 'not now' });
    const answer = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: newClaim() },
    });
    expect([answer.status, answer.json.code, answer.json.detail]).toEqual([403, 'denied', 'denied by bob']);
    const again = await broker.submit(bound);
    expect([again.status, again.json.code, again.json.id]).toEqual([403, 'denied', id]);
  });

  test('nobody approves for himself: by name, by alias, by a second key, over the bare API (A8, A9)', async () => {
    for (const requester of ['bob', 'bob-admin']) {
      const bound = broker.document({ requester });
      const { id } = (await broker.submit(bound)).json;
      expect((await broker.decide(id, bound)).json.code).toBe('self-approval');
      expect((await broker.decide(id, bound, {}, broker.keys.bobToo)).json.code).toBe('self-approval');
      expect((await broker.decide(id, bound, { approver: 'bob-admin' as never })).json.code).toBe(
        'wrong-principal',
      );
      expect(
        (await broker.decide(id, bound, { approver: 'carol' as never }, broker.keys.carol)).json.state,
      ).toBe('approved');
    }
  });

  test('a request that nobody answers expires, an approval that nobody uses lapses', async () => {
    const forgotten = (await broker.submit()).json;
    const bound = broker.document();
    const unused = (await broker.submit(bound)).json;
    await broker.decide(unused.id, bound);
    broker.pass(301);
    const late = await broker.decide(forgotten.id, broker.document());
    expect(late.json.code).not.toBe(undefined);
    const redeem = (asked: { id: string; watch: string }) =>
      broker.call('POST', `/v1/requests/${asked.id}/redeem`, {
        token: asked.watch,
        body: { claim: newClaim() },
      });
    expect((await redeem(forgotten)).json.code).toBe('expired');
    broker.pass(300);
    expect((await redeem(unused)).json.code).toBe('lapsed');
  });

  test('a revoked approval is not redeemed', async () => {
    const bound = broker.document();
    const { id, watch } = (await broker.submit(bound)).json;
    const revoke = (statement: string) =>
      broker.call('POST', `/v1/requests/${id}/revocations`, { body: { statement } });
    expect((await revoke(broker.revocation(bound))).json.code).toBe('nothing-to-revoke');
    await broker.decide(id, bound);
    expect((await revoke(broker.revocation(bound, broker.keys.stranger))).json.code).toBe('unknown-key');
    expect((await revoke(broker.revocation(bound))).json.state).toBe('revoked');
    const answer = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: newClaim() },
    });
    expect(answer.json.code).toBe('revoked');
  });

  test('a door that watches what it opened is told at once that it was revoked (A27)', async () => {
    const bound = broker.document();
    const { id, watch: token } = (await broker.submit(bound)).json;
    const path = `/v1/requests/${id}/standing`;
    const shell = { token, headers: { accept: 'text/plain', prefer: 'wait=60' } };
    expect((await broker.call('GET', path, { token })).json.code).toBe('not-redeemed');
    await broker.decide(id, bound);
    const body = { claim: newClaim() };
    await broker.call('POST', `/v1/requests/${id}/redeem`, { token, body });
    expect((await broker.call('GET', path, { token })).json).toEqual({
      id,
      state: 'redeemed',
      because: null,
    });
    const still = await broker.call('GET', path, { token, headers: { accept: 'text/plain' } });
    expect(still.text.split('\n')[0]).toBe(`countersign/1 redeemed ${id}`);
    const revoke = () =>
      broker.call('POST', `/v1/requests/${id}/revocations`, {
        body: { statement: broker.revocation(bound) },
      });
    expect((await revoke()).json.code).toBe('nothing-to-revoke');
    const told = broker.call('GET', path, shell);
    const session = await broker.signIn();
    const watchedAt = async () =>
      (await broker.call('GET', `/v1/requests/${id}`, { token: session })).json.watchedAt;
    await expect.poll(watchedAt).toEqual(expect.any(String));
    expect((await revoke()).json.state).toBe('revoked');
    expect((await told).text).toMatch(/^countersign\/1 revoked .*\n(.*\n){4}hint: revoked by bob\n\n$/);
  });

  test('only the door that redeemed reports, once', async () => {
    const bound = broker.document();
    const claim = newClaim();
    const { id, watch } = (await broker.submit(bound)).json;
    const report = (body: object) =>
      broker.call('POST', `/v1/requests/${id}/reports`, { token: watch, body });
    expect((await report({ claim, outcome: 'opened' })).json.code).toBe('not-redeemed');
    await broker.decide(id, bound);
    await broker.call('POST', `/v1/requests/${id}/redeem`, { token: watch, body: { claim } });
    expect((await report({ claim: newClaim(), outcome: 'opened' })).json.code).toBe('not-redeemed');
    expect((await report({ claim, outcome: 'opened' })).json.status.report).toMatchObject({
      outcome: 'opened',
    });
    expect((await report({ claim, outcome: 'opened' })).status).toBe(200);
    expect((await report({ claim, outcome: 'refused', code: 'quorum' })).json.code).toBe('already-reported');
  });

  test('an approver removed between vote and use counts no more (A15)', async () => {
    const bound = broker.document();
    const { id, watch } = (await broker.submit(bound)).json;
    await broker.decide(id, bound);
    const removed = await broker.change('roster', { change: 'remove', name: 'bob' });
    expect(removed.status).toBe(200);
    const answer = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: newClaim() },
    });
    expect([answer.json.code, answer.json.detail]).toEqual(['revoked', 'bob may no longer approve this']);
  });

  test('who waits hears at once that the approver of another ask was removed (A15)', async () => {
    const bound = broker.document();
    const { id } = (await broker.submit(bound)).json;
    await broker.decide(id, bound);
    const token = await broker.signIn(broker.keys.carol, 'carol');
    const read = () => broker.call('GET', `/v1/requests/${id}`, { token });
    await broker.change('roster', { change: 'remove', name: 'bob' });
    await expect.poll(async () => (await read()).json.endedBy).toBe('bob may no longer approve this');
  });

  test('2,000 decisions at once make one transition (A25)', { timeout: 120_000 }, async () => {
    await broker.stop();
    broker = await TestBroker.start({ addressCallsPerSecond: 1e6, addressCallsBurst: 1e6 });
    const bound = broker.document();
    const { id } = (await broker.submit(bound)).json;
    const token = await broker.signIn();
    const { policy } = (await broker.call('GET', `/v1/requests/${id}`, { token })).json;
    const receipts = [
      broker.decision(bound, policy),
      broker.decision(bound, policy, {}, broker.keys.bobToo),
      broker.decision(bound, policy, { approver: 'carol' as never }, broker.keys.carol),
      broker.decision(bound, policy, { approver: 'carol' as never, verdict: 'deny' }, broker.keys.carol),
    ];
    const answers = [];
    for (let round = 0; round < 20; round += 1) {
      const batch = Array.from({ length: 100 }, (_, index) =>
        broker.call('POST', `/v1/requests/${id}/decisions`, {
          body: { receipt: receipts[(round + index) % 4] },
        }),
      );
      answers.push(...(await Promise.all(batch)));
    }
    const { events } = (await broker.call('GET', '/v1/events', { token })).json;
    const kinds = events.map(({ kind }: { kind: string }) => kind);
    expect(kinds.filter((kind: string) => /approved|denied/.test(kind))).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
  });
});

describe('what a shell reads', () => {
  test('a text reply carries state, watch token and receipts', async () => {
    const bound = broker.document();
    const claim = newClaim();
    const headers = { accept: 'text/plain' };
    const asked = await broker.call('POST', '/v1/requests', { body: broker.hostSubmit(bound), headers });
    const reply = parseTextReply(asked.text);
    expect(reply).toMatchObject({ state: 'pending', code: 'unattended', receipts: [] });
    await broker.decide(reply.id ?? '', bound);
    const token = reply.watch ?? '';
    const redeemed = await broker.call('POST', `/v1/requests/${reply.id}/redeem`, {
      token,
      body: { claim },
      headers,
    });
    const approved = parseTextReply(redeemed.text);
    expect(approved.state).toBe('approved');
    expect(approved.receipts[0]?.decision.approver).toBe('bob');
  });

  test.each([
    ['no token', {}, 'unauthenticated'],
    ['an unknown token', { token: 'A'.repeat(43) }, 'unauthenticated'],
    ['a malformed token', { token: 'short' }, 'unauthenticated'],
  ])('an error is a text reply too: %s', async (_title, call, code) => {
    const { id } = (await broker.submit()).json;
    const answer = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      ...call,
      body: { claim: newClaim() },
      headers: { accept: 'text/plain' },
    });
    expect(answer.status).toBe(401);
    expect(parseTextReply(answer.text)).toMatchObject({ state: 'error', id, code });
  });
});

async function untilWaiters(count: number): Promise<void> {
  for (;;) {
    const { json } = await broker.call('GET', '/v1/status', { viaSocket: true });
    if (json.waiters === count) return;
  }
}
