import { describe, expect, test } from 'vitest';
import { OutboxWorld, Receiver } from './outbox-world.js';

const SINK = 'webhook:siem';

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
});
