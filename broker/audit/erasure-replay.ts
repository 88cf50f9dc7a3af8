import * as z from 'zod';
import type { LogEntry } from '../../src/protocol/event-log.js';
import { LEAST_RETENTION } from '../../src/protocol/hold-messages.js';
import { time } from '../../src/protocol/request-view.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** Kinds of which the bodies may go. */
const ERASABLE = /^request(?:er)?\./;

export const isErasable = ({ kind }: LogEntry): boolean => ERASABLE.test(kind);

const erasedBody = z.object({ ids: z.array(z.string()), through: z.int(), before: time });

/** The entries of one request whose bodies are gone. */
interface Gone {
  readonly first: number;
  readonly last: number;
  /** When the newest of them was written, which need not be the last. */
  readonly newest: EpochMs;
}

/** Requests of which a body is gone, until an entry names them. */
export class ErasureReplay {
  readonly #gone = new Map<string, Gone>();

  has(id: string): boolean {
    return this.#gone.has(id);
  }

  /** The first entry whose body is gone, and that no entry has named so far; null for none. */
  get unnamed(): number | null {
    const [first] = [...this.#gone.values()].map(({ first }) => first).sort((a, b) => a - b);
    return first ?? null;
  }

  /** An entry whose body is gone. */
  take({ seq, at, request }: LogEntry): void {
    const gone = this.#gone.get(request ?? '') ?? { first: seq, newest: at };
    this.#gone.set(request ?? '', { ...gone, last: seq, newest: Math.max(gone.newest, at) });
  }

  /**
   * An entry `history.erased`. What is named before its time stays gone: retention is no way to hide what happened lately.
   *
   * @throws ZodError
   */
  named(body: JsonObject, at: EpochMs): void {
    const { ids, through, before } = erasedBody.parse(body);
    if (before > at - LEAST_RETENTION * 1000) return;
    for (const id of ids) {
      const { last, newest } = this.#gone.get(id) ?? { last: 0, newest: 0 };
      if (last <= through && newest < before) this.#gone.delete(id);
    }
  }
}
