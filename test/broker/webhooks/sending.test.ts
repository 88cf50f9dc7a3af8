import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { canonicalJson, sha256Digest } from '../../../src/protocol/canonical.js';
import { TestBroker } from '../test-broker.js';
import { type Authority, makeAuthority, type Received, status, TestReceiver } from './receiver.js';

const SECRET = Buffer.alloc(32, 1);
let authority: Authority;
let receiver: TestReceiver;
let broker: TestBroker;
let token = '';

const write = (name: string, text: string): string => {
  writeFileSync(join(broker.directory, name), text, { mode: 0o600 });
  return join(broker.directory, name);
};
const configure = (...lines: readonly string[]): string =>
  write(
    'webhooks.yaml',
    [
      'version: 1',
      'webhooks:',
      ...lines.map(
        (line) =>
          `  - { url: "https://localhost:${receiver.port}/", secret-file: ${join(broker.directory, 'secret')}, ca-file: ${join(broker.directory, 'receiver.pem')}, ${line} }`,
      ),
      '',
    ].join('\n'),
  );
const outbox = async () => (await broker.call('GET', '/v1/outbox', { token })).json;
const kinds = (): readonly string[] => receiver.received.map(({ body }) => JSON.parse(body).type);

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTurn();
}

beforeAll(async () => {
  [authority, broker] = await Promise.all([makeAuthority(), TestBroker.start()]);
  receiver = await TestReceiver.start(authority);
  write('secret', `whsec_${SECRET.toString('base64')}`);
  write('receiver.pem', authority.ca);
  broker.webhooksFile = configure('name: siem, events: [request.*]');
  await broker.restart();
  token = await broker.signIn();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = status(204);
});
afterAll(async () => {
  await broker.stop();
  await receiver.stop();
});

describe('a webhook', () => {
  test('is sent every event of a request, signed, in order, with what approvers sign', async () => {
    const bound = broker.document();
    const { id } = (await broker.submit(bound)).json;
    await broker.decide(id, bound, { verdict: 'deny' });
    await until(() => kinds().includes('request.denied'));
    expect(kinds()).toEqual(['request.submitted', 'request.denied']);
    const { events } = (await broker.call('GET', '/v1/events', { token })).json;
    const { epoch } = (await broker.call('GET', '/v1/status', { token })).json;
    for (const { body, headers } of receiver.received) {
      const { data, timestamp } = JSON.parse(body);
      const entry = events.find(({ seq }: { seq: number }) => seq === data.seq);
      expect(canonicalJson(data.event)).toBe(entry.body);
      expect(sha256Digest(canonicalJson(data.document))).toBe(bound.digest);
      expect(data).toMatchObject({ epoch, request: id, broker: broker.fingerprint });
      expect(timestamp).toBe('2026-01-31T12:00:00Z');
      expect(headers['webhook-id']).toBe(`${epoch}-${data.seq}`);
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      expect(headers['webhook-signature']).toBe(
        `v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`,
      );
    }
  });

  test('A29: that was down is sent the same again, by its id, with the time of that try', async () => {
    receiver.answer = status(500);
    await broker.submit();
    await until(() => receiver.received.length === 1);
    await until(async () => (await outbox()).sinks.some(({ failing }: { failing: string }) => failing));
    receiver.answer = status(204);
    broker.pass(60);
    await until(() => receiver.received.length === 2);
    const [first, second] = receiver.received as [Received, Received];
    expect(second.body).toBe(first.body);
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    const late = Number(second.headers['webhook-timestamp']) - Number(first.headers['webhook-timestamp']);
    expect(late).toBe(60);
    expect(second.headers['webhook-signature']).not.toBe(first.headers['webhook-signature']);
  });

  test('that answers that it is gone gets a dead letter, with no secret in what is said of it', async () => {
    receiver.answer = status(410);
    await broker.submit();
    await until(async () => (await outbox()).letters.length === 1);
    const { letters, sinks } = await outbox();
    expect(letters).toMatchObject([
      { sink: 'webhook:siem', error: 'it answers with HTTP 410', kind: 'request.submitted' },
    ]);
    expect(sinks).toMatchObject([{ sink: 'webhook:siem', dead: 1, configured: true }]);
    expect(JSON.stringify(sinks) + JSON.stringify(letters)).not.toMatch(/localhost|AQEB|whsec/);
  });

  test('is called at once to try it out, by the owner of the broker alone', async () => {
    const ping = (call: object, name = 'siem') => broker.call('POST', `/v1/webhooks/${name}/tests`, call);
    expect((await ping({ viaSocket: true })).json).toEqual({ status: 204, why: null });
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      type: 'ping',
      data: { broker: broker.fingerprint },
    });
    expect(receiver.received[0]?.headers['webhook-id']).toMatch(/^ping-[0-9a-f]{32}$/);
    expect((await ping({ viaSocket: true }, 'nobody')).status).toBe(404);
    expect((await ping({ token })).status).toBe(403);
    expect((await ping({})).status).toBe(401);
  });

  test('comes and goes with its file, and a new one begins with what happens from then on', async () => {
    configure('name: siem, events: [requester.*]', 'name: chat, events: [request.submitted]');
    await broker.running.reload();
    await broker.submit();
    await until(() => kinds().length > 0);
    expect(kinds()).toEqual(['request.submitted']);
    expect((await outbox()).sinks.map(({ sink }: { sink: string }) => sink)).toEqual([
      'webhook:chat',
      'webhook:siem',
    ]);
    configure('name: siem');
    await broker.running.reload();
    expect((await outbox()).sinks).toMatchObject([
      { sink: 'webhook:chat', configured: false },
      { sink: 'webhook:siem', configured: true },
    ]);
  });
});
