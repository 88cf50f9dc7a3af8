import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NewEvent, Request } from '../../../broker/requests/request.js';
import type { Hold } from '../../../broker/retention/erasure.js';
import { heldBy, lifted, placed } from '../../../broker/retention/holds.js';
import { Retention } from '../../../broker/retention/retention.js';
import { nextRetentionTime } from '../../../broker/retention/retention-time.js';
import { type LogEntry, verifyChain } from '../../../src/protocol/event-log.js';
import { leastIdAt } from '../../../src/protocol/filter.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import { NOON, newRequest, StoreWorld, standing } from '../store/store-world.js';

const DAY = 86_400_000;
const KEEP = 30 * 86_400;
const name = (text: string): Name => text as Name;

/** A store with requests of known ages, and retention over it by a clock that the test moves. */
class RetentionWorld {
  readonly stored: StoreWorld;
  readonly erased: RequestId[] = [];
  #count = 0;

  private constructor(stored: StoreWorld) {
    this.stored = stored;
  }

  static async open(): Promise<RetentionWorld> {
    return new RetentionWorld(await StoreWorld.open());
  }

  get store() {
    return this.stored.store;
  }

  pass(days: number): void {
    this.stored.now += days * DAY;
  }

  async ask(requester = 'alice'): Promise<Request> {
    this.#count += 1;
    const { now } = this.stored;
    const id = leastIdAt(now).slice(0, 10) + String(this.#count).padStart(16, '0');
    const request = { ...newRequest({ requester }), id: id as RequestId, submittedAt: now };
    await this.#change(standing(request), request, 'request.submitted');
    return request;
  }

  async deny(request: Request): Promise<Request> {
    const ended: Request = { ...request, state: 'denied', endedAt: this.stored.now, endedBy: 'bob' };
    await this.#change({ id: request.id }, ended, 'request.denied');
    return ended;
  }

  async review(request: Request, isOpen: boolean): Promise<void> {
    const { requester, resource } = request.document;
    const review = { request: request.id, requester, resource, openedAt: this.stored.now, signed: [] };
    await this.store.change({ id: request.id }, () => ({
      events: [],
      review: isOpen ? review : null,
      result: null,
    }));
  }

  hold(hold: Pick<Hold, 'name' | 'filter'>): Promise<void> {
    const whole = { ...hold, reason: 'court' };
    return this.store.changeHolds((holds) => placed(holds, whole, this.stored.now));
  }

  lift(hold: Name): Promise<void> {
    return this.store.changeHolds((holds) => lifted(holds, hold, this.stored.now));
  }

  start(keep: number | null = KEEP): Promise<Retention> {
    return Retention.open({ store: this.store, keep, onErased: (ids) => this.erased.push(...ids) });
  }

  /** Lets retention, which has followed the clock all the while, do what is due. */
  async erase(ticks = 10): Promise<void> {
    await this.store.keepRetentionTime(this.stored.now);
    const retention = await this.start();
    for (let tick = 0; tick < ticks; tick += 1) await retention.tick(this.stored.now);
  }

  async log(): Promise<readonly LogEntry[]> {
    return this.store.events({ after: 0, limit: 100_000 });
  }

  #change(
    key: Parameters<typeof this.store.change>[0],
    request: Request,
    kind: NewEvent['kind'],
  ): Promise<null> {
    const body = { requester: request.document.requester, state: request.state };
    const events = [{ kind, at: this.stored.now, body }];
    return this.store.change(key, () => ({ request, events, result: null }));
  }
}

describe('retention', () => {
  test('erases what ended so long ago, and nothing that ended later', async () => {
    const world = await RetentionWorld.open();
    const early = await world.deny(await world.ask());
    const slow = await world.ask();
    world.pass(1);
    await world.deny(slow);
    world.pass(29);
    await world.erase();
    expect(world.erased).toEqual([]);
    world.stored.now += 1000;
    await world.erase();
    expect(world.erased).toEqual([early.id]);
    world.pass(1);
    await world.erase();
    expect(world.erased).toEqual([early.id, slow.id]);
  });

  test('keeps everything unless it is told how long', async () => {
    const world = await RetentionWorld.open();
    await world.deny(await world.ask());
    world.pass(4000);
    await world.store.keepRetentionTime(world.stored.now);
    const retention = await world.start(null);
    for (let tick = 0; tick < 5; tick += 1) await retention.tick(world.stored.now);
    expect(world.erased).toEqual([]);
    expect(retention.state).toEqual({ keep: null, behind: 0 });
  });

  test('goes through all of it, some at each tick, then rests for an hour', async () => {
    const world = await RetentionWorld.open();
    for (let count = 0; count < 50; count += 1) await world.deny(await world.ask());
    world.pass(31);
    await world.store.keepRetentionTime(world.stored.now);
    const retention = await world.start();
    const counts: number[] = [];
    for (let tick = 0; tick < 4; tick += 1) {
      await retention.tick(world.stored.now);
      counts.push(world.erased.length);
    }
    expect(counts).toEqual([20, 40, 50, 50]);
    const late = await world.deny(await world.ask());
    const commits = world.store.seq;
    for (let tick = 0; tick < 1799; tick += 1) await retention.tick(world.stored.now + tick * 2000);
    expect(world.store.seq).toBe(commits);
    expect(await world.store.find({ id: late.id })).toEqual(late);
  });

  test('waits for a second tick while it is busy with the first', async () => {
    const world = await RetentionWorld.open();
    for (let count = 0; count < 50; count += 1) await world.deny(await world.ask());
    world.pass(31);
    await world.store.keepRetentionTime(world.stored.now);
    const retention = await world.start();
    await Promise.all([retention.tick(world.stored.now), retention.tick(world.stored.now)]);
    expect(world.erased).toHaveLength(20);
  });
});

