import type { RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Store } from '../store/store.js';
import type { Holds } from './erasure.js';
import { heldBy } from './holds.js';
import { nextRetentionTime } from './retention-time.js';

/** Most requests that are erased in one commit, and there is one commit a second: nobody waits longer because of it. */
const BATCH = 20;
/** Between the end of one pass and the next, in ms. */
const PAUSE = 3600_000;
/** How often {@link Retention} writes down its time, in ms. */
const SAVE = 600_000;

export interface RetentionContext {
  readonly store: Store;
  /** How long closed requests are kept, in seconds; null for ever. */
  readonly keep: number | null;
  /** Called once it was committed that some are erased. */
  readonly onErased: (ids: readonly RequestId[]) => void;
}

/** How retention fares, for whoever asks. */
export interface RetentionState {
  /** In seconds; null for ever. */
  readonly keep: number | null;
  /** How far it is behind the clock, in ms: it does not follow leaps. */
  readonly behind: number;
}

/** Going once through what is old enough. */
interface Pass {
  readonly before: EpochMs;
  readonly after: RequestId | null;
  readonly erased: boolean;
}

/** Erases what has been kept long enough, a little at each tick, and nothing that somebody holds. */
export class Retention {
  readonly #context: RetentionContext;
  #time: EpochMs;
  #saved: EpochMs;
  #clock: EpochMs;
  #pass: Pass | null = null;
  #nextPass: EpochMs = Number.NEGATIVE_INFINITY;
  #isBusy = false;

  private constructor(context: RetentionContext, time: EpochMs) {
    this.#context = context;
    this.#time = time;
    this.#saved = time;
    this.#clock = time;
  }

  /** Goes on by the time at which it was; on a database where it never was, by that of the newest entry of the log. */
  static async open(context: RetentionContext): Promise<Retention> {
    const { store } = context;
    const [newest] = await store.events({ after: store.seq - 1, limit: 1 });
    return new Retention(context, store.retentionTime() ?? newest?.at ?? 0);
  }

  get state(): RetentionState {
    return { keep: this.#context.keep, behind: this.#clock - this.#time };
  }

  /** Once a second. What fails is tried again at the next tick. */
  async tick(clock: EpochMs): Promise<void> {
    this.#clock = clock;
    this.#time = nextRetentionTime(this.#time, clock);
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#saveTime();
      await this.#goOn(clock);
    } finally {
      this.#isBusy = false;
    }
  }

  async #saveTime(): Promise<void> {
    const time = this.#time;
    if (Math.abs(time - this.#saved) < SAVE) return;
    await this.#context.store.keepRetentionTime(time);
    this.#saved = time;
  }

  async #goOn(at: EpochMs): Promise<void> {
    const { store, keep, onErased } = this.#context;
    if (keep === null || (this.#pass === null && this.#time < this.#nextPass)) return;
    const pass = this.#pass ?? { before: this.#time - keep * 1000, after: null, erased: false };
    this.#pass = pass;
    const ids = await store.closed({ after: pass.after, before: pass.before, limit: BATCH });
    if (ids.length === 0) {
      if (pass.erased && !(await store.scrub())) return;
      this.#pass = null;
      this.#nextPass = this.#time + PAUSE;
      return;
    }
    const holds = store.holds();
    const free = await unheld(store, ids, holds);
    // Also by a clock that was set back meanwhile: who verifies the log compares the two.
    const before = Math.min(pass.before, at - keep * 1000);
    const erased = await store.erase({ ids: free, before, holds, at });
    // Somebody has placed or lifted a hold meanwhile: they are looked through anew.
    if (erased === null) return;
    const { requests, unfinished } = erased;
    const done = unfinished === null ? ids : ids.slice(0, ids.indexOf(unfinished));
    const isErased = requests.length > 0 || unfinished !== null;
    this.#pass = { ...pass, after: done.at(-1) ?? pass.after, erased: pass.erased || isErased };
    if (isErased) onErased(requests);
  }
}

/** Those that no hold is about. What cannot be read cannot be judged, and stays. */
async function unheld(store: Store, ids: readonly RequestId[], holds: Holds): Promise<readonly RequestId[]> {
  if (holds.size === 0) return ids;
  const isHeld = heldBy(holds);
  const free: RequestId[] = [];
  for (const id of ids) {
    const request = await store.find({ id }).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'storage-failed') return null;
      throw error;
    });
    if (request !== null && !isHeld(request)) free.push(id);
  }
  return free;
}
