import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OutgoingMessage, Sender, Sent } from '../../../broker/outbox/sender.js';
import { Console } from '../stream/console.js';
import { TestBroker } from '../test-broker.js';

const SINK = 'webhook:siem';

let broker: TestBroker;
let answer: (message: OutgoingMessage) => Sent;
const sent: number[] = [];
const siem: Sender = {
  sink: SINK,
  wants: (kind) => kind.startsWith('request.'),
  send: async (message) => {
    sent.push(message.seq);
    return answer(message);
  },
};
beforeEach(async () => {
  sent.length = 0;
  answer = () => ({ outcome: 'taken' });
  broker = await TestBroker.start();
  broker.senders = [siem];
  await broker.restart();
});
afterEach(() => broker.stop());

const outbox = async (query = '') =>
  (await broker.call('GET', `/v1/outbox${query}`, { viaSocket: true })).json;
const decide = (what: 'retries' | 'drops', body: object, token?: string) =>
  broker.call(
    'POST',
    `/v1/outbox/${what}`,
    token === undefined ? { body, viaSocket: true } : { body, token },
  );
/** Until the sink stands so. */
async function stands(waiting: number, dead: number): Promise<void> {
  for (;;) {
    const [sink] = (await outbox()).sinks;
    if (sink.waiting === waiting && sink.dead === dead) return;
  }
}

test('shows dead letters with what they are about, page by page, and has them sent again or dropped', async () => {
  answer = () => ({ outcome: 'gone', why: 'HTTP 410' });
  const ids: string[] = [];
  for (let more = 0; more < 3; more += 1) ids.push((await broker.submit()).json.id);
  await stands(0, 3);
  const { sinks, letters, next } = await outbox('?limit=2');
  expect(sinks).toEqual([{ sink: SINK, configured: true, waiting: 0, dead: 3, failing: null }]);
  expect(letters[0]).toMatchObject({
    sink: SINK,
    kind: 'request.submitted',
    at: '2026-01-31T12:00:00Z',
    request: ids[0],
    about: { requester: 'alice', action: 'ssh.login', resource: 'web-1' },
    attempts: 1,
    dead: '2026-01-31T12:00:00Z',
    error: 'HTTP 410',
  });
  const rest = await outbox(`?limit=2&after=${encodeURIComponent(next)}`);
  expect([...letters, ...rest.letters].map(({ request }: { request: string }) => request)).toEqual(ids);
  expect(rest.next).toBeNull();
  expect((await broker.call('GET', '/v1/status', { viaSocket: true })).json.outbox).toEqual(sinks);

  const [first] = letters;
  const token = await broker.signIn();
  expect((await decide('drops', { sink: SINK, event: first.event }, token)).json).toEqual({ letters: 1 });
  expect((await decide('drops', { sink: SINK, event: first.event })).json.code).toBe('no-delivery');
  expect((await decide('drops', { sink: SINK, forget: true })).json.code).toBe('sink-in-use');
  expect((await decide('drops', { sink: SINK })).json.code).toBe('malformed-request');
  answer = () => ({ outcome: 'taken' });
  sent.length = 0;
  expect((await decide('retries', { sink: SINK, all: true })).json).toEqual({ letters: 2 });
  await stands(0, 0);
  expect(sent).toHaveLength(2);
  const { events } = (await broker.call('GET', '/v1/events?after=0', { token })).json;
  const told = events.filter(({ kind }: { kind: string }) => kind.startsWith('outbox.'));
  expect(told.map(({ kind, body }: { kind: string; body: string }) => [kind, JSON.parse(body)])).toEqual([
    ['outbox.dropped', { sink: SINK, events: [first.event], by: 'bob' }],
    ['outbox.retried', { sink: SINK, events: sent, by: null }],
  ]);
});

test('consoles are told when they come, and once a second when it changed, also after the broker was away', async () => {
  answer = () => ({ outcome: 'unreachable', why: 'no connection' });
  const console = await Console.open(broker);
  expect((await console.next('outbox')).sinks).toEqual([
    { sink: SINK, configured: true, waiting: 0, dead: 0, failing: null },
  ]);
  await broker.submit();
  await stands(1, 0);
  broker.pass(1);
  expect((await console.next('outbox')).sinks).toMatchObject([{ waiting: 1, failing: 'no connection' }]);
  await broker.restart();
  const again = await Console.open(broker, '', {});
  expect((await again.next('outbox')).sinks).toMatchObject([{ waiting: 1 }]);
  broker.senders = [];
  await broker.restart();
  const last = await Console.open(broker);
  expect((await last.next('outbox')).sinks).toMatchObject([{ configured: false, waiting: 1 }]);
  expect((await decide('drops', { sink: SINK, forget: true })).json).toEqual({ letters: 1 });
  broker.pass(1);
  expect((await last.next('outbox')).sinks).toEqual([]);
});

test('the command is a sink too, of which nothing is dead', async () => {
  broker.notifyCommand = '/bin/true';
  await broker.restart();
  expect((await outbox()).sinks).toMatchObject([
    { sink: 'command', configured: true, waiting: 0, dead: 0 },
    { sink: SINK },
  ]);
  expect((await decide('retries', { sink: 'command', all: true })).json.code).toBe('no-delivery');
});
