import { askedAt } from '../../src/protocol/filter.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { Statistics } from '../../src/protocol/statistics.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Store } from '../store/store.js';
import { Tally } from './tally.js';

const DAY = 86_400_000;
/** Most requests that are looked at, the newest: about two seconds of work, in steps of a millisecond. */
const MOST_REQUESTS = 50_000;

/** What is counted, and for whom. */
export interface SurveyQuery {
  readonly days: number;
  readonly zone: string;
  readonly now: EpochMs;
  /** From when on everything is kept, by retention; null for ever. */
  readonly kept: EpochMs | null;
}

/** Counts what was asked in the last days, one survey after the other, so that many readers cost no more at a time than one. */
export class Surveys {
  readonly #store: Pick<Store, 'outcomes'>;
  readonly #most: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<Store, 'outcomes'>, most = MOST_REQUESTS) {
    this.#store = store;
    this.#most = most;
  }

  /**
   * @param goesOn whether anybody still wants to know; asked after each step
   * @throws Problem `storage-failed`, or `draining` once the store is closed
   */
  count(query: SurveyQuery, goesOn: () => boolean): Promise<Statistics> {
    const mine = this.#last.then(() => this.#count(query, goesOn));
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #count({ days, zone, now, kept }: SurveyQuery, goesOn: () => boolean): Promise<Statistics> {
    const wanted = now - days * DAY;
    const since = Math.ceil(Math.max(wanted, kept ?? wanted) / 1000) * 1000;
    const tally = new Tally(zone);
    let seen = 0;
    let next: RequestId | null = null;
    do {
      const page = await this.#store.outcomes({ since, before: next });
      for (const outcome of page.outcomes) tally.add(outcome);
      seen += page.outcomes.length;
      next = page.next;
    } while (next !== null && seen < this.#most && goesOn());
    const from = next === null ? since : askedAt(next);
    return {
      since: from,
      until: now,
      reach: next !== null ? 'search' : kept !== null && kept > wanted ? 'kept' : 'days',
      zone,
      ...tally.figures(from, now),
    };
  }
}
