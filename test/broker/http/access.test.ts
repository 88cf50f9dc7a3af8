import { createConnection } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Limits } from '../../../broker/options.js';
import { newClaim, TestBroker } from '../test-broker.js';

let broker: TestBroker;
const start = async (limits: Partial<Limits> = {}): Promise<void> => {
  broker = await TestBroker.start(limits);
};
beforeEach(() => start());
afterEach(() => broker.stop());

describe('every credential on every route (A18)', () => {
  const FOLLOW = `/v1/roster/signed?from=sha256:${'0'.repeat(64)}`;
  /** The statement is the credential of two; who asks the other must know a signers file already. */
  const open = [`GET ${FOLLOW}`, 'POST /v1/roster/statements', 'POST /v1/requests/ID/canary'];
  const routes: readonly (readonly [string, string, unknown?])[] = [
    ['GET', FOLLOW],
    ['POST', '/v1/roster/statements', { statement: 'x' }],
    ['POST', '/v1/requests/ID/canary', { statement: 'x' }],
    ['GET', '/v1/requests'],
    ['GET', '/v1/requests/ID'],
    ['GET', '/v1/requests/ID/background'],
    ['GET', '/v1/requests/ID/explanation'],
    ['POST', '/v1/requests/ID/comments', { text: 'x' }],
    ['POST', '/v1/requests/ID/escalations', {}],
    ['GET', '/v1/grants'],
    ['GET', '/v1/statistics'],
    ['GET', '/v1/canaries'],
    ['POST', '/v1/requests/ID/redeem', { claim: '0'.repeat(32) }],
    ['POST', '/v1/requests/ID/reports', { claim: '0'.repeat(32), outcome: 'opened' }],
    ['GET', '/v1/requests/ID/standing'],
    ['DELETE', '/v1/requests/ID'],
    ['GET', '/v1/events'],
    ['GET', '/v1/heads'],
    ['GET', '/v1/outbox'],
    ['POST', '/v1/outbox/retries', { sink: 'webhook:none', all: true }],
    ['POST', '/v1/outbox/drops', { sink: 'webhook:none', all: true }],
    ['GET', '/v1/locks'],
    ['GET', '/v1/holds'],
    ['POST', '/v1/holds', { name: 'x', filter: 'id:x', reason: 'x' }],
    ['DELETE', '/v1/holds/x'],
    ['POST', '/v1/restoration/acknowledgements'],
    ['GET', '/v1/status'],
    ['GET', '/v1/policy'],
    ['GET', '/v1/roster'],
    ['GET', '/v1/roster/proposal'],
    ['POST', '/v1/roster/changes', { change: 'remove', name: 'carol' }],
    ['GET', '/v1/submitters'],
    ['POST', '/v1/submitters/changes', { change: 'remove', name: 'ci' }],
  ];
  const allowed: Record<string, readonly string[]> = {
    anonymous: [],
    'OIDC token': [],
    'submitter token': [],
    'watch token of another request': [],
    'watch token': [
      'GET /v1/requests/ID',
      'POST /v1/requests/ID/redeem',
      'POST /v1/requests/ID/reports',
      'GET /v1/requests/ID/standing',
      'DELETE /v1/requests/ID',
    ],
    session: [
      'GET /v1/requests',
      'GET /v1/requests/ID',
      'GET /v1/requests/ID/background',
      'GET /v1/requests/ID/explanation',
      'POST /v1/requests/ID/comments',
      'POST /v1/requests/ID/escalations',
      'GET /v1/grants',
      'GET /v1/statistics',
      'GET /v1/canaries',
      'GET /v1/events',
      'GET /v1/heads',
      'GET /v1/outbox',
      'POST /v1/outbox/retries',
      'POST /v1/outbox/drops',
      'GET /v1/locks',
      'GET /v1/holds',
      'POST /v1/restoration/acknowledgements',
      'GET /v1/status',
      'GET /v1/policy',
      'GET /v1/roster',
      'GET /v1/roster/proposal',
      'POST /v1/roster/changes',
      'GET /v1/submitters',
      'POST /v1/submitters/changes',
    ],
    socket: [
      'GET /v1/outbox',
      'POST /v1/outbox/retries',
      'POST /v1/outbox/drops',
      'GET /v1/locks',
      'GET /v1/holds',
      'POST /v1/holds',
      'DELETE /v1/holds/x',
      'GET /v1/status',
      'GET /v1/policy',
      'GET /v1/roster',
      'GET /v1/roster/proposal',
      'POST /v1/roster/changes',
      'GET /v1/submitters',
      'POST /v1/submitters/changes',
    ],
  };

  test.each(Object.keys(allowed))('%s', async (credential) => {
    const { id, watch } = (await broker.submit()).json;
    const other = (await broker.submit()).json;
    const tokens: Record<string, string | undefined> = {
      'OIDC token': 'e30.e30.AA',
      'submitter token': broker.ciToken,
      'watch token': watch,
      'watch token of another request': other.watch,
      session: await broker.signIn(),
    };
    const reached: string[] = [];
    for (const [method, path, body] of routes) {
      const answer = await broker.call(method, path.replace('ID', id), {
        body,
        token: tokens[credential],
        viaSocket: credential === 'socket',
      });
      if (answer.status !== 401 && answer.json?.code !== 'forbidden') reached.push(`${method} ${path}`);
    }
    expect(reached).toEqual([...open, ...(allowed[credential] ?? [])]);
  });

  test('the stream is for sessions alone', async () => {
    const { watch } = (await broker.submit()).json;
    const status = (token: string | undefined) =>
      new Promise<number>((resolve) => {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
        const socket = new WebSocket(`${broker.address.replace('http', 'ws')}/v1/stream`, { headers });
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
        socket.on('open', () => {
          socket.close();
          resolve(101);
        });
        socket.on('error', () => {});
      });
    expect(await status(undefined)).toBe(401);
    expect(await status('e30.e30.AA')).toBe(401);
    expect(await status(broker.ciToken)).toBe(403);
    expect(await status(watch)).toBe(403);
    expect(await status(await broker.signIn())).toBe(101);
  });
});

