import { setTimeout as pause } from 'node:timers/promises';
import type { ExportLine } from '../../protocol/audit-export.js';
import { headsReply, type SignedHead } from '../../protocol/audit-head.js';
import { type EventsReply, eventsReply, type LogEntry } from '../../protocol/event-log.js';
import { Problem } from '../../protocol/problems.js';
import type { EpochMs } from '../../protocol/time.js';
import type { SignedInBroker } from '../open-broker.js';

/** Most entries that the broker gives at once. */
const PAGE = 1000;

type Caller = Pick<SignedInBroker, 'client' | 'token'>;

/** The log of a broker, read over its interface: pages of it are in memory, never all. */
export class BrokerLog {
  readonly #broker: Caller;
  #limit = PAGE;

  constructor(broker: Caller) {
    this.#broker = broker;
  }

  /**
   * Entries after a number, each head after the entry that it names, up to what was the newest when it got there.
   *
   * @param headsAfter heads of entries after this number
   */
  async *lines(after: number, headsAfter = after): AsyncGenerator<ExportLine> {
    let [last, headed] = [after, headsAfter];
    for (;;) {
      const entries = await this.#entries(last);
      const through = entries.at(-1)?.seq ?? last;
      const heads = await this.#heads(headed, through);
      let next = 0;
      const due = function* (seq: number): Generator<ExportLine> {
        for (; (heads[next]?.seq ?? Number.POSITIVE_INFINITY) <= seq; next += 1) {
          yield { kind: 'head', text: heads[next]?.text ?? '' };
        }
      };
      yield* due(last);
      for (const entry of entries) {
        yield { kind: 'entry', entry };
        yield* due(entry.seq);
      }
      if (entries.length === 0) return;
      [last, headed] = [through, Math.max(headed, through)];
    }
  }

  /** One entry; null where the log does not go so far. */
  async entry(seq: number): Promise<LogEntry | null> {
    const { events } = await this.#page(seq - 1, 1);
    return events.find((entry) => entry.seq === seq) ?? null;
  }

  /** The number before the first entry of a time or later, found by halving: the clock of a broker goes forward. */
  async before(time: EpochMs): Promise<number> {
    let [low, high] = [0, 1];
    const isEarlier = async (seq: number): Promise<boolean> => {
      const entry = await this.entry(seq);
      return entry !== null && entry.at < time;
    };
    while (await isEarlier(high)) [low, high] = [high, high * 2];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (await isEarlier(middle)) low = middle;
      else high = middle;
    }
    return low;
  }

  async #entries(after: number): Promise<readonly LogEntry[]> {
    for (;;) {
      try {
        const { events } = await this.#page(after, this.#limit);
        this.#limit = Math.min(PAGE, this.#limit * 2);
        return events;
      } catch (error) {
        // Pages of large documents may be more than a client takes at once.
        if (!(error instanceof Problem) || error.code !== 'broker-reply' || this.#limit === 1) throw error;
        this.#limit = Math.max(1, Math.floor(this.#limit / 8));
      }
    }
  }

  async #heads(after: number, through: number): Promise<readonly SignedHead[]> {
    const { client, token } = this.#broker;
    const found: SignedHead[] = [];
    for (let last = after; last < through; ) {
      const path = `/v1/heads?after=${last}&limit=${PAGE}`;
      const { heads, next } = await this.#patiently(() =>
        client.call(headsReply, { method: 'GET', path, token }),
      );
      found.push(...heads.filter(({ seq }) => seq <= through));
      if (next === null) break;
      last = next;
    }
    return found;
  }

  #page(after: number, limit: number): Promise<EventsReply> {
    const path = `/v1/events?after=${after}&limit=${limit}`;
    const { client, token } = this.#broker;
    return this.#patiently(() => client.call(eventsReply, { method: 'GET', path, token }));
  }

  /** A broker that has enough of our calls says so, and is given a second. */
  async #patiently<Result>(call: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'rate-limited') throw error;
        await pause((error.retryAfter ?? 1) * 1000);
      }
    }
  }
}
