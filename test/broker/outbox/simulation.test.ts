import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import type { LogEntry } from '../../../src/protocol/event-log.js';
import type { Problem } from '../../../src/protocol/problems.js';
import { answered, OutboxWorld, type Receiver, TAKEN, type Treatment } from './outbox-world.js';

const SINKS = ['webhook:siem', 'webhook:chat'] as const;
const HOURS = 3;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What a receiver is like for a while. */
const WEATHERS = ['good', 'down', 'slow', 'failing', 'doubling', 'losing answers', 'mixed'] as const;
type Weather = (typeof WEATHERS)[number];

/** Repeatable numbers from 0 to below 1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One receiver under its weather, with messages that it will not take until it is mended. */
class Climate {
  readonly receiver: Receiver;
  readonly dropped = new Set<number>();
  /** How many tries there had been when an event was dropped. */
  readonly triesAtDrop = new Map<number, number>();
  weather: Weather = 'good';
  isMended = false;
  readonly #random: () => number;

  constructor(receiver: Receiver, random: () => number) {
    this.receiver = receiver;
    this.#random = random;
    receiver.treat = ({ seq }) => this.#treatment(seq);
  }

  /** Refused until it is mended; 'gone' at once, or after five tries. */
  poison(seq: number): 'gone' | 'refused' | null {
    if (this.isMended) return null;
    if (seq % 97 === 0) return 'gone';
    return seq % 53 === 0 ? 'refused' : null;
  }

  #treatment(seq: number): Treatment {
    const weather = this.weather === 'mixed' ? this.#one(WEATHERS) : this.weather;
    const after = Math.floor(this.#random() * 3) * 1000;
    if (weather === 'down') return { copies: 0, sent: answered('unreachable'), after };
    const poison = this.poison(seq);
    if (poison !== null) return { copies: 0, sent: answered(poison) };
    switch (weather) {
      case 'slow':
        return { copies: 1, sent: TAKEN, after: 1000 + Math.floor(this.#random() * 9000) };
      case 'failing':
        return this.#random() < 0.7 ? { copies: 0, sent: answered('failed') } : { copies: 1, sent: TAKEN };
      case 'doubling':
        return { copies: 2, sent: TAKEN };
      case 'losing answers':
        return { copies: 1, sent: this.#random() < 0.5 ? answered('unreachable') : TAKEN, after };
      default:
        return { copies: 1, sent: TAKEN };
    }
  }

  #one<Thing>(things: readonly Thing[]): Thing {
    return things[Math.floor(this.#random() * things.length)] as Thing;
  }
}

test.each([1, 2])(
  `in ${HOURS} hours of bad receivers and kill -9 every event arrives, in the order of its request, and nothing after a drop (A41) [seed %i]`,
  async (seed) => {
    const random = numbers(seed);
    const chance = (probability: number): boolean => random() < probability;
    const world = await OutboxWorld.open(...SINKS);
    world.random = random;
    const from = world.store.seq;
    const climates = world.receivers.map((receiver) => new Climate(receiver, random));
    const live: Request[] = [];
    const end = world.now + HOURS * HOUR;

    async function work(): Promise<void> {
      if (chance(0.25) || live.length === 0) {
        live.push(await world.submit());
      } else if (chance(0.05)) {
        await world.record();
      } else {
        const index = Math.floor(random() * live.length);
        await world.tell(live[index] as Request);
        if (chance(0.3)) live.splice(index, 1);
      }
    }

    async function decide(climate: Climate): Promise<void> {
      const { sink } = climate.receiver;
      const letters = (await world.dead()).filter((letter) => letter.sink === sink);
      for (const { event, attempts, refusals } of letters) {
        // Dead is what the receiver will not take, and only after as many tries as that takes.
        expect([event, event % 97 === 0 || (event % 53 === 0 && refusals >= 5)]).toEqual([event, true]);
        expect(attempts).toBeGreaterThan(0);
      }
      const [letter] = letters;
      if (letter !== undefined && chance(0.2)) {
        if (chance(0.5)) await world.outbox.retry(sink, { event: letter.event }, null);
        else await drop(climate, letter.event);
      }
      // One that may be on its way, or waits, or has arrived.
      const tried = climate.receiver.tried.at(-1);
      if (tried !== undefined && chance(0.01)) await drop(climate, tried.seq);
    }

    async function drop({ receiver, dropped, triesAtDrop }: Climate, event: number): Promise<void> {
      try {
        await world.outbox.drop(receiver.sink, { event }, null);
      } catch (error) {
        if ((error as Problem).code === 'no-delivery') return;
        throw error;
      }
      dropped.add(event);
      triesAtDrop.set(event, receiver.numbers(receiver.tried).filter((seq) => seq === event).length);
    }

    while (world.now < end) {
      for (const climate of climates)
        if (chance(0.02)) climate.weather = WEATHERS[Math.floor(random() * WEATHERS.length)] ?? 'good';
      // One of them is away for more than an hour.
      if (world.now > end - 2 * HOUR && world.now < end - 0.8 * HOUR)
        (climates[0] as Climate).weather = 'down';
      for (let more = random() * 4; more > 1; more -= 1) await work();
      for (const climate of climates) await decide(climate);
      const passed = world.pass(Math.floor(random() * 30) * 1000);
      if (chance(0.03)) {
        for (let turns = random() * 12; turns > 1; turns -= 1) await nextTurn();
        await world.kill();
      }
      await passed;
    }
    for (const climate of climates) {
      climate.weather = 'good';
      climate.isMended = true;
    }
    for (const { sink } of climates.map(({ receiver }) => receiver))
      await world.outbox.retry(sink, { all: true }, null);
    for (let minutes = 0; world.outbox.standings().some(({ waiting }) => waiting > 0); minutes += 1) {
      expect(minutes).toBeLessThan(60);
      await world.pass(MINUTE);
    }

    const log: readonly LogEntry[] = await world.store.events({ after: from, limit: 100_000 });
    const lines = Map.groupBy(log, ({ request }) => request);
    for (const { receiver, dropped, triesAtDrop } of climates) {
      const tried = Map.groupBy(receiver.tried, ({ request }) => request as string | null);
      const taken = Map.groupBy(receiver.taken, ({ request }) => request as string | null);
      for (const [request, entries] of lines) {
        const due = entries.map((entry) => entry.seq).filter((event) => !dropped.has(event));
        const came = receiver.numbers(taken.get(request as never) ?? []);
        expect([...new Set(came)].filter((event) => !dropped.has(event))).toEqual(due);
        const tries = receiver.numbers(tried.get(request as never) ?? []);
        expect(tries).toEqual(tries.toSorted((a, b) => a - b));
      }
      for (const [event, tries] of triesAtDrop) {
        expect([event, receiver.numbers(receiver.tried).filter((n) => n === event).length]).toEqual([
          event,
          tries,
        ]);
      }
      expect(dropped.size).toBeGreaterThan(0);
      expect(new Set(receiver.tried.map(({ key }) => key)).size).toBe(
        new Set(receiver.numbers(receiver.tried)).size,
      );
    }
  },
  60_000,
);
