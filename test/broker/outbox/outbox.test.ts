import { describe, expect, test } from 'vitest';
import { WINDOW } from '../../../broker/outbox/follower.js';
import type { Sink } from '../../../broker/store/deliveries.js';
import { answered, OutboxWorld, Receiver, TAKEN } from './outbox-world.js';

const SINK = 'webhook:siem';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const open = (...sinks: Sink[]) => OutboxWorld.open(...(sinks.length === 0 ? [SINK as Sink] : sinks));
const away = () => ({ copies: 0, sent: answered('unreachable') });
const good = () => ({ copies: 1, sent: TAKEN });

describe('a sink that follows the log', () => {
  test('is sent every event from the next one on after it was configured, with what it is about', async () => {
    const world = await OutboxWorld.open();
    await world.submit();
    world.receivers.push(new Receiver(world, SINK));
    await world.outbox.use([world.receiver.sender()]);
    const request = await world.submit();
    const recorded = await world.record();
    await world.rest();
    const { epoch, seq } = world.store;
    expect(world.receiver.taken).toEqual([
      expect.objectContaining({
        key: `${epoch}-${seq - 1}`,
        kind: 'request.submitted',
        request: request.id,
        subject: request,
        body: '{"kind":"request.submitted"}',
        attempt: 1,
      }),
      expect.objectContaining({ seq: recorded, kind: 'roster.changed', request: null, subject: null }),
    ]);
    expect(world.standing).toEqual({ sink: SINK, configured: true, waiting: 0, dead: 0, failing: null });
  });

  test('is sent only what it wants, and what it does not want is never in its way', async () => {
    const world = await open();
    world.receiver.wants = (kind) => kind === 'roster.changed';
    const request = await world.submit();
    for (let more = 0; more < 1_500; more += 1) await world.tell(request);
    const wanted = await world.record();
    await world.rest();
    expect(world.receiver.numbers()).toEqual([wanted]);
    expect(world.store.sinks().get(SINK)).toEqual({ position: wanted, deliveries: 0, dead: 0 });
    await world.tell(request);
    await world.pass(0);
    expect(world.standing.waiting).toBe(0);
    expect(world.store.sinks().get(SINK)?.position).toBe(wanted);
    await world.pass(HOUR);
    await world.tell(request);
    await world.rest();
    expect(world.store.sinks().get(SINK)?.position).toBe(wanted + 2);
  });

  test('that is taken out goes on where it was once it comes back, and is shown meanwhile', async () => {
    const world = await open();
    await world.submit();
    await world.rest();
    await world.outbox.use([]);
    const missed = [await world.record(), await world.record()];
    expect(world.standing).toMatchObject({ sink: SINK, configured: false, waiting: 2 });
    await world.kill([]);
    expect(world.standing).toMatchObject({ configured: false, waiting: 2 });
    await world.outbox.use([world.receiver.sender()]);
    await world.rest();
    expect(world.receiver.numbers().slice(1)).toEqual(missed);
    expect(world.standing).toMatchObject({ configured: true, waiting: 0 });
  });

  test('can be forgotten once nobody sends to it, and then begins anew', async () => {
    const world = await open();
    world.receiver.treat = away;
    for (let more = 0; more < 600; more += 1) await world.record();
    await world.rest();
    await expect(world.outbox.forget(SINK, null)).rejects.toMatchObject({ code: 'sink-in-use' });
    await world.outbox.use([]);
    expect(await world.outbox.forget(SINK, null)).toBe(600);
    const [told] = await world.store.events({ after: world.store.seq - 1, limit: 1 });
    expect(told).toMatchObject({
      kind: 'outbox.dropped',
      body: '{"by":null,"forgotten":600,"sink":"webhook:siem"}',
    });
    await world.kill([]);
    expect(world.outbox.standings()).toEqual([]);
    world.receiver.treat = good;
    await world.outbox.use([world.receiver.sender()]);
    const next = await world.record();
    await world.rest();
    expect(world.receiver.numbers()).toEqual([next]);
  });
});