describe('sessions', () => {
  test('a challenge is good once and for its key only', async () => {
    const challenge = (
      await broker.call('POST', '/v1/sessions/challenge', { body: { key: broker.keys.bob.line } })
    ).json;
    expect(challenge).toMatchObject({ approver: 'bob', broker: broker.fingerprint });
    const stranger = await broker.call('POST', '/v1/sessions/challenge', {
      body: { key: broker.keys.stranger.line },
    });
    expect(stranger.json.code).toBe('unknown-key');
  });

  test('a session ends after its time, survives a restart, and ends with its key', async () => {
    const token = await broker.signIn();
    const status = async (): Promise<number> => (await broker.call('GET', '/v1/requests', { token })).status;
    await broker.restart();
    expect(await status()).toBe(200);
    const { fingerprint } = await import('../../../src/ssh/public-key.js').then(({ parsePublicKeyLine }) =>
      parsePublicKeyLine(broker.keys.bob.line),
    );
    const removed = await broker.change('roster', { change: 'remove-key', name: 'bob', fingerprint });
    expect(removed.status).toBe(200);
    expect(await status()).toBe(401);
    const carol = await broker.signIn(broker.keys.carol, 'carol');
    broker.pass(3601);
    expect((await broker.call('GET', '/v1/requests', { token: carol })).status).toBe(401);
  });
});

