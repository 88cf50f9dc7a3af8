import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EMPTY_FEED,
  isComplete,
  KEPT_ENDED,
  type QueueFeed,
  receive,
  reopened,
  type StreamPosition,
} from '../../src/client/queue-feed.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import { isLive, type RequestStatus, type RequestView } from '../../src/protocol/request-view.js';
import type { StreamMessage } from '../../src/protocol/stream-messages.js';
import { NOW, sampleRequest } from '../components/sample-requests.js';

/** The same, without the promise not to change it. */
type SentView = Extract<StreamMessage, { type: 'submitted' }>['request'];
type Event = Extract<StreamMessage, { type: 'submitted' | 'changed' | 'other' }>;

/** What a broker keeps and sends, as far as one console can see it. */
class ModelBroker {
  epoch = 'first';
  readonly rows = new Map<RequestId, RequestView>();
  #events: Event[] = [];
  #base = 0;
  #count = 0;
  /** What is on its way to the console, in order. */
  outgoing: StreamMessage[] = [];

  get seq(): number {
    return this.#base + this.#events.length;
  }

  connect(position: StreamPosition | null): void {
    const { epoch, seq } = this;
    const canResume = position?.epoch === epoch && position.seq >= this.#base && position.seq <= seq;
    const waiting = Object.fromEntries([...this.rows.values()].map((row) => [row.id, row.waiting]));
    this.outgoing = canResume
      ? [
          { type: 'resumed', epoch, seq, waiting, rings: {} },
          ...this.#events.slice(position.seq - this.#base),
        ]
      : [
          {
            type: 'snapshot',
            epoch,
            seq,
            requests: [...this.rows.values()] as SentView[],
            restoration: null,
          },
        ];
  }

  submit(): void {
    this.#count += 1;
    const request = sampleRequest({ n: this.#count });
    this.rows.set(request.id, request);
    this.#log({ type: 'submitted', seq: this.seq + 1, request: request as SentView });
  }

  change(pick: number, change: Partial<RequestStatus>): void {
    const live = [...this.rows.values()].filter(({ state }) => isLive(state));
    const row = live[pick % Math.max(1, live.length)];
    if (row === undefined) return;
    const changed = { ...row, ...change };
    this.rows.set(row.id, changed);
    const { state, claimBy, waiting, votes, missing, redeemedAt, report, endedAt, endedBy } = changed;
    const { grant, uses, watchedAt, comments, escalated } = changed;
    const status = { state, claimBy, waiting, votes: [...votes], missing: [...missing], redeemedAt, report };
    this.#log({
      type: 'changed',
      seq: this.seq + 1,
      kind: 'request.voted',
      id: row.id,
      status: {
        ...status,
        alone: null,
        grant,
        uses,
        watchedAt,
        canary: null,
        endedAt,
        endedBy,
        comments,
        escalated,
      },
    });
  }

  wait(pick: number, waiting: number): void {
    const rows = [...this.rows.values()].filter(({ state }) => isLive(state));
    const row = rows[pick % Math.max(1, rows.length)];
    if (row === undefined) return;
    this.rows.set(row.id, { ...row, waiting });
    this.outgoing.push({ type: 'waiting', id: row.id, waiting });
  }

  other(): void {
    this.#log({ type: 'other', seq: this.seq + 1 });
  }

  heartbeat(): void {
    this.outgoing.push({ type: 'heartbeat', seq: this.seq, clock: NOW });
  }

  /** A restart forgets the events that could have been resumed from. */
  forget(): void {
    this.#base = this.seq;
    this.#events = [];
  }

  #log(event: Event): void {
    this.#events.push(event);
    this.outgoing.push(event);
  }
}

type Step = (broker: ModelBroker, console: Console) => void;

/** A console as {@link StreamClient} plays it, without its timers. */
class Console {
  feed: QueueFeed = EMPTY_FEED;
  readonly #broker: ModelBroker;

  constructor(broker: ModelBroker) {
    this.#broker = broker;
    this.reconnect();
  }

  reconnect(): void {
    this.feed = reopened(this.feed);
    this.#broker.connect(this.feed.position);
  }

