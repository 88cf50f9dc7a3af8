import { createConnection } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Limits } from '../../../broker/options.js';
import { TestBroker } from '../test-broker.js';
import { Console } from './console.js';

let broker: TestBroker;
const start = async (limits: Partial<Limits> = {}): Promise<void> => {
  broker = await TestBroker.start(limits);
};
beforeEach(() => start());
afterEach(() => broker.stop());

test('a console gets a snapshot, then every event once and in order', async () => {
  const standing = (await broker.submit()).json;
  const console = await Console.open(broker);
  const snapshot = await console.next('snapshot');
  expect(snapshot.requests.map(({ id }) => id)).toEqual([standing.id]);
  const bound = broker.document();
  const { id } = (await broker.submit(bound)).json;
  await broker.decide(id, bound);
  expect(await console.next('submitted')).toMatchObject({
    seq: snapshot.seq + 1,
    request: { id, state: 'pending' },
  });
  expect(await console.next('changed')).toMatchObject({ seq: snapshot.seq + 2, kind: 'request.voted' });
  expect(await console.next('changed')).toMatchObject({
    seq: snapshot.seq + 3,
    kind: 'request.approved',
    status: { state: 'approved', votes: [{ approver: 'bob' }] },
  });
});

test('a console that comes back gets exactly what it missed, and a snapshot where that is gone', async () => {
  await broker.stop();
  await start({ resumeEvents: 4 });
  const first = await Console.open(broker);
  const { epoch, seq } = await first.next('snapshot');
  first.close();
  await broker.submit();
  await broker.submit();
  const back = await Console.open(broker, `?epoch=${epoch}&after=${seq}`);
  expect(await back.next('resumed')).toMatchObject({ seq });
  expect((await back.next('submitted')).seq).toBe(seq + 1);
  expect((await back.next('submitted')).seq).toBe(seq + 2);
  for (let more = 0; more < 8; more += 1) await broker.submit();
  const late = await Console.open(broker, `?epoch=${epoch}&after=${seq}`);
  expect((await late.next('snapshot')).requests).toHaveLength(10);
  const stranger = await Console.open(broker, `?epoch=other&after=${seq}`);
  expect((await stranger.next('snapshot')).seq).toBe(seq + 10);
});

test('askers who come and go are shown, and a heartbeat carries the clock', async () => {
  const bound = broker.document();
  const { id, watch } = (await broker.submit(bound)).json;
  const console = await Console.open(broker);
  await console.next('snapshot');
  await broker.submit(bound);
  expect(await console.next('waiting')).toEqual({ type: 'waiting', id, waiting: 2 });
  await broker.call('DELETE', `/v1/requests/${id}`, { token: watch });
  expect(await console.next('waiting')).toEqual({ type: 'waiting', id, waiting: 1 });
  broker.pass(1);
  expect(await console.next('heartbeat')).toMatchObject({ clock: broker.now });
});

test('removing the key closes its console (A27)', async () => {
  const console = await Console.open(broker);
  await console.next('snapshot');
  await broker.change('roster', { change: 'remove', name: 'bob' });
  expect(await console.closed).toBe(4403);
});

test('a session that ends closes its console', async () => {
  const console = await Console.open(broker);
  await console.next('snapshot');
  broker.pass(3601);
  expect(await console.closed).toBe(4401);
});

test('a console that says anything but what it reads is closed', async () => {
  const console = await Console.open(broker);
  console.send('approve everything');
  expect(await console.closed).toBe(1008);
});

test('a browser cannot open the stream (A30)', async () => {
  await expect(Console.open(broker, '', { origin: 'https://evil.example' })).rejects.toThrow('403');
});

test('a console that does not read is dropped and nobody waits for it (A32)', async () => {
  await broker.stop();
  await start({
    backlogBytes: 64 * 1024,
    pendingPerResource: 1e6,
    pendingPerRequester: 1e6,
    pendingPerSubmitter: 1e6,
    callsBurst: 1e6,
  });
  const token = await broker.signIn();
  const { hostname, port } = new URL(broker.address);
  const deaf = createConnection(Number(port), hostname);
  deaf.on('error', () => {});
  await new Promise<void>((resolve) => deaf.once('connect', resolve));
  deaf.write(
    `GET /v1/stream HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  await new Promise<void>((resolve) => deaf.once('data', () => resolve()));
  deaf.pause();
  const consoles = async () => (await broker.call('GET', '/v1/status', { viaSocket: true })).json.consoles;
  expect(await consoles()).toBe(1);
  const context = { reason: 'x'.repeat(15_000), more: 'y'.repeat(15_000) };
  let sent = 0;
  while ((await consoles()) === 1 && sent < 2000) {
    await broker.submit(broker.document({ context }));
    sent += 1;
  }
  expect(await consoles()).toBe(0);
  deaf.destroy();
});

test('a broker that stops tells its consoles to come back', async () => {
  const console = await Console.open(broker);
  await console.next('snapshot');
  await broker.running.stop();
  expect(await console.closed).toBe(1012);
});
