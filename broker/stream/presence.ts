import type { Name, RequestId } from '../../src/protocol/names.js';
import type { Readers } from '../../src/protocol/stream-messages.js';

/** So many messages of one console are heard between two beats in the long run, and so many at once. */
const MESSAGES_PER_BEAT = 3;
const MESSAGES_AT_ONCE = 20;
/** A reader that leaves so many beats in a row without an answer is gone, whatever its connection looks like. */
const UNANSWERED_BEATS = 10;

/** One console, and what it has open. */
interface Reader {
  readonly approver: Name;
  reading: RequestId | null;
  /** Messages that still count against it. */
  heard: number;
  /** Beats since it last gave a sign of life. */
  unanswered: number;
}

/**
 * Who has which request open: in memory only, and as long as a console is there. A beat is a second of whoever holds this;
 * what has changed is told once a beat, however often it changed.
 */
export class Presence<Console extends object> {
  readonly #readers = new Map<Console, Reader>();
  /** What was told last. */
  #told: ReadonlyMap<RequestId, readonly Name[]> = new Map();

  enter(console: Console, approver: Name): void {
    this.#readers.set(console, { approver, reading: null, heard: 0, unanswered: 0 });
  }

  leave(console: Console): void {
    this.#readers.delete(console);
  }

  /** Takes note of what a console says it has open. @returns false where it talks too much */
  read(console: Console, id: RequestId | null): boolean {
    const reader = this.#readers.get(console);
    if (reader === undefined) return true;
    reader.reading = id;
    reader.heard += 1;
    return reader.heard <= MESSAGES_AT_ONCE;
  }

  /** A sign of life. */
  answer(console: Console): void {
    const reader = this.#readers.get(console);
    if (reader !== undefined) reader.unanswered = 0;
  }

  /** Another second. @returns the consoles that have something open: to be asked for a sign of life, or given up */
  beat(): readonly { readonly console: Console; readonly isGone: boolean }[] {
    const asked: { readonly console: Console; readonly isGone: boolean }[] = [];
    for (const [console, reader] of this.#readers) {
      reader.heard = Math.max(0, reader.heard - MESSAGES_PER_BEAT);
      if (reader.reading === null) {
        reader.unanswered = 0;
      } else {
        asked.push({ console, isGone: reader.unanswered >= UNANSWERED_BEATS });
        reader.unanswered += 1;
      }
    }
    return asked;
  }

  /** Requests with other readers than were told last, of those that still live. From now on these are what was told. */
  takeChanges(isLive: (id: RequestId) => boolean): readonly Readers[] {
    const current = this.#current(isLive);
    const changed = [...current].filter(([id, names]) => !isSame(this.#told.get(id), names));
    const left = [...this.#told.keys()].filter((id) => !current.has(id));
    this.#told = current;
    return [...changed.map(([id, names]) => ({ id, names })), ...left.map((id) => ({ id, names: [] }))];
  }

  /** What was told last, for a console that comes now. */
  told(): readonly Readers[] {
    return [...this.#told].map(([id, names]) => ({ id, names }));
  }

  /** A person counts once, however many consoles show the request. */
  #current(isLive: (id: RequestId) => boolean): ReadonlyMap<RequestId, readonly Name[]> {
    const people = new Map<RequestId, Set<Name>>();
    for (const { approver, reading } of this.#readers.values()) {
      if (reading === null || !isLive(reading)) continue;
      people.set(reading, (people.get(reading) ?? new Set()).add(approver));
    }
    return new Map([...people].map(([id, names]) => [id, [...names].sort()]));
  }
}

const isSame = (a: readonly Name[] | undefined, b: readonly Name[]): boolean =>
  a !== undefined && a.length === b.length && a.every((name, at) => name === b[at]);
