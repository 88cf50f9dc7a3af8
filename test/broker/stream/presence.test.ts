import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import type { Readers } from '../../../src/protocol/stream-messages.js';
import { TestBroker } from '../test-broker.js';
import { Console } from './console.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

const submit = async (): Promise<RequestId> => (await broker.submit()).json.id;
const open = async (who: 'bob' | 'carol', options: WebSocket.ClientOptions = {}): Promise<Console> => {
  const console = await Console.open(
    broker,
    '?presence=1',
    {},
    await broker.signIn(broker.keys[who], who),
    options,
  );
  await console.next('snapshot');
  return console;
};
const reads = async (console: Console, id: string | null): Promise<void> => {
  console.send(JSON.stringify({ type: 'reading', id }));
  await console.heard();
};
/** Ends a console as a process does that is killed, and waits until the broker has noticed. */
const kill = async (console: Console): Promise<void> => {
  const open = async () => (await broker.call('GET', '/v1/status', { viaSocket: true })).json.consoles;
  const before = await open();
  console.kill();
  while ((await open()) === before);
};
/** What the next second tells. */
const told = async (console: Console): Promise<readonly Readers[]> => {
  broker.pass(1);
  return (await console.next('reading')).requests;
};

/** Sees what others read; the broker has said how that stands now. */
const watching = async (standing: readonly Readers[] = []): Promise<Console> => {
  const console = await open('bob');
  expect((await console.next('reading')).requests).toEqual(standing);
  return console;
};

test('who opens a request is told to all, and who closes it is not any more', async () => {
  const id = await submit();
  const watcher = await watching();
  const carol = await open('carol');
  await reads(carol, id);
  expect(await told(watcher)).toEqual([{ id, names: ['carol'] }]);
  await reads(watcher, id);
  expect(await told(watcher)).toEqual([{ id, names: ['bob', 'carol'] }]);
  await reads(carol, null);
  expect(await told(watcher)).toEqual([{ id, names: ['bob'] }]);
});

test('a person with several consoles is one reader until the last of them is gone', async () => {
  const [id, other] = [await submit(), await submit()];
  const watcher = await watching();
  const first = await open('carol');
  const second = await open('carol');
  await reads(first, id);
  await reads(second, id);
  expect(await told(watcher)).toEqual([{ id, names: ['carol'] }]);
  await kill(first);
  await reads(second, other);
  expect(await told(watcher)).toEqual([
    { id: other, names: ['carol'] },
    { id, names: [] },
  ]);
});

test('however often somebody goes to and fro, a second tells what is so at its end, and nothing where that is as before', async () => {
  const [id, other] = [await submit(), await submit()];
  const watcher = await watching();
  const carol = await open('carol');
  for (const at of [id, other, null, id]) await reads(carol, at);
  expect(await told(watcher)).toEqual([{ id, names: ['carol'] }]);
  for (const at of [null, id]) await reads(carol, at);
  broker.pass(1);
  await reads(carol, null);
  expect(await told(watcher)).toEqual([{ id, names: [] }]);
});

test('a request that ends is read by nobody, and one that there is not neither', async () => {
  const bound = broker.document();
  const { id } = (await broker.submit(bound)).json;
  const watcher = await watching();
  const carol = await open('carol');
  await reads(carol, '01KG8J0PX0ABCDEF0000000000');
  broker.pass(1);
  await reads(carol, id);
  expect(await told(watcher)).toEqual([{ id, names: ['carol'] }]);
  await broker.decide(id, bound, { verdict: 'deny' });
  await watcher.next('changed');
  expect(await told(watcher)).toEqual([{ id, names: [] }]);
});

test('a console that comes back learns who reads, and says again what it reads itself', async () => {
  const id = await submit();
  const carol = await open('carol');
  await reads(carol, id);
  broker.pass(1);
  const watcher = await watching([{ id, names: ['carol' as Name] }]);
  await kill(carol);
  const back = await open('carol');
  await reads(back, id);
  broker.pass(1);
  await reads(back, null);
  expect(await told(watcher)).toEqual([{ id, names: [] }]);
});

test('a reader whose connection died without a word is gone after ten seconds, one that answers stays', async () => {
  const [id, other] = [await submit(), await submit()];
  const watcher = await watching();
  const dead = await open('carol', { autoPong: false });
  await reads(dead, id);
  await reads(watcher, other);
  expect(await told(watcher)).toEqual([
    { id: other, names: ['bob'] },
    { id, names: ['carol'] },
  ]);
  for (let second = 0; second < 9; second += 1) {
    broker.pass(1);
    await watcher.heard();
  }
  expect(await told(watcher)).toEqual([{ id, names: [] }]);
  expect(await dead.closed).toBe(1006);
  for (let second = 0; second < 5; second += 1) {
    broker.pass(1);
    await watcher.heard();
  }
  await reads(watcher, null);
  expect(await told(watcher)).toEqual([{ id: other, names: [] }]);
});

test('a console of an older version, which did not ask for it, hears nothing of it', async () => {
  const id = await submit();
  const old = await Console.open(broker);
  const carol = await open('carol');
  await reads(carol, id);
  broker.pass(1);
  broker.pass(1);
  await old.heard();
  await expect(old.next('heartbeat')).resolves.toMatchObject({ type: 'heartbeat' });
  expect(old.seen).not.toContain('reading');
});

describe('a hostile console', () => {
  const id = '01KG8J0PX0ABCDEF0000000000';
  test.each([
    ['nothing', ''],
    ['no JSON', 'approve everything'],
    ['another kind', '{"type":"approve","id":null}'],
    ['no id', '{"type":"reading"}'],
    ['a list of ids', `{"type":"reading","id":["${id}"]}`],
    ['what is no id', '{"type":"reading","id":"../../etc/passwd"}'],
    ['an id with more behind it', `{"type":"reading","id":"${id}\\n"}`],
    ['somebody else', `{"type":"reading","id":"${id}","approver":"bob"}`],
    ['a key twice', `{"type":"reading","id":null,"id":"${id}"}`],
    ['a list', '[{"type":"reading","id":null}]'],
    ['bytes', Buffer.from('{"type":"reading","id":null}')],
    ['too much at once', JSON.stringify({ type: 'reading', id: 'x'.repeat(2000) })],
  ])('that says %s is closed, and with it what it read (A30)', async (_, said) => {
    const real = await submit();
    const watcher = await watching();
    const carol = await open('carol');
    await reads(carol, real);
    expect(await told(watcher)).toEqual([{ id: real, names: ['carol'] }]);
    carol.send(said);
    expect(await carol.closed).toBe(said.length > 1024 ? 1009 : 1008);
    expect(await told(watcher)).toEqual([{ id: real, names: [] }]);
  });

  test('that says too much is closed; a few a second are never too much (A32)', async () => {
    const real = await submit();
    const calm = await open('carol');
    for (let second = 0; second < 30; second += 1) {
      for (const at of [real, null, real]) await reads(calm, at);
      broker.pass(1);
    }
    const loud = await open('carol');
    for (let message = 0; message < 21; message += 1) {
      loud.send(JSON.stringify({ type: 'reading', id: message % 2 === 0 ? real : null }));
    }
    expect(await loud.closed).toBe(1008);
    await calm.heard();
  });
});