describe('a receiver that is away', () => {
  test('is asked by one message at a time, less and less often, and gets all of it in order once it is back', async () => {
    const world = await open();
    world.receiver.treat = away;
    const requests = [];
    for (let more = 0; more < 20; more += 1) requests.push(await world.submit());
    await world.rest();
    const atOnce = world.receiver.tried.length;
    expect(atOnce).toBeLessThanOrEqual(8);
    const tries: number[] = [];
    for (let hour = 0; hour < 3; hour += 1) {
      const before = world.receiver.tried.length;
      for (let minute = 0; minute < 60; minute += 1) await world.pass(MINUTE);
      tries.push(world.receiver.tried.length - before);
    }
    expect(tries[0]).toBeLessThan(20);
    expect(tries[2]).toBeLessThanOrEqual(5);
    expect(world.standing).toEqual({
      sink: SINK,
      configured: true,
      waiting: 20,
      dead: 0,
      failing: 'it unreachable',
    });
    world.receiver.treat = good;
    for (let minute = 0; minute < 31; minute += 1) await world.pass(MINUTE);
    expect(new Set(world.receiver.taken.map(({ request }) => request))).toEqual(
      new Set(requests.map(({ id }) => id)),
    );
    expect(world.standing).toMatchObject({ waiting: 0, failing: null });
  });

  test('for a week loses nothing and makes no dead letter', async () => {
    const world = await open();
    world.receiver.treat = away;
    await world.submit();
    for (let hour = 0; hour < 7 * 24; hour += 1) await world.pass(HOUR);
    expect(world.standing).toMatchObject({ waiting: 1, dead: 0 });
    expect(world.receiver.tried.length).toBeGreaterThan(100);
    world.receiver.treat = good;
    await world.pass(HOUR);
    expect(world.receiver.taken).toHaveLength(1);
  });

  test('leaves no more than a window of what waits in the outbox, and the rest in the log', async () => {
    const world = await open();
    world.receiver.treat = away;
    const request = await world.submit();
    for (let more = 0; more < WINDOW + 500; more += 1) await world.tell(request);
    await world.rest();
    const { deliveries = 0 } = world.store.sinks().get(SINK) ?? {};
    expect(deliveries).toBeLessThanOrEqual(WINDOW + 256);
    expect(world.standing.waiting).toBe(WINDOW + 501);
    world.receiver.treat = good;
    await world.kill();
    await world.pass(HOUR);
    expect(world.receiver.numbers()).toEqual(world.receiver.numbers().toSorted((a, b) => a - b));
    expect(world.receiver.taken).toHaveLength(WINDOW + 501);
    expect(world.standing.waiting).toBe(0);
  });

  test('is not forgotten because the clock was set back', async () => {
    const world = await open();
    world.receiver.treat = away;
    await world.record();
    await world.rest();
    await world.record();
    world.now -= 30 * DAY;
    world.receiver.treat = good;
    await world.kill();
    for (let minute = 0; minute < 16; minute += 1) await world.pass(MINUTE);
    expect(world.receiver.taken).toHaveLength(2);
  });

  test('is tried at once when somebody says that it is back', async () => {
    const world = await open();
    world.receiver.treat = away;
    await world.record();
    for (let minute = 0; minute < 60; minute += 1) await world.pass(MINUTE);
    world.receiver.treat = good;
    expect(await world.outbox.retry(SINK, { all: true }, null)).toBe(0);
    await world.rest();
    expect(world.receiver.taken).toHaveLength(1);
  });

  test('is tried at once when its configuration is read again', async () => {
    const world = await open();
    world.receiver.treat = away;
    await world.record();
    for (let minute = 0; minute < 60; minute += 1) await world.pass(MINUTE);
    world.receiver.treat = good;
    await world.outbox.use([world.receiver.sender()]);
    await world.rest();
    expect(world.receiver.taken).toHaveLength(1);
  });

  test('holds up no other receiver', async () => {
    const world = await open(SINK, 'webhook:chat');
    (world.receivers[0] as Receiver).treat = away;
    await world.submit();
    await world.record();
    await world.rest();
    expect(world.receivers[1]?.taken).toHaveLength(2);
    expect(world.outbox.standings().map(({ sink, waiting }) => [sink, waiting])).toEqual([
      ['webhook:chat', 0],
      [SINK, 2],
    ]);
  });
});

