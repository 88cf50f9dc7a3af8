import { setImmediate as nextTurn } from 'node:timers/promises';

/** Does pieces of work in the order in which they come, one in each turn of the event loop, however many there are. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Rejects where the work throws; those that come after it are done all the same. */
  take<Value>(work: () => Value): Promise<Value> {
    const mine = this.#last.then(() => nextTurn()).then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
