import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { Deadlines } from '../requests/deadlines.js';
import type { Delivery } from '../store/deliveries.js';

/** What is sent one after the other: all about one request, or all that is about none. */
export type Line = RequestId | null;

/** Which of two deliveries of one line goes first; negative for the first one. */
export type Order = (a: Delivery, b: Delivery) => number;

/**
 * Deliveries of one sink, in lines. The first of a line is due, or waits, or is under way; the others wait for it. Knows
 * nothing of the store: who uses it writes down first what it says here.
 */
export class Lines {
  readonly #order: Order;
  readonly #lines = new Map<Line, readonly Delivery[]>();
  readonly #deadlines = new Deadlines<Line>();
  /** Due, in the order in which they became so. */
  readonly #due = new Set<Line>();
  readonly #underWay = new Set<Line>();
  #count = 0;

  constructor(order: Order) {
    this.#order = order;
  }

  /** How many deliveries there are. */
  get count(): number {
    return this.#count;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** The delivery of a line that tells of an event; null where there is none. */
  find(line: Line, event: number): Delivery | null {
    return this.#lines.get(line)?.find((delivery) => delivery.event === event) ?? null;
  }

  /** What of a line goes first; null for nothing. */
  first(line: Line): Delivery | null {
    return this.#lines.get(line)?.[0] ?? null;
  }

  all(): readonly Delivery[] {
    return [...this.#lines.values()].flat();
  }

  add(delivery: Delivery, now: EpochMs): void {
    this.#set(delivery.request, [...(this.#lines.get(delivery.request) ?? []), delivery], now);
  }

  /** Puts a delivery in the place of itself, or takes it out (null). Nothing where it is not there any more. */
  replace(delivery: Delivery, next: Delivery | null, now: EpochMs): void {
    const line = this.#lines.get(delivery.request) ?? [];
    if (!line.includes(delivery)) return;
    const rest = line.filter((other) => other !== delivery);
    this.#set(delivery.request, next === null ? rest : [next, ...rest], now);
  }

  /** Takes out a whole line. */
  remove(line: Line): readonly Delivery[] {
    const gone = this.#lines.get(line) ?? [];
    this.#set(line, [], 0);
    return gone;
  }

  /** The first of the next line that is due, which is under way from now on; null where none is due. */
  take(now: EpochMs): Delivery | null {
    for (const line of this.#deadlines.take(now)) this.#due.add(line);
    const [line] = this.#due;
    if (line === undefined) return null;
    this.#due.delete(line);
    this.#underWay.add(line);
    return this.first(line);
  }

  /** A line is not under way any more. Its first is due in its time, or at another one. */
  release(line: Line, now: EpochMs, at?: EpochMs): void {
    this.#underWay.delete(line);
    this.#schedule(line, now, at);
  }

  /** Makes a line due at once, whatever its time is, or all of them. */
  hurry(now: EpochMs, lines: Iterable<Line> = this.#lines.keys()): void {
    for (const line of lines) this.#schedule(line, now, now);
  }

  #set(line: Line, deliveries: readonly Delivery[], now: EpochMs): void {
    this.#count += deliveries.length - (this.#lines.get(line)?.length ?? 0);
    if (deliveries.length === 0) this.#lines.delete(line);
    else this.#lines.set(line, deliveries.toSorted(this.#order));
    this.#schedule(line, now);
  }

  #schedule(line: Line, now: EpochMs, at = this.first(line)?.due): void {
    const isOpen = at !== undefined && this.#lines.has(line) && !this.#underWay.has(line);
    this.#deadlines.set(line, isOpen && at > now ? at : null);
    if (isOpen && at <= now) this.#due.add(line);
    else this.#due.delete(line);
  }
}
