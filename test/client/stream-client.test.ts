import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff } from '../../src/client/backoff.js';
import type { Link } from '../../src/client/queue.js';
import type { StreamPosition } from '../../src/client/queue-feed.js';
import {
  REMOVED,
  SESSION_ENDED,
  StreamClient,
  type StreamEnding,
  type StreamHandlers,
} from '../../src/client/stream-client.js';
import type { BearerToken } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseConsoleMessage, type StreamMessage } from '../../src/protocol/stream-messages.js';
import { sampleId } from '../components/sample-requests.js';
import { ManualClock, settled } from './manual-clock.js';

interface Connection {
  readonly position: StreamPosition | null;
  readonly token: string;
  readonly handlers: StreamHandlers;
  closed: boolean;
  readonly sent: string[];
}

/** A client whose connections are in the hand of the test. */
function setUp({ signIn = async () => 'second' as BearerToken, lookAgain = async () => {} } = {}) {
  const clock = new ManualClock();
  const connections: Connection[] = [];
  const seen: Link[] = [];
  const client = new StreamClient({
    token: 'first' as BearerToken,
    signIn,
    lookAgain,
    clock,
    random: () => 0.5,
    heads: { offer: async () => {}, advance() {} },
    open(position, token, handlers) {
      const connection: Connection = { position, token, handlers, closed: false, sent: [] };
      connections.push(connection);
      return {
        send: (text) => connection.sent.push(text),
        close() {
          connection.closed = true;
        },
      };
    },
  });
  client.subscribe(() => seen.push(client.queue().link));
  client.start();
  const at = (index: number): Connection => {
    const connection = connections.at(index);
    if (connection === undefined) throw new Error('no connection was opened');
    return connection;
  };
  return {
    clock,
    client,
    connections,
    seen,
    at,
    async send(...messages: readonly StreamMessage[]) {
      for (const message of messages) at(-1).handlers.message(JSON.stringify(message));
      await settled();
    },
    async end(ending: StreamEnding) {
      at(-1).handlers.closed(ending);
      await settled();
    },
    get link(): Link {
      return client.queue().link;
    },
  };
}

const snapshot = {
  type: 'snapshot',
  epoch: 'e',
  seq: 7,
  requests: [],
  restoration: null,
} as const satisfies StreamMessage;
const heartbeat = (clock: ManualClock, seq = 7): StreamMessage => ({
  type: 'heartbeat',
  seq,
  clock: clock.now(),
});
const lost: StreamEnding = { code: 1006, reason: 'connection reset' };

describe('a connection', () => {
  test('is live from the snapshot on', async () => {
    const stream = setUp();
    await settled();
    expect(stream.link).toEqual({ state: 'connecting' });
    expect(stream.at(-1)).toMatchObject({ position: null, token: 'first' });
    await stream.send(snapshot);
    expect(stream.link).toEqual({ state: 'live' });
  });

  test('that resumes is live only after what was missed has come (A28)', async () => {
    const stream = setUp();
    await stream.send(snapshot, { type: 'other', seq: 8 });
    await stream.end(lost);
    await stream.clock.pass(30_000);
    expect(stream.at(-1).position).toEqual({ epoch: 'e', seq: 8 });
    await stream.send({ type: 'resumed', epoch: 'e', seq: 9, waiting: {}, rings: {} });
    expect(stream.link.state).toBe('stale');
    await stream.send({ type: 'other', seq: 9 });
    expect(stream.link.state).toBe('live');
  });

  test('tells its listeners once about messages that come together, and not at all about heartbeats', async () => {
    const stream = setUp();
    await stream.send(snapshot, { type: 'other', seq: 8 }, { type: 'other', seq: 9 });
    expect(stream.seen).toHaveLength(1);
    expect(stream.client.queue().seq).toBe(9);
    const queue = stream.client.queue();
    await stream.send(heartbeat(stream.clock, 9));
    expect(stream.client.queue()).toBe(queue);
    expect(stream.seen).toHaveLength(1);
  });

  test('after it was closed is not heard any more', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    const first = stream.at(-1);
    await stream.end(lost);
    await stream.clock.pass(30_000);
    first.handlers.message(JSON.stringify({ ...snapshot, seq: 99 }));
    first.handlers.closed({ code: REMOVED, reason: 'late' });
    await settled();
    expect(stream.client.queue().seq).toBe(7);
    expect(stream.link.state).toBe('stale');
  });
});