describe('a message that is not taken', () => {
  /** One request whose first event is treated so, with others that flow. */
  async function poisoned(outcome: 'gone' | 'refused' | 'failed' | 'unreachable') {
    const world = await open();
    const poison = world.store.seq + 1;
    world.receiver.treat = ({ seq }) =>
      seq === poison ? { copies: 0, sent: answered(outcome) } : { copies: 1, sent: TAKEN };
    const request = await world.submit();
    const held = [await world.tell(request), await world.tell(request)];
    await world.rest();
    return { world, request, poison, held };
  }

  test('ever is a dead letter at once, and after five answers that say no', async () => {
    const gone = await poisoned('gone');
    expect(gone.world.standing).toMatchObject({ dead: 1, waiting: 2 });
    const { world, poison } = await poisoned('refused');
    await world.passSeconds(75);
    expect(world.standing).toMatchObject({ dead: 1, waiting: 2 });
    expect(world.receiver.numbers(world.receiver.tried)).toEqual(Array(5).fill(poison));
    expect(await world.dead()).toEqual([
      expect.objectContaining({ event: poison, error: 'it refused', attempts: 5, refusals: 5 }),
    ]);
  });

  test.each(['failed', 'unreachable'] as const)(
    'is a dead letter after three days (%s), where others are taken',
    async (outcome) => {
      const { world, held } = await poisoned(outcome);
      for (let hour = 0; hour < 71; hour += 1) {
        await world.submit();
        await world.pass(HOUR - MINUTE);
        await world.pass(MINUTE);
      }
      expect(world.standing).toMatchObject({ dead: 0, waiting: 3 });
      for (let hour = 0; hour < 2; hour += 1) {
        await world.submit();
        await world.pass(HOUR);
      }
      await world.pass(HOUR);
      expect(world.standing).toMatchObject({ dead: 1, waiting: 2 });
      expect(world.receiver.taken).toHaveLength(73);
      expect(world.receiver.numbers()).not.toContain(held[0]);
    },
  );

  test('holds back what is about the same request, across restarts, while thousands of others flow', async () => {
    const { world, request, poison, held } = await poisoned('gone');
    held.push(await world.tell(request));
    await world.kill();
    for (let more = 0; more < 2_000; more += 1) void world.record();
    await world.rest();
    expect(world.receiver.taken).toHaveLength(2_000);
    expect(world.standing).toMatchObject({ dead: 1, waiting: 3 });
    world.receiver.treat = good;
    expect(await world.outbox.retry(SINK, { event: poison }, 'bob')).toBe(1);
    await world.rest();
    expect(world.receiver.taken.filter(({ request: id }) => id === request.id).map(({ seq }) => seq)).toEqual(
      [poison, ...held],
    );
    const [told] = await world.store.events({ after: world.store.seq - 1, limit: 1 });
    expect(told).toMatchObject({
      kind: 'outbox.retried',
      body: `{"by":"bob","events":[${poison}],"sink":"webhook:siem"}`,
    });
  });

  test('is never sent again once it is dropped, and what it held back goes on', async () => {
    const { world, poison, held } = await poisoned('gone');
    world.receiver.treat = good;
    expect(await world.outbox.drop(SINK, { event: poison }, 'bob')).toBe(1);
    await world.rest();
    expect(world.receiver.numbers().filter((event) => event <= Math.max(...held))).toEqual(held);
    await world.kill();
    await world.pass(DAY);
    expect(world.receiver.numbers()).not.toContain(poison);
    await expect(world.outbox.drop(SINK, { event: poison }, 'bob')).rejects.toMatchObject({
      code: 'no-delivery',
    });
    await expect(world.outbox.retry('webhook:other', { all: true }, 'bob')).rejects.toMatchObject({
      code: 'no-delivery',
    });
  });

  test('is no failure any more once it is dropped', async () => {
    const world = await open();
    world.receiver.wants = (kind) => kind === 'request.submitted';
    world.receiver.treat = () => ({ copies: 0, sent: answered('failed') });
    await world.submit();
    await world.rest();
    expect(world.standing).toMatchObject({ waiting: 1, failing: 'it failed' });
    await world.outbox.drop(SINK, { event: world.receiver.numbers(world.receiver.tried)[0] as number }, null);
    await world.rest();
    expect(world.standing).toMatchObject({ waiting: 0, failing: null });
  });

  test('can be dropped before it is dead, also while it is on its way', async () => {
    const world = await open();
    world.receiver.treat = () => ({ copies: 0, sent: answered('failed'), after: 5_000 });
    const request = await world.submit();
    const poison = world.store.seq;
    const next = await world.tell(request);
    await world.pass(1000);
    expect(world.receiver.numbers(world.receiver.tried)).toEqual([poison]);
    world.receiver.treat = good;
    await world.outbox.drop(SINK, { event: poison }, null);
    await world.passSeconds(30);
    expect(world.receiver.numbers(world.receiver.tried)).toEqual([poison, next, world.store.seq]);
    expect(world.receiver.numbers()).toEqual([next, world.store.seq]);
  });

  test('goes with all dead letters of that time, and not with those that died since', async () => {
    const world = await open();
    world.receiver.treat = () => ({ copies: 0, sent: answered('gone') });
    const requests = [];
    for (let more = 0; more < 600; more += 1) {
      const request = await world.submit();
      await world.tell(request);
      requests.push(request);
    }
    await world.rest();
    expect(world.standing).toMatchObject({ dead: 600, waiting: 600 });
    world.now += 1;
    const dropping = world.outbox.drop(SINK, { all: true }, null);
    world.now += 1;
    expect(await dropping).toBe(600);
    await world.pass(1000);
    // Of each request the second one died, and what was told of the dropping.
    expect(world.standing.dead).toBeGreaterThanOrEqual(600);
    world.receiver.treat = good;
    world.now += 1;
    const { dead } = world.standing;
    expect(await world.outbox.retry(SINK, { all: true }, null)).toBe(dead);
    await world.pass(1000);
    expect(world.standing).toMatchObject({ dead: 0, waiting: 0 });
  });
});

