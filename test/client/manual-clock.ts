import type { Clock } from '../../src/client/clock.js';

interface Alarm {
  readonly at: number;
  readonly work: () => void;
}

/** Time that stands still until the test moves it. */
export class ManualClock implements Clock {
  #now: number;
  #alarms: Alarm[] = [];

  constructor(now = Date.parse('2026-01-31T23:00:00Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, work: () => void): () => void {
    const alarm = { at: this.#now + ms, work };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Rings what is due, one after the other, and lets what it started settle. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const next = this.#alarms.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next);
      this.#now = Math.max(this.#now, next.at);
      next.work();
    }
    this.#now = until;
  }

  /** A laptop that slept: the clock has moved, alarms have not rung. */
  jump(ms: number): void {
    this.#now += ms;
    this.#alarms = this.#alarms.map((alarm) => ({ ...alarm, at: alarm.at + ms }));
  }
}

/** Promises that are ready have run their course. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