describe('limits', () => {
  test('a body over the limit, a wrong type, a browser and an unknown address get their own answers (A30)', async () => {
    const code = async (answer: ReturnType<TestBroker['call']>) => (await answer).json.code;
    expect(await code(broker.call('POST', '/v1/requests', { body: `"${'x'.repeat(170_000)}"` }))).toBe(
      'body-too-large',
    );
    expect(
      await code(broker.call('POST', '/v1/requests', { body: 'x', headers: { 'content-type': 'text/xml' } })),
    ).toBe('unsupported-media-type');
    expect(await code(broker.call('POST', '/v1/requests', { body: '{"a":1,"a":2}' }))).toBe('malformed-json');
    expect(await code(broker.call('POST', '/v1/requests', { body: '{"document":1,"extra":2}' }))).toBe(
      'malformed-request',
    );
    expect(
      await code(broker.call('GET', '/v1/broker', { headers: { origin: 'https://evil.example' } })),
    ).toBe('origin-refused');
    expect(await code(broker.call('GET', '/v2/nothing'))).toBe('not-found');
    expect(await code(broker.call('GET', '/v1/requests/nonsense', { token: await broker.signIn() }))).toBe(
      'not-found',
    );
  });

  test('headers over the limit are refused before they are read', async () => {
    const { hostname, port } = new URL(broker.address);
    const reply = await new Promise<string>((resolve) => {
      const socket = createConnection(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', () => {});
      socket.write(`GET /v1/broker HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(20_000)}\r\n\r\n`);
    });
    expect(reply).toContain('431');
  });

  test('pending requests per submitter are bounded, and a freed place can be used again (A32)', async () => {
    await broker.stop();
    await start({ pendingPerSubmitter: 2 });
    const first = broker.document();
    const { watch, id } = (await broker.submit(first)).json;
    await broker.submit();
    expect((await broker.submit()).json.code).toBe('too-many-pending');
    const joiner = await broker.submit(first);
    expect(joiner.status).toBe(200);
    for (const token of [watch, joiner.json.watch])
      await broker.call('DELETE', `/v1/requests/${id}`, { token });
    broker.pass(61);
    const read = await broker.call('GET', `/v1/requests/${id}`, { token: watch });
    expect(read.json.status.state).toBe('cancelled');
    expect((await broker.submit()).status).toBe(201);
  });

  test('pending requests per resource are bounded for all submitters together', async () => {
    await broker.stop();
    await start({ pendingPerResource: 1 });
    await broker.submit();
    expect((await broker.submit()).json.code).toBe('too-many-pending');
    expect((await broker.submit(broker.document({ resource: 'web-2' }))).status).toBe(201);
    await broker.restart();
    expect((await broker.submit()).json.code).toBe('too-many-pending');
  });

  test('one submitter over its rate is told to slow down; others are not harmed', async () => {
    await broker.stop();
    await start({ callsPerSecond: 1, callsBurst: 2 });
    await broker.submit();
    await broker.submit();
    const third = await broker.submit();
    expect([third.status, third.json.code, third.headers['retry-after']]).toEqual([429, 'rate-limited', '1']);
    const ci = broker.document({ action: 'ci.deploy', resource: 'prod/api', door: 'ci' });
    const body = { document: JSON.parse(ci.canonical) };
    expect((await broker.call('POST', '/v1/requests', { token: broker.ciToken, body })).status).toBe(201);
    broker.pass(2);
    expect((await broker.submit()).status).toBe(201);
  });
});

describe('what is removed loses its connections', () => {
  test('a removed submitter is sent away while it waits', async () => {
    const { id, watch } = (await broker.submit()).json;
    const waiting = broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim: newClaim() },
      headers: { prefer: 'wait=60' },
    });
    for (;;) if ((await broker.call('GET', '/v1/status', { viaSocket: true })).json.waiters === 1) break;
    await broker.change('submitters', { change: 'remove', name: 'host:web-1' });
    expect((await waiting).json.code).toBe('unauthenticated');
    expect((await broker.submit()).json.code).toBe('unknown-key');
  });
});

test('a broker without an enrolled approver does not start (A47)', async () => {
  for (const name of ['bob', 'carol', 'alice']) {
    await broker.change('roster', { change: 'remove', name });
  }
  await expect(broker.restart()).rejects.toMatchObject({ code: 'no-approver' });
  broker = await TestBroker.start();
});

test('health and metrics are for this machine', async () => {
  expect((await broker.call('GET', '/healthz')).json).toEqual({ status: 'ok' });
  await broker.submit();
  const metrics = await broker.call('GET', '/metrics', { viaSocket: true });
  expect(metrics.text).toContain('countersign_pending 1');
  expect(metrics.text).toContain('countersign_events_total{kind="request.submitted"} 1');
});