  read(count: number): void {
    this.feed = receive(this.feed, this.#broker.outgoing.splice(0, count), NOW);
    if (this.feed.position === null && this.feed !== EMPTY_FEED) this.reconnect();
  }

  catchUp(): void {
    while (this.#broker.outgoing.length > 0) this.read(this.#broker.outgoing.length);
  }
}

const number = fc.nat({ max: 50 });
const ended: Partial<RequestStatus> = { state: 'denied', endedAt: NOW, endedBy: 'denied by bob' };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>((broker) => broker.submit()),
  number.map(
    (pick): Step =>
      (broker) =>
        broker.change(pick, { state: 'approved', claimBy: NOW }),
  ),
  number.map(
    (pick): Step =>
      (broker) =>
        broker.change(pick, ended),
  ),
  fc.tuple(number, number).map(
    ([pick, waiting]): Step =>
      (broker) =>
        broker.wait(pick, waiting),
  ),
  fc.constant<Step>((broker) => broker.other()),
  fc.constant<Step>((broker) => broker.heartbeat()),
  number.map(
    (count): Step =>
      (_broker, console) =>
        console.read(count),
  ),
  fc.constant<Step>((_broker, console) => console.reconnect()),
  fc.constant<Step>((broker, console) => {
    broker.forget();
    console.reconnect();
  }),
  fc.constant<Step>((broker, console) => {
    broker.epoch += '+';
    console.reconnect();
  }),
  // Faults that a correct broker and TCP do not have.
  number.map(
    (at): Step =>
      (broker) =>
        void broker.outgoing.splice(at, 1),
  ),
  number.map(
    (at): Step =>
      ({ outgoing }) => {
        const message = outgoing[at];
        // Askers have no number: said twice in another order they are told again, never lost.
        if (message !== undefined && message.type !== 'waiting') outgoing.push(message);
      },
  ),
);

describe('the picture', () => {
  test('ends as the broker has it, whatever was lost, doubled or interrupted on the way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const broker = new ModelBroker();
        const console = new Console(broker);
        for (const run of steps) run(broker, console);
        broker.heartbeat();
        broker.heartbeat();
        console.catchUp();
        // A lost word about askers is made good by the next connection.
        console.reconnect();
        console.catchUp();
        expect(isComplete(console.feed)).toBe(true);
        expect(console.feed.picture.seq).toBe(broker.seq);
        expect(byId(console.feed.picture.requests)).toEqual(byId(broker.rows));
      }),
      { numRuns: 500 },
    );
  });

  test('is the same however the messages are cut into batches', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 5 })),
        (steps, cuts) => {
          const broker = new ModelBroker();
          const console = new Console(broker);
          for (const run of steps) run(broker, console);
          const messages = [...broker.outgoing];
          const whole = receive(console.feed, messages, NOW);
          let piecemeal = console.feed;
          for (const cut of cuts) piecemeal = receive(piecemeal, messages.splice(0, cut), NOW);
          expect(receive(piecemeal, messages, NOW)).toEqual(whole);
        },
      ),
    );
  });

  test('is not changed by what is known already, so nothing is painted again', () => {
    const broker = new ModelBroker();
    const console = new Console(broker);
    broker.submit();
    console.catchUp();
    const { picture } = console.feed;
    broker.heartbeat();
    broker.wait(0, 1);
    console.catchUp();
    expect(console.feed.picture).toBe(picture);
  });

  test('does not go back when an old event comes again', () => {
    const broker = new ModelBroker();
    const console = new Console(broker);
    broker.submit();
    const [, submitted] = broker.outgoing;
    broker.change(0, ended);
    console.catchUp();
    if (submitted === undefined) throw new Error('nothing was sent');
    expect(receive(console.feed, [submitted], NOW)).toEqual(console.feed);
  });

  test('leaves the picture that was given out before as it was', () => {
    const broker = new ModelBroker();
    const console = new Console(broker);
    broker.submit();
    console.catchUp();
    const { requests } = console.feed.picture;
    broker.submit();
    broker.change(0, ended);
    console.catchUp();
    expect([...requests.values()].map(({ state }) => state)).toEqual(['pending']);
  });
});

describe('a gap', () => {
  const start = (): { broker: ModelBroker; feed: QueueFeed } => {
    const broker = new ModelBroker();
    const console = new Console(broker);
    broker.submit();
    console.catchUp();
    return { broker, feed: console.feed };
  };

  test('between two events leads to a new snapshot', () => {
    const { feed } = start();
    expect(receive(feed, [{ type: 'other', seq: 3 }], NOW).position).toBeNull();
  });

  test('that only heartbeats show leads to a new snapshot at the second one', () => {
    const { feed } = start();
    const first = receive(feed, [{ type: 'heartbeat', seq: 2, clock: NOW }], NOW);
    expect(first.position).not.toBeNull();
    expect(receive(first, [{ type: 'heartbeat', seq: 2, clock: NOW }], NOW).position).toBeNull();
    const late = receive(first, [{ type: 'other', seq: 2 }], NOW);
    expect(receive(late, [{ type: 'heartbeat', seq: 2, clock: NOW }], NOW).position).not.toBeNull();
  });

  test('that another epoch makes leads to a new snapshot', () => {
    const { feed } = start();
    const resumed = { type: 'resumed', epoch: 'other', seq: 1, waiting: {}, rings: {} } as const;
    expect(receive(reopened(feed), [resumed], NOW).position).toBeNull();
  });

  test('is filled before the picture counts as complete (A28)', () => {
    const { feed } = start();
    const resumed = { type: 'resumed', epoch: 'first', seq: 3, waiting: {}, rings: {} } as const;
    const steps = [resumed, { type: 'other', seq: 2 }, { type: 'other', seq: 3 }] as const;
    let current = reopened(feed);
    const complete = [isComplete(current)];
    for (const message of steps) {
      current = receive(current, [message], NOW);
      complete.push(isComplete(current));
    }
    expect(complete).toEqual([false, false, false, true]);
  });
});

