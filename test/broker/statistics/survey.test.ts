import { describe, expect, test } from 'vitest';
import { Surveys } from '../../../broker/statistics/survey.js';
import type { OutcomePage, OutcomeQuery, RequestOutcome, Store } from '../../../broker/store/store.js';
import { leastIdAt } from '../../../src/protocol/filter.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { NOON, newRequest, put, StoreWorld, standing } from '../store/store-world.js';

const DAY = 86_400_000;
const idAt = (time: number): RequestId => leastIdAt(time) as RequestId;

/** A store with so many asks, one an hour, the newest an hour ago, that gives a few at a time. */
class HourlyStore implements Pick<Store, 'outcomes'> {
  readonly #count: number;
  steps = 0;

  constructor(count: number) {
    this.#count = count;
  }

  async outcomes({ since, before }: OutcomeQuery): Promise<OutcomePage> {
    this.steps += 1;
    const all = Array.from({ length: this.#count }, (_, n) => NOON - (n + 1) * 3_600_000)
      .filter((at) => at >= since && (before === null || idAt(at) < before))
      .slice(0, 10);
    const outcomes = all.map(
      (askedAt): RequestOutcome => ({
        askedAt,
        state: 'expired',
        rule: '{"name":"a"}',
        votes: [],
        grant: null,
        alone: false,
      }),
    );
    return { outcomes, next: all.length < 10 ? null : idAt(all.at(-1) ?? 0) };
  }
}

const query = { days: 30, zone: 'UTC', now: NOON, kept: null };
const always = () => true;

describe('a survey', () => {
  test('goes through all of the days, and no further', async () => {
    const told = await new Surveys(new HourlyStore(2000)).count({ ...query, days: 2 }, always);
    expect(told).toMatchObject({ since: NOON - 2 * DAY, until: NOON, reach: 'days', asked: 48, expired: 48 });
    expect(told.days.map(({ asked }) => asked)).toEqual([12, 24, 12]);
  });

  test('ends after so many requests, and says from when on it counted', async () => {
    const store = new HourlyStore(2000);
    const told = await new Surveys(store, 95).count(query, always);
    expect(told).toMatchObject({ reach: 'search', asked: 100, since: NOON - 100 * 3_600_000 });
    expect([told.days.length, store.steps]).toEqual([5, 10]);
  });

  test('says where nothing older is kept', async () => {
    const told = await new Surveys(new HourlyStore(50)).count({ ...query, kept: NOON - DAY }, always);
    expect(told).toMatchObject({ reach: 'kept', since: NOON - DAY, asked: 24 });
  });

  test('is given up once nobody wants to know, and the next one comes after it', async () => {
    const store = new HourlyStore(2000);
    const surveys = new Surveys(store);
    const order: string[] = [];
    const first = surveys.count(query, () => false).then(() => order.push(`first after ${store.steps}`));
    const second = surveys.count({ ...query, days: 1 }, always).then(() => order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['first after 1', 'second']);
  });

  test('that failed keeps no other one from being made', async () => {
    const store = new HourlyStore(5);
    const surveys = new Surveys(store);
    const failing = surveys.count({ ...query, zone: 'Nowhere/Land' }, always);
    await expect(failing).rejects.toThrow(RangeError);
    expect(await surveys.count(query, always)).toMatchObject({ asked: 5 });
  });

  test('of a real store counts live requests too, and nothing that was erased', async () => {
    const world = await StoreWorld.open();
    const asked = Array.from({ length: 150 }, (_, n) => ({
      ...newRequest(),
      id: `${leastIdAt(NOON).slice(0, 10)}${String(n).padStart(16, '0')}` as RequestId,
    }));
    await Promise.all(asked.map((one) => world.store.change(standing(one), () => put(one))));
    const [first, second] = asked;
    if (first === undefined || second === undefined) throw new TypeError('no requests');
    const denied = { ...first, state: 'denied' as const, endedAt: NOON, endedBy: 'bob' };
    await world.store.change({ id: first.id }, () => put(denied));
    world
      .outside()
      .prepare(
        'UPDATE requests SET state = \'erased\', life = \'{"end":"denied","endedAt":null}\' WHERE id = ?',
      )
      .run(second.id);
    const told = await new Surveys(world.store).count({ ...query, now: NOON + DAY }, always);
    expect(told).toMatchObject({ reach: 'days', asked: 149, denied: 1 });
  });
});
