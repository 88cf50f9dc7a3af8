import { type ChainHead, GENESIS, hashBody, hashEntry, type LogEntry } from '../../src/protocol/event-log.js';
import { type Finding, finding } from './finding.js';

export interface ChainOptions {
  /** The entries begin after this number: 0 for the whole log. */
  readonly after: number;
  /** Whether entries are left out: then each is looked at by itself. */
  readonly isSelection: boolean;
}

/** That each entry follows the one before, and is what its hash says. */
export class LogChain {
  readonly #options: ChainOptions;
  #last: ChainHead | null;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#last = options.after === 0 ? GENESIS : null;
  }

  /** The newest entry that fits; before the first one where there was none. */
  get head(): ChainHead {
    return this.#last ?? { seq: this.#options.after, hash: '' };
  }

  /** The number that the next entry has where none is left out. */
  get expected(): number {
    return this.head.seq + 1;
  }

  take(entry: LogEntry): Finding | null {
    const broken = this.#check(entry);
    if (broken === null) this.#last = { seq: entry.seq, hash: entry.hash };
    return broken;
  }

  #check(entry: LogEntry): Finding | null {
    const { seq, previous, hash, digest, body } = entry;
    const { isSelection } = this.#options;
    const expected = this.expected;
    if (isSelection ? seq < expected : seq !== expected) {
      return finding('missing', expected, `entry ${seq} stands where ${expected} should`);
    }
    if (!isSelection && this.#last !== null && previous !== this.#last.hash) {
      return finding(
        'edited',
        seq,
        `it does not follow entry ${seq - 1}: one of the two was changed or put in`,
      );
    }
    if (hash !== hashEntry(entry)) return finding('edited', seq, 'it is not what its hash says');
    const isWhole = digest === null ? body !== null : body === null || hashBody(body) === digest;
    return isWhole ? null : finding('edited', seq, 'its body is not what its digest says');
  }
}