describe('what cannot be written down', () => {
  test('is not sent over and over while the disk is full, and nothing after it is lost or sent twice (A41)', async () => {
    const world = await open();
    const outside = world.outside();
    const seen: number[] = [];
    world.receiver.treat = ({ seq }) => {
      seen.push(seq);
      if (seen.length === 1) outside.exec('BEGIN IMMEDIATE');
      return { copies: 1, sent: TAKEN };
    };
    const request = await world.submit();
    const first = world.store.seq;
    await world.rest();
    await world.pass(1000);
    await world.pass(10_000);
    expect(seen).toEqual([first]);
    expect(world.standing.waiting).toBe(1);
    outside.exec('COMMIT');
    await world.pass(10_000);
    const second = await world.tell(request);
    await world.rest();
    expect(seen).toEqual([first, second]);
    expect(world.standing.waiting).toBe(0);
  });
});

describe('a stop', () => {
  test('lets what is under way end, and begins nothing more', async () => {
    const world = await open();
    world.receiver.treat = () => ({ copies: 1, sent: TAKEN, after: 2_000 });
    const request = await world.submit();
    await world.tell(request);
    await world.rest();
    const stopped = world.outbox.stop();
    world.now += 2_000;
    await world.receiver.pass(world.now);
    await stopped;
    expect(world.receiver.taken).toHaveLength(1);
    expect(world.store.sinks().get(SINK)).toMatchObject({ deliveries: 1 });
  });

  test('cuts off what does not end, and it is sent again after the start', async () => {
    const world = await open();
    world.receiver.treat = () => ({ copies: 0, sent: TAKEN, after: HOUR });
    await world.record();
    await world.rest();
    await world.outbox.stop();
    world.receiver.treat = good;
    await world.kill();
    await world.rest();
    expect(world.receiver.taken.map(({ attempt }) => attempt)).toEqual([1]);
  });
});
