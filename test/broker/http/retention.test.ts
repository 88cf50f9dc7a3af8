import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

/** Lets the broker do what is due until the log says that something was erased. */
async function erased(): Promise<string[]> {
  const token = await broker.signIn();
  for (;;) {
    broker.pass(1);
    await nextTurn();
    const { events } = (await broker.call('GET', '/v1/events?after=0', { token })).json;
    const told = events.filter(({ kind }: { kind: string }) => kind === 'history.erased');
    if (told.length > 0) return told.flatMap(({ body }: { body: string }) => JSON.parse(body).ids);
  }
}

async function askAndDeny(): Promise<{
  readonly id: string;
  readonly bound: ReturnType<typeof broker.document>;
}> {
  const bound = broker.document();
  const { id } = (await broker.submit(bound)).json;
  expect((await broker.decide(id, bound, { verdict: 'deny' })).json.state).toBe('denied');
  return { id, bound };
}

describe('retention', () => {
  test('erases a request everywhere, and its document gets its end as answer, so that a door asks anew', async () => {
    const { id, bound } = await askAndDeny();
    broker.retain = 30 * 86_400;
    await broker.restartAfter(31);
    expect(await erased()).toEqual([id]);
    const token = await broker.signIn();
    expect((await broker.call('GET', '/v1/requests', { token })).json.requests).toEqual([]);
    expect((await broker.call('GET', `/v1/requests/${id}`, { token })).status).toBe(404);
    const again = await broker.submit(bound);
    expect(again.json).toMatchObject({ code: 'denied', detail: expect.stringContaining('it was erased') });
    const text = await broker.call('POST', '/v1/requests', {
      body: broker.hostSubmit(bound),
      headers: { accept: 'text/plain' },
    });
    expect(text.text.split('\n')[0]).toBe('countersign/1 denied -');
  });

  test('leaves nothing of it in the picture that a console gets', async () => {
    const { id } = await askAndDeny();
    broker.retain = 30 * 86_400;
    await broker.restartAfter(31);
    const picture = async (): Promise<string> => {
      const socket = new WebSocket(`${broker.address.replace('http', 'ws')}/v1/stream`, {
        headers: { authorization: `Bearer ${await broker.signIn()}` },
      });
      const first = await new Promise<string>((resolve) =>
        socket.once('message', (data) => resolve(String(data))),
      );
      socket.terminate();
      return first;
    };
    expect(await picture()).toContain(id);
    await erased();
    while ((await picture()).includes(id)) await nextTurn();
  });

  test('is told in the status, with what is held', async () => {
    const hold = { name: 'case-7', filter: 'person:alice since:1d', reason: 'court' };
    expect(await broker.call('POST', '/v1/holds', { viaSocket: true, body: hold })).toMatchObject({
      status: 200,
    });
    broker.retain = 30 * 86_400;
    await broker.restart();
    const { retention } = (await broker.call('GET', '/v1/status', { viaSocket: true })).json;
    expect(retention).toEqual({ keep: 30 * 86_400, behind: 0, holds: ['case-7'] });
  });
});

describe('legal holds over HTTP', () => {
  test('are placed once under a name, listed with times that stay, and lifted', async () => {
    const body = { name: 'case-7', filter: 'person:alice since:1d', reason: 'court' };
    const call = (method: string, path: string, sent?: unknown) =>
      broker.call(method, path, { viaSocket: true, ...(sent === undefined ? {} : { body: sent }) });
    await call('POST', '/v1/holds', body);
    expect((await call('GET', '/v1/holds')).json.holds).toEqual([
      {
        name: 'case-7',
        filter: 'person:alice since:2026-01-30T12:00:00Z',
        reason: 'court',
        since: '2026-01-31T12:00:00Z',
      },
    ]);
    expect((await call('POST', '/v1/holds', body)).json.code).toBe('hold-exists');
    expect((await call('POST', '/v1/holds', { ...body, name: 'b', filter: 'who:alice' })).json.code).toBe(
      'usage',
    );
    expect((await call('POST', '/v1/holds', { ...body, name: 'b', reason: '' })).json.code).toBe(
      'malformed-request',
    );
    expect((await call('DELETE', '/v1/holds/case-7')).status).toBe(200);
    expect((await call('DELETE', '/v1/holds/case-7')).json.code).toBe('hold-unknown');
    expect((await call('GET', '/v1/holds')).json.holds).toEqual([]);
  });
});
