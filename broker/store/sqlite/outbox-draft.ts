import type { EpochMs } from '../../../src/protocol/time.js';
import { revived } from '../../outbox/verdict.js';
import {
  type DeadLetters,
  type Delivery,
  type DeliveryChange,
  type DeliveryName,
  followsLog,
  type Sink,
  type SinkProgress,
} from '../deliveries.js';
import type { Store } from '../store.js';
import { deliveryKey, type LiveState } from './live-state.js';
import { misuse } from './misuse.js';

/** Finds deliveries that are not in memory. */
export interface DeliveryReader {
  delivery(name: DeliveryName): Delivery | null;
  deadLetters(sink: Sink, before: EpochMs, limit: number): readonly Delivery[];
  deliveriesOf(sink: Sink, limit: number): readonly Delivery[];
}

type QueuedEvents = Parameters<Store['queueDeliveries']>[2];

/** What one commit changes about what leaves the broker, laid over what is committed. */
export class OutboxDraft {
  /** In their newest form. */
  readonly written = new Map<string, Delivery>();
  readonly removed = new Map<string, DeliveryName>();
  sinks: ReadonlyMap<Sink, SinkProgress>;
  readonly #live: LiveState;
  readonly #disk: DeliveryReader;

  constructor(live: LiveState, disk: DeliveryReader) {
    this.#live = live;
    this.#disk = disk;
    this.sinks = live.sinks;
  }

  get isEmpty(): boolean {
    return this.written.size + this.removed.size === 0 && this.sinks === this.#live.sinks;
  }

  put(delivery: Delivery): void {
    this.#count(delivery.sink, this.find(delivery), delivery);
    this.written.set(deliveryKey(delivery), delivery);
  }

  settle(name: DeliveryName, next: DeliveryChange | null): void {
    const current = this.find(name);
    if (current === null) return;
    if (next === null) this.#remove(current);
    else this.put({ ...current, ...next });
  }

  follow(sink: Sink, position: number): void {
    if (!this.sinks.has(sink)) this.#setSink(sink, { position, deliveries: 0, dead: 0 });
  }

  queue(sink: Sink, through: number, events: QueuedEvents): void {
    const progress = this.sinks.get(sink);
    // It was forgotten meanwhile, and nobody sends to it.
    if (progress === undefined) return;
    if (through <= progress.position) throw misuse('the log is taken once for each sink');
    for (const { event, request, due } of events) this.put(newDelivery({ event, sink }, request, due));
    this.#setSink(sink, { ...(this.sinks.get(sink) ?? progress), position: through });
  }

  /** The deliveries that are meant, as they stand after this draft. */
  letters(letters: DeadLetters): readonly Delivery[] {
    if ('event' in letters) {
      const one = this.find(letters);
      return one === null ? [] : [one];
    }
    const { sink, before, limit } = letters;
    return this.#disk
      .deadLetters(sink, before, limit)
      .map((letter) => this.find(letter))
      .filter((letter) => letter !== null && letter.dead !== null)
      .map((letter) => letter as Delivery);
  }

  revive(letters: readonly Delivery[], due: EpochMs): void {
    for (const letter of letters) this.put(revived(letter, due));
  }

  drop(letters: readonly Delivery[]): void {
    for (const letter of letters) this.#remove(letter);
  }

  /** Takes away some of what waits for a sink; true, and the sink itself is gone, where that was all. */
  forget(sink: Sink, limit: number): boolean {
    const rows = this.#disk.deliveriesOf(sink, limit);
    for (const row of rows) if (this.find(row) !== null) this.#remove(row);
    if (rows.length === limit) return false;
    const sinks = new Map(this.sinks);
    sinks.delete(sink);
    this.sinks = sinks;
    return true;
  }

  find(name: DeliveryName): Delivery | null {
    const key = deliveryKey(name);
    if (this.removed.has(key)) return null;
    const inMemory = this.written.get(key) ?? this.#live.deliveries.get(key);
    return inMemory ?? (followsLog(name.sink) ? this.#disk.delivery(name) : null);
  }

  #remove(delivery: Delivery): void {
    const key = deliveryKey(delivery);
    this.#count(delivery.sink, delivery, null);
    this.written.delete(key);
    this.removed.set(key, delivery);
  }

  #count(sink: Sink, before: Delivery | null, after: Delivery | null): void {
    const progress = this.sinks.get(sink);
    if (progress === undefined) return;
    const deliveries = progress.deliveries + Number(after !== null) - Number(before !== null);
    const dead = progress.dead + Number(isDead(after)) - Number(isDead(before));
    this.#setSink(sink, { ...progress, deliveries, dead });
  }

  #setSink(sink: Sink, progress: SinkProgress): void {
    if (this.sinks === this.#live.sinks) this.sinks = new Map(this.sinks);
    (this.sinks as Map<Sink, SinkProgress>).set(sink, progress);
  }
}

/** One that was not tried yet. */
export const newDelivery = (
  { event, sink }: DeliveryName,
  request: Delivery['request'],
  due: EpochMs,
  step = 0,
): Delivery => ({
  event,
  sink,
  request,
  attempts: 0,
  due,
  step,
  failingSince: null,
  error: null,
  refusals: 0,
  dead: null,
});

const isDead = (delivery: Delivery | null): boolean => delivery !== null && delivery.dead !== null;