describe('ended requests', () => {
  test(`beyond the newest ${KEPT_ENDED} are dropped, live ones never`, () => {
    const requests = Array.from({ length: 500 }, (_, n) =>
      sampleRequest(n % 2 === 0 ? { n } : { n, state: 'denied', endedAt: NOW + n }),
    ) as SentView[];
    const { picture } = receive(
      EMPTY_FEED,
      [{ type: 'snapshot', epoch: 'e', seq: 9, requests, restoration: null }],
      NOW,
    );
    const kept = [...picture.requests.values()];
    expect(kept.filter(({ state }) => isLive(state))).toHaveLength(250);
    const ends = kept.filter(({ state }) => !isLive(state)).map(({ endedAt }) => endedAt);
    expect(ends).toHaveLength(KEPT_ENDED);
    expect(Math.min(...ends.map(Number))).toBe(NOW + 500 - 2 * KEPT_ENDED + 1);
  });

  test('that were dropped may still be spoken of', () => {
    const status = { ...sampleRequest({ state: 'redeemed' }), votes: [], missing: [] };
    const snapshot = receive(
      EMPTY_FEED,
      [{ type: 'snapshot', epoch: 'e', seq: 1, requests: [], restoration: null }],
      NOW,
    );
    const message = { type: 'changed', seq: 2, kind: 'request.reported', id: status.id, status } as const;
    const after = receive(snapshot, [message], NOW);
    expect(after.position?.seq).toBe(2);
    expect(after.picture.requests.size).toBe(0);
  });
});

describe('the clock offset', () => {
  const beat = (clock: number) => receive(EMPTY_FEED, [{ type: 'heartbeat', seq: 0, clock }], NOW).picture;

  test('follows the broker, but not the jitter of the network', () => {
    expect(beat(NOW + 90_000).clockOffset).toBe(90_000);
    expect(beat(NOW - 90_000).clockOffset).toBe(-90_000);
    expect(beat(NOW - 300).clockOffset).toBe(0);
  });
});

const byId = (rows: ReadonlyMap<RequestId, RequestView>) =>
  [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));

test('what is wrong with the policy file is kept while the broker says so, and not over a new connection', () => {
  const refused = { file: 'policy.yaml', since: NOW, waiting: false, mistakes: ['policy.yaml:1:1: no'] };
  const told = receive(EMPTY_FEED, [{ type: 'policy', refused, failing: ['oncall'] }], NOW);
  expect(told.picture.policy).toEqual({ refused, failing: ['oncall'] });
  expect(receive(told, [{ type: 'policy', refused: null, failing: [] }], NOW).picture.policy).toBe(null);
  expect(reopened(told).picture.policy).toBe(null);
});

test('how what leaves the broker fares is as it was said last, and not known over a new connection until it is said again', () => {
  const siem = { sink: 'webhook:siem', configured: true, waiting: 3, dead: 1, failing: 'HTTP 410' };
  const told = receive(EMPTY_FEED, [{ type: 'outbox', sinks: [siem] }], NOW);
  expect(told.picture.outbox).toEqual([siem]);
  const later = receive(told, [{ type: 'outbox', sinks: [{ ...siem, dead: 0 }] }], NOW);
  expect(later.picture.outbox).toEqual([{ ...siem, dead: 0 }]);
  expect(reopened(later).picture.outbox).toEqual([]);
});

test('who reads what is as it was said last of each request, and not known over a new connection', () => {
  const [one, two] = [sampleRequest({ n: 1 }).id, sampleRequest({ n: 2 }).id];
  const names = (...given: readonly string[]) => given as Name[];
  const at = (feed: QueueFeed) => [...feed.picture.reading];
  const told = receive(
    EMPTY_FEED,
    [
      {
        type: 'reading',
        requests: [
          { id: one, names: names('carol') },
          { id: two, names: names('carol', 'dave') },
        ],
      },
    ],
    NOW,
  );
  expect(at(told)).toEqual([
    [one, ['carol']],
    [two, ['carol', 'dave']],
  ]);
  const later = receive(told, [{ type: 'reading', requests: [{ id: two, names: [] }] }], NOW);
  expect(at(later)).toEqual([[one, ['carol']]]);
  expect(at(told)).toHaveLength(2);
  expect(at(reopened(later))).toEqual([]);
});
