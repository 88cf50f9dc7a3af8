import type { LogEntry } from '../../src/protocol/event-log.js';
import { type Finding, finding } from './finding.js';

/** Holds a log against another export of it, entry by entry, for as far as both go. Pure. */
export class Comparison {
  readonly #others: Iterator<LogEntry>;
  #other: LogEntry | null;
  #compared = 0;

  /** @param others the entries of the other export, in the order in which they stand there */
  constructor(others: Iterable<LogEntry>) {
    this.#others = others[Symbol.iterator]();
    this.#other = this.#next();
  }

  /** How many entries stand in both. */
  get compared(): number {
    return this.#compared;
  }

  step({ seq, hash }: LogEntry): Finding | null {
    while (this.#other !== null && this.#other.seq < seq) this.#other = this.#next();
    if (this.#other?.seq !== seq) return null;
    this.#compared += 1;
    if (this.#other.hash !== hash) return finding('forked', seq, 'it is another one in the other export');
    return null;
  }

  /** @param last the number of the last entry */
  end(last: number): Finding | null {
    while (this.#other !== null && this.#other.seq <= last) this.#other = this.#next();
    if (this.#other === null) return null;
    return finding('truncated', last + 1, `the other export goes on with entry ${this.#other.seq}`);
  }

  #next(): LogEntry | null {
    const next = this.#others.next();
    return next.done === true ? null : next.value;
  }
}
