import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lifeOf } from '../../../broker/audit/life.js';
import { eventsReply } from '../../../src/protocol/event-log.js';
import { Console } from '../stream/console.js';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
let token: string;
beforeEach(async () => {
  broker = await TestBroker.start();
  token = await broker.signIn();
});
afterEach(() => broker.stop());

const say = (id: string, text: unknown, as = token) =>
  broker.call('POST', `/v1/requests/${id}/comments`, { token: as, body: { text } });
const escalate = (id: string, as = token) =>
  broker.call('POST', `/v1/requests/${id}/escalations`, { token: as, body: {} });
const read = async (id: string) => (await broker.call('GET', `/v1/requests/${id}`, { token })).json;
const asked = async (bound = broker.document()) => ({ bound, ...(await broker.submit(bound)).json });
const events = async () => eventsReply.parse((await broker.call('GET', '/v1/events', { token })).json).events;

describe('comments and escalations over HTTP', () => {
  test('every approver reads them, in the request, in lists and after a restart', async () => {
    const { id } = await asked();
    const said = await say(id, 'calling her');
    expect(said.json).toMatchObject({ state: 'pending', comments: [{ by: 'bob', text: 'calling her' }] });
    expect((await escalate(id)).json.escalated).toEqual({ by: 'bob', at: '2026-01-31T12:00:00Z' });
    await broker.restart();
    const expected = {
      comments: [{ by: 'bob', at: '2026-01-31T12:00:00Z', text: 'calling her' }],
      escalated: { by: 'bob' },
    };
    expect(await read(id)).toMatchObject(expected);
    const { requests } = (await broker.call('GET', '/v1/requests', { token })).json;
    expect(requests).toMatchObject([expected]);
  });

  test('who asks, and whoever has a receipt, is told nothing of them', async () => {
    const { id, watch, bound } = await asked();
    await say(id, 'I do not believe a word');
    await escalate(id);
    const whole = await broker.call('GET', `/v1/requests/${id}`, { token: watch });
    expect(whole.json.status.state).toBe('pending');
    expect(whole.text).not.toMatch(/believe|escalated|comments/);
    const decided = await broker.decide(id, bound, { verdict: 'deny' });
    expect(decided.json.state).toBe('denied');
    expect(decided.text).not.toMatch(/believe|escalated|comments/);
  });

  test.each([
    ['nothing', ''],
    ['a space', ' '],
    ['1,025 bytes', 'x'.repeat(1025)],
    ['a number', 7],
    ['null', null],
  ])('no comment is %s', async (_what, text) => {
    const { id } = await asked();
    expect(await say(id, text)).toMatchObject({ status: 400, json: { code: 'malformed-request' } });
    expect(await read(id)).not.toHaveProperty('comments');
  });

  test('consoles hear of both as changes of the request', async () => {
    const { id } = await asked();
    const console = await Console.open(broker);
    await say(id, 'calling her');
    expect(await console.next('changed')).toMatchObject({
      kind: 'request.commented',
      id,
      status: { state: 'pending', comments: [{ by: 'bob', text: 'calling her' }] },
    });
    await escalate(id);
    expect(await console.next('changed')).toMatchObject({
      kind: 'request.escalated',
      status: { comments: [{ by: 'bob' }], escalated: { by: 'bob' } },
    });
    console.close();
  });

  test('a second escalation within a minute is told when to come back (A31)', async () => {
    const { id } = await asked();
    await escalate(id);
    const carol = await broker.signIn(broker.keys.carol, 'carol');
    const again = await escalate(id, carol);
    expect(again).toMatchObject({ status: 429, json: { code: 'escalated-lately' } });
    expect(again.headers['retry-after']).toBe('60');
    broker.pass(60);
    expect((await escalate(id, carol)).json.escalated.by).toBe('carol');
  });

  test('who asked has nobody rung (A31)', async () => {
    const alice = await broker.signIn(broker.keys.alice, 'alice');
    const { id } = await asked();
    expect(await escalate(id, alice)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    expect((await say(id, 'it is really me', alice)).json.comments).toMatchObject([{ by: 'alice' }]);
  });

  test('what is said of an unknown request is said to nobody', async () => {
    expect((await say('01KG8J0PX0ABCDEF0000000001', 'x')).json.code).toBe('not-found');
    expect((await say('x', 'x')).json.code).toBe('not-found');
    expect((await escalate('x')).json.code).toBe('not-found');
  });
});

describe('comments and escalations in the log', () => {
  test('are told in words, under nobody’s signature', async () => {
    const { id } = await asked();
    await say(id, 'calling her');
    await escalate(id);
    const entries = await events();
    const words = lifeOf(entries.filter(({ request }) => request === id));
    expect(words.slice(1)).toMatchObject([
      { kind: 'commented', words: 'bob says to the other approvers: calling her', signed: null },
      { kind: 'escalated', words: 'bob has everybody rung who could sign', signed: null },
    ]);
  });

  test('are gone with the request that they are about, from the whole database', async () => {
    const { id, bound } = await asked();
    const secret = 'she-is-in-hospital';
    await say(id, secret);
    await broker.decide(id, bound, { verdict: 'deny' });
    broker.retain = 30 * 86_400;
    await broker.restartAfter(31);
    token = await broker.signIn();
    while (!(await events()).some(({ kind }) => kind === 'history.erased')) {
      broker.pass(1);
      await nextTurn();
    }
    expect((await events()).filter(({ request }) => request === id).map(({ body }) => body)).toEqual([
      null,
      null,
      null,
    ]);
    expect((await broker.call('GET', `/v1/requests/${id}`, { token })).status).toBe(404);
    const holding = (): string[] =>
      readdirSync(broker.directory).filter((file) => {
        const path = join(broker.directory, file);
        return /\.db(?:-wal)?$/.test(file) && readFileSync(path).includes(secret);
      });
    while (holding().length > 0) {
      broker.pass(1);
      await nextTurn();
    }
  });
});