describe('the time by which retention goes', () => {
  test('is never ahead of the clock, and follows a leap at twice the pace of time', () => {
    expect(nextRetentionTime(NOON, NOON + 1000)).toBe(NOON + 1000);
    expect(nextRetentionTime(NOON, NOON + 365 * DAY)).toBe(NOON + 2000);
    expect(nextRetentionTime(NOON, NOON - DAY)).toBe(NOON - DAY);
  });

  test('lets a clock that leaps a year ahead erase nothing, not after a restart either (A41)', async () => {
    const world = await RetentionWorld.open();
    const request = await world.deny(await world.ask());
    await world.store.keepRetentionTime(world.stored.now);
    world.pass(365);
    for (let restart = 0; restart < 3; restart += 1) {
      await world.stored.reopen();
      const retention = await world.start();
      for (let tick = 0; tick < 700; tick += 1) {
        world.stored.now += 1000;
        await retention.tick(world.stored.now);
      }
      expect(retention.state.behind).toBeGreaterThan(364 * DAY);
    }
    expect(await world.store.find({ id: request.id })).toEqual(request);
    expect(world.store.retentionTime()).toBeLessThanOrEqual(NOON + 2 * 3 * 700_000);
  });

  test('begins, where it never went, with the newest entry of the log', async () => {
    const world = await RetentionWorld.open();
    await world.deny(await world.ask());
    world.pass(365);
    const retention = await world.start();
    await retention.tick(world.stored.now);
    expect(world.erased).toEqual([]);
    expect(retention.state).toEqual({ keep: KEEP, behind: 365 * DAY - 2000 });
  });
});

