import type { Limits } from '../options.js';

interface Sent {
  readonly seq: number;
  readonly bytes: Buffer;
}

/** The newest messages about entries of the log, for consoles that resume. */
export class RecentMessages {
  readonly #limits: Pick<Limits, 'resumeEvents' | 'resumeBytes'>;
  /** Oldest first. */
  #sent: Sent[] = [];
  #bytes = 0;

  constructor(limits: Pick<Limits, 'resumeEvents' | 'resumeBytes'>) {
    this.#limits = limits;
  }

  add(message: Sent): void {
    this.#sent.push(message);
    this.#bytes += message.bytes.length;
  }

  /** Those after an entry; null where not all of them are there any more. */
  after(seq: number): readonly Buffer[] | null {
    const first = this.#sent[0]?.seq ?? Number.POSITIVE_INFINITY;
    return first <= seq + 1 ? this.#sent.slice(seq + 1 - first).map(({ bytes }) => bytes) : null;
  }

  /** Cuts rarely, by half, so that a busy broker does not move the whole list for each event. */
  forgetOldest(): void {
    const { resumeEvents, resumeBytes } = this.#limits;
    if (this.#sent.length <= resumeEvents && this.#bytes <= resumeBytes) return;
    this.#sent = this.#sent.slice(Math.ceil(this.#sent.length / 2));
    this.#bytes = this.#sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