describe('a silent connection', () => {
  test('is stale after 5 s and tried again; heartbeats keep it live', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    for (let second = 0; second < 20; second += 1) {
      await stream.clock.pass(1000);
      await stream.send(heartbeat(stream.clock));
    }
    expect(stream.link.state).toBe('live');
    const heardAt = stream.clock.now();
    await stream.clock.pass(4_900);
    expect(stream.link.state).toBe('live');
    await stream.clock.pass(100);
    expect(stream.link).toMatchObject({ state: 'stale', since: heardAt, reason: 'no message for 5 s' });
    expect(stream.at(0).closed).toBe(true);
  });

  test('is noticed soon after a laptop slept, though no alarm rang meanwhile', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    stream.clock.jump(3_600_000);
    await stream.clock.pass(1000);
    expect(stream.link.state).toBe('stale');
  });

  test('is stale at once for whoever acts, before any alarm rang (A28)', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    expect(stream.client.queueNow().link.state).toBe('live');
    stream.clock.jump(3_600_000);
    expect(stream.link.state).toBe('live');
    expect(stream.client.queueNow().link.state).toBe('stale');
    expect(stream.link.state).toBe('stale');
    await stream.clock.pass(1000);
    expect(stream.connections).toHaveLength(2);
  });

  test('is not live by what was on its way when the laptop fell asleep (A28)', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    const old = heartbeat(stream.clock);
    stream.clock.jump(3_600_000);
    await stream.send(old);
    expect(stream.link.state).toBe('stale');
    await stream.clock.pass(1000);
    expect(stream.connections).toHaveLength(2);
  });

  test('is noticed where the clock was set back meanwhile (A28)', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    stream.clock.jump(-3_600_000);
    await stream.clock.pass(1000);
    expect(stream.link.state).toBe('stale');
  });

  test('may take its time for the first message, but not for ever', async () => {
    const stream = setUp();
    await stream.clock.pass(29_000);
    expect(stream.connections).toHaveLength(1);
    await stream.clock.pass(1_000);
    expect(stream.link).toMatchObject({ state: 'stale', reason: 'no message for 30 s' });
    await stream.clock.pass(1_000);
    expect(stream.connections).toHaveLength(2);
  });
});

describe('a lost connection', () => {
  test('is tried again with growing waits, and says when', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      const before = stream.clock.now();
      await stream.end(lost);
      if (stream.link.state !== 'stale' || stream.link.retryAt === null)
        throw new Error('no retry is planned');
      waits.push(stream.link.retryAt - before);
      await stream.clock.pass(waits.at(-1) ?? 0);
      expect(stream.connections).toHaveLength(attempt + 2);
      expect(stream.link).toMatchObject({ state: 'stale', retryAt: null, reason: 'connection reset' });
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  });

  test('is stale since the last message, however often it is tried', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    const heardAt = stream.clock.now();
    await stream.clock.pass(3000);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await stream.end(lost);
      await stream.clock.pass(4000);
    }
    expect(stream.link).toMatchObject({ state: 'stale', since: heardAt });
  });

  test('starts with short waits again only after a heartbeat, so that one which dies at once is not hammered', async () => {
    const stream = setUp();
    const wait = async (): Promise<number> => {
      await stream.end(lost);
      const { link } = stream;
      const delay = link.state === 'stale' ? (link.retryAt ?? 0) - stream.clock.now() : -1;
      await stream.clock.pass(delay);
      return delay;
    };
    await stream.send(snapshot);
    expect(await wait()).toBe(250);
    await stream.send(snapshot);
    expect(await wait()).toBe(500);
    await stream.send(snapshot, heartbeat(stream.clock));
    expect(await wait()).toBe(250);
  });

  test('with a gap in the stream asks for a snapshot', async () => {
    const stream = setUp();
    await stream.send(snapshot, { type: 'other', seq: 12 });
    expect(stream.link).toMatchObject({ state: 'stale', reason: 'the stream has a gap' });
    await stream.clock.pass(1000);
    expect(stream.at(-1).position).toBeNull();
  });

  test.each([['not JSON'], ['{"type":"unknown"}'], ['{"type":"snapshot"}'], ['null'], ['[]']])(
    'because of the message %j keeps the picture and resumes',
    async (text) => {
      const stream = setUp();
      await stream.send(snapshot);
      stream.at(-1).handlers.message(text);
      await settled();
      expect(stream.link.state).toBe('stale');
      await stream.clock.pass(1000);
      expect(stream.at(-1).position).toEqual({ epoch: 'e', seq: 7 });
    },
  );
});