describe('a legal hold', () => {
  test('keeps what its filter names, however old, until it is lifted', async () => {
    const world = await RetentionWorld.open();
    const [alices, bobs] = [await world.deny(await world.ask()), await world.deny(await world.ask('bob'))];
    await world.hold({ name: name('case-7'), filter: 'requester:alice' });
    await world.stored.reopen();
    world.pass(31);
    await world.erase();
    expect(world.erased).toEqual([bobs.id]);
    expect(await world.store.find({ id: alices.id })).toEqual(alices);
    await world.lift(name('case-7'));
    await world.erase();
    expect(world.erased).toEqual([bobs.id, alices.id]);
    const told = (await world.log()).filter(({ kind }) => kind.startsWith('hold.'));
    expect(told.map(({ kind, body }) => [kind, JSON.parse(body ?? '')])).toEqual([
      ['hold.placed', { name: 'case-7', filter: 'requester:alice', reason: 'court' }],
      ['hold.lifted', { name: 'case-7', filter: 'requester:alice', since: '2026-01-31T12:00:00Z' }],
    ]);
  });

  test('counts its times back from when it was placed, not from when they are read', async () => {
    const world = await RetentionWorld.open();
    const early = await world.deny(await world.ask());
    world.pass(5);
    const late = await world.deny(await world.ask());
    world.pass(2);
    await world.hold({ name: name('week'), filter: 'since:3d' });
    world.pass(300);
    await world.erase();
    expect(world.erased).toEqual([early.id]);
    expect(await world.store.find({ id: late.id })).toEqual(late);
  });

  test('stops what is being erased in the middle', async () => {
    const world = await RetentionWorld.open();
    for (let count = 0; count < 50; count += 1) await world.deny(await world.ask());
    world.pass(31);
    await world.store.keepRetentionTime(world.stored.now);
    const retention = await world.start();
    await retention.tick(world.stored.now);
    const ticked = retention.tick(world.stored.now);
    await Promise.all([ticked, world.hold({ name: name('all'), filter: 'requester:*' })]);
    const erased = world.erased.length;
    for (let tick = 0; tick < 5; tick += 1) await retention.tick(world.stored.now);
    expect(world.erased).toHaveLength(erased);
    const holds = (await world.log()).findIndex(({ kind }) => kind === 'hold.placed');
    const last = (await world.log()).findLastIndex(({ kind }) => kind === 'history.erased');
    expect(last).toBeLessThan(holds);
  });

  test('is refused under a name that is taken, or with a filter that nobody can read', async () => {
    const holds = placed(new Map(), { name: name('a'), filter: 'id:*', reason: 'x' }, NOON).holds;
    const codeOf = (place: () => unknown): unknown => {
      try {
        return place();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(codeOf(() => placed(holds, { name: name('a'), filter: 'id:*', reason: 'x' }, NOON))).toBe(
      'hold-exists',
    );
    expect(codeOf(() => placed(holds, { name: name('b'), filter: 'since:soon', reason: 'x' }, NOON))).toBe(
      'usage',
    );
    expect(codeOf(() => lifted(holds, name('b'), NOON))).toBe('hold-unknown');
  });
});

type Step =
  | { readonly kind: 'ask' | 'review'; readonly who: string }
  | { readonly kind: 'deny' | 'unreview' | 'erase' | 'reopen' }
  | { readonly kind: 'pass'; readonly days: number }
  | { readonly kind: 'hold' | 'lift'; readonly who: string };

const who = fc.constantFrom('alice', 'bob', 'carol');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: who.map((one) => ({ kind: 'ask' as const, who: one })) },
  { weight: 6, arbitrary: fc.constant({ kind: 'deny' as const }) },
  { weight: 4, arbitrary: fc.nat({ max: 40 }).map((days) => ({ kind: 'pass' as const, days })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'erase' as const }) },
  who.map((one) => ({ kind: 'hold' as const, who: one })),
  who.map((one) => ({ kind: 'lift' as const, who: one })),
  who.map((one) => ({ kind: 'review' as const, who: one })),
  fc.constant({ kind: 'unreview' as const }),
  fc.constant({ kind: 'reopen' as const }),
);

describe('over any history', () => {
  test('the chain holds, what must stay stays as it was, the rest is gone, and no document is ever new again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = await RetentionWorld.open();
        const pending: Request[] = [];
        const ended = new Map<RequestId, Request>();
        const reviewed = new Set<RequestId>();
        const gone = new Map<RequestId, Request>();
        for (const one of [...steps, { kind: 'erase' as const }]) {
          if (one.kind === 'pass') world.pass(one.days);
          if (one.kind === 'ask') pending.push(await world.ask(one.who));
          if (one.kind === 'deny') {
            const request = pending.shift();
            if (request !== undefined) ended.set(request.id, await world.deny(request));
          }
          if (one.kind === 'review') {
            for (const request of [...ended.values()].filter(
              ({ document }) => document.requester === one.who,
            )) {
              await world.review(request, true);
              reviewed.add(request.id);
            }
          }
          if (one.kind === 'unreview') {
            for (const id of reviewed) await world.review(ended.get(id) as Request, false);
            reviewed.clear();
          }
          if (one.kind === 'hold' && !world.store.holds().has(name(one.who))) {
            await world.hold({ name: name(one.who), filter: `person:${one.who}` });
          }
          if (one.kind === 'lift' && world.store.holds().has(name(one.who))) await world.lift(name(one.who));
          if (one.kind === 'reopen') await world.stored.reopen();
          if (one.kind === 'erase') {
            await world.erase();
            const isHeld = heldBy(world.store.holds());
            for (const [id, request] of ended) {
              const isOld = (request.endedAt ?? 0) < world.stored.now - KEEP * 1000;
              if (!isOld || reviewed.has(id) || isHeld(request)) continue;
              gone.set(id, request);
              ended.delete(id);
            }
          }
        }
        for (const request of [...pending, ...ended.values()]) {
          expect(await world.store.find({ id: request.id })).toEqual(request);
        }
        for (const request of gone.values()) {
          expect(await world.store.find({ id: request.id })).toBeNull();
          await expect(
            world.store.change(standing(request), () => ({ request, events: [], result: null })),
          ).rejects.toThrow('erased');
        }
        const log = await world.log();
        expect(verifyChain(log)).toBeNull();
        const named = log
          .filter(({ kind }) => kind === 'history.erased')
          .flatMap(({ body }) => JSON.parse(body ?? '').ids as RequestId[]);
        expect(new Set(named)).toEqual(new Set(gone.keys()));
        for (const { body, request } of log) {
          expect(body === null).toBe(request !== null && gone.has(request as RequestId));
        }
        await world.store.close();
      }),
      { numRuns: 20 },
    );
  });
});
