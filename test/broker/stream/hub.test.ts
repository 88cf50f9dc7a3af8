import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { DEFAULT_LIMITS } from '../../../broker/options.js';
import { StreamHub } from '../../../broker/stream/hub.js';
import { decodeStreamMessage, type StreamMessage } from '../../../src/protocol/stream-messages.js';
import { bind, fingerprintOf, keys, NOON, name, World } from '../requests/world.js';

const BACKLOG = 1000;
const SESSION = { hash: 'h', approver: name('bob'), key: fingerprintOf(keys.bob), expires: NOON + 3_600_000 };

let world: World;
let hub: StreamHub;
const open = async (backlogBytes: number): Promise<void> => {
  world = new World();
  const store = Object.assign(world.store, { list: async () => ({ requests: [], next: null }) });
  hub = await StreamHub.open(store, { ...DEFAULT_LIMITS, backlogBytes }, () => world.now);
};
beforeEach(() => open(BACKLOG));

/** A connection that passes nothing on: what is sent stays in `bufferedAmount` until the test takes it out. */
class SlowSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly messages: StreamMessage[] = [];

  send(bytes: Buffer): void {
    this.bufferedAmount += bytes.length;
    this.messages.push(decodeStreamMessage(JSON.parse(bytes.toString())));
  }

  terminate(): void {
    this.readyState = 3;
    this.emit('close');
  }
}

function attach(): SlowSocket {
  const socket = new SlowSocket();
  hub.attach(socket as unknown as WebSocket, new PassThrough(), SESSION, null);
  return socket;
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
};

test('a first picture that is larger than the backlog may take its time (A32)', async () => {
  await world.submit();
  await settled();
  const socket = attach();
  expect(socket.bufferedAmount).toBeGreaterThan(BACKLOG);
  hub.heartbeat();
  await world.submit();
  await settled();
  expect(hub.consoles).toBe(1);
});

test('what queues up beside it is a backlog, and the console is dropped (A32)', async () => {
  await world.submit();
  await settled();
  const socket = attach();
  const picture = socket.bufferedAmount;
  socket.bufferedAmount = picture + BACKLOG;
  hub.heartbeat();
  expect(hub.consoles).toBe(1);
  socket.bufferedAmount = picture + BACKLOG + 1;
  hub.heartbeat();
  expect(hub.consoles).toBe(0);
});

test('who is locked is told when that changes, to those who come later too, and no more than once (A31)', async () => {
  await open(DEFAULT_LIMITS.backlogBytes);
  const socket = attach();
  const deny = async (nonce: string, comment: string): Promise<void> => {
    const { request } = await world.submit(bind({ nonce: nonce.repeat(32) }));
    await world.requests.decide(request.id, world.decision(request, { verdict: 'deny', comment }));
    await settled();
  };
  const told = ({ messages }: SlowSocket) => messages.filter(({ type }) => type === 'restraints');
  await deny('1', 'no');
  expect(told(socket)).toMatchObject([{ locks: [], mutes: [] }]);
  await deny('2', 'fraud: she is on holiday');
  const locked = { locks: [{ requester: 'alice', by: 'bob', comment: 'fraud: she is on holiday' }] };
  expect(told(socket)).toHaveLength(2);
  expect(told(socket)[1]).toMatchObject(locked);
  expect(told(attach())).toMatchObject([locked]);
});

test('who waits for a request is told after the request, even if both were written at once', async () => {
  await open(DEFAULT_LIMITS.backlogBytes);
  const socket = attach();
  const [, joined] = await Promise.all([world.submit(), world.submit()]);
  hub.announceWaiting(joined.request);
  await settled();
  expect(socket.messages).toMatchObject([
    { type: 'snapshot', requests: [] },
    { type: 'doors', outdated: [] },
    { type: 'restraints', locks: [], mutes: [] },
    { type: 'reviews', open: [] },
    { type: 'submitted', request: { id: joined.request.id } },
    { type: 'waiting', id: joined.request.id, waiting: 2 },
  ]);
  expect(attach().messages).toMatchObject([
    { type: 'snapshot', requests: [{ waiting: 2 }] },
    { type: 'doors', outdated: [] },
    { type: 'restraints', locks: [], mutes: [] },
    { type: 'reviews', open: [] },
  ]);
});