describe('a session that ended', () => {
  test('is opened again, once', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    await stream.end({ code: SESSION_ENDED, reason: 'the session has ended' });
    expect(stream.at(-1)).toMatchObject({ token: 'second', position: { epoch: 'e', seq: 7 } });
    await stream.end({ code: SESSION_ENDED, reason: 'the session has ended' });
    expect(stream.link).toMatchObject({ state: 'refused', reason: 'the session has ended' });
    await stream.clock.pass(3_600_000);
    expect(stream.connections).toHaveLength(2);
  });

  test('may end again after it was good', async () => {
    const stream = setUp();
    for (let round = 0; round < 3; round += 1) {
      await stream.send(snapshot);
      expect(stream.link.state).toBe('live');
      await stream.end({ code: 401, reason: 'unknown token' });
    }
    expect(stream.link.state).toBe('stale');
    expect(stream.connections).toHaveLength(4);
  });

  test('and needs a passphrase that nobody can type is refused with what to do', async () => {
    const stream = setUp({
      signIn: async () => {
        throw new Problem('signing-needs-terminal', 'the key asks for its passphrase');
      },
    });
    await stream.send(snapshot);
    await stream.end({ code: SESSION_ENDED, reason: '' });
    expect(stream.link).toMatchObject({ state: 'refused', reason: 'the key asks for its passphrase' });
  });

  test.each(['broker-unreachable', 'no-agent'] as const)('is signed in again after %s', async (code) => {
    let attempts = 0;
    const stream = setUp({
      signIn: async () => {
        attempts += 1;
        if (attempts < 3) throw new Problem(code, 'nobody listens');
        return 'third' as BearerToken;
      },
    });
    await stream.send(snapshot);
    await stream.end({ code: SESSION_ENDED, reason: '' });
    expect(stream.link).toMatchObject({ state: 'stale', reason: 'nobody listens' });
    await stream.clock.pass(10_000);
    expect(stream.at(-1).token).toBe('third');
  });
});

describe('a refusal', () => {
  test.each([REMOVED, 403])('with code %d is final', async (code) => {
    const stream = setUp();
    await stream.send(snapshot);
    await stream.end({ code, reason: 'the key is not enrolled any more' });
    expect(stream.link).toMatchObject({ state: 'refused', reason: 'the key is not enrolled any more' });
    await stream.clock.pass(3_600_000);
    expect(stream.connections).toHaveLength(1);
  });

  test.each([429, 503, 1012, 500])('with code %d passes', async (code) => {
    const stream = setUp();
    await stream.end({ code, reason: 'later' });
    expect(stream.link).toMatchObject({ state: 'stale', reason: 'later' });
  });
});

