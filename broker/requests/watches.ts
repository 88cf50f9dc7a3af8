import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** For so long, in ms, a door whose wait has ended still counts as watching: it asks again at once. */
const GRACE = 10_000;

/** Which requests doors watch just now. In memory only: a door that was cut off comes back by itself, or is gone. */
export class Watches {
  readonly #watched = new Map<RequestId, { waits: number; leftAt: EpochMs }>();

  /** A door waits until what it opened may not stay open. */
  enter(id: RequestId): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) this.#watched.set(id, { waits: 1, leftAt: 0 });
    else watched.waits += 1;
  }

  leave(id: RequestId, now: EpochMs): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    watched.waits -= 1;
    watched.leftAt = now;
  }

  /** Forgets doors that did not come back. To be called once a second. */
  tick(now: EpochMs): void {
    for (const [id, watched] of this.#watched) if (isGone(watched, now)) this.#watched.delete(id);
  }

  /** The newest first. */
  current(now: EpochMs): readonly RequestId[] {
    const ids = [...this.#watched].flatMap(([id, watched]) => (isGone(watched, now) ? [] : [id]));
    return ids.sort((a, b) => (a < b ? 1 : -1));
  }
}

const isGone = ({ waits, leftAt }: { waits: number; leftAt: EpochMs }, now: EpochMs): boolean =>
  waits === 0 && now >= leftAt + GRACE;