describe('connecting again by hand', () => {
  const inPerson = async () => 'third' as BearerToken;

  test('does not wait for the next try, and needs no new session for that', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    await stream.end(lost);
    stream.client.reconnect(inPerson);
    await settled();
    expect(stream.at(-1)).toMatchObject({ token: 'first', position: { epoch: 'e', seq: 7 } });
    await stream.clock.pass(3_000);
    expect(stream.connections).toHaveLength(2);
  });

  test('leads back from a refusal, with a new session', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    await stream.end({ code: REMOVED, reason: 'the key is not enrolled any more' });
    stream.client.reconnect(inPerson);
    await settled();
    expect(stream.link).toMatchObject({ state: 'stale', retryAt: null });
    expect(stream.at(-1).token).toBe('third');
    await stream.send({ type: 'resumed', epoch: 'e', seq: 7, waiting: {}, rings: {} });
    expect(stream.link.state).toBe('live');
  });

  test('is refused again while nothing has changed', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    await stream.end({ code: REMOVED, reason: 'the key is not enrolled any more' });
    stream.client.reconnect(async () => {
      throw new Problem('unknown-key', 'the key is not enrolled');
    });
    await settled();
    expect(stream.link).toMatchObject({ state: 'refused', reason: 'the key is not enrolled' });
    expect(stream.connections).toHaveLength(1);
  });

  test('does nothing where the link is live or about to be', async () => {
    const stream = setUp();
    await settled();
    stream.client.reconnect(inPerson);
    await stream.send(snapshot);
    stream.client.reconnect(inPerson);
    await settled();
    expect(stream.connections).toHaveLength(1);
    expect(stream.link.state).toBe('live');
  });
});

test('after stop nothing is opened or told any more', async () => {
  const stream = setUp();
  await stream.send(snapshot);
  await stream.end(lost);
  const told = stream.seen.length;
  stream.client.stop();
  await stream.clock.pass(3_600_000);
  expect(stream.connections).toHaveLength(1);
  expect(stream.seen).toHaveLength(told);
});

test('the wait before an attempt is spread over its whole span and never longer than 30 s', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 2000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (n, r) => {
        const wait = backoff(n, () => r);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThan(30_000);
      },
    ),
  );
  expect(backoff(0, () => 0)).toBe(0);
  expect(backoff(0, () => 0.999)).toBe(499);
  expect(backoff(50, () => 0.5)).toBe(15_000);
});

describe('which request is open here', () => {
  const [one, two] = [sampleId(1), sampleId(2)];
  const readers: StreamMessage = { type: 'reading', requests: [] };
  const said = (stream: ReturnType<typeof setUp>) =>
    stream.at(-1).sent.map((text) => parseConsoleMessage(Buffer.from(text))?.id);

  test('is not told to a broker of an older version, which would hang up', async () => {
    const stream = setUp();
    await stream.send(snapshot);
    stream.client.showReading(one);
    await stream.send(heartbeat(stream.clock));
    expect(said(stream)).toEqual([]);
  });

  test('is told at once, and the rest once a heartbeat, however fast somebody goes on', async () => {
    const stream = setUp();
    await stream.send(snapshot, readers);
    for (const id of [one, null, two, one, two]) stream.client.showReading(id);
    expect(said(stream)).toEqual([one]);
    await stream.send(heartbeat(stream.clock));
    expect(said(stream)).toEqual([one, two]);
    for (const id of [null, two]) stream.client.showReading(id);
    await stream.send(heartbeat(stream.clock));
    expect(said(stream)).toEqual([one, two]);
  });

  test('is told again over a new connection, and nothing where nothing is open', async () => {
    const stream = setUp();
    await stream.send(snapshot, readers);
    stream.client.showReading(one);
    await stream.end(lost);
    stream.client.showReading(two);
    await stream.clock.pass(30_000);
    expect(said(stream)).toEqual([]);
    await stream.send({ type: 'resumed', epoch: 'e', seq: 7, waiting: {}, rings: {} }, readers);
    expect(said(stream)).toEqual([two]);
    stream.client.showReading(null);
    await stream.end(lost);
    await stream.clock.pass(30_000);
    await stream.send({ type: 'resumed', epoch: 'e', seq: 7, waiting: {}, rings: {} }, readers);
    expect(said(stream)).toEqual([]);
  });
});
