import type { Name, RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';

const MINUTE = 60_000;

/** Whose rings are counted together. */
export interface Ringer {
  /** The person, whatever the alias, or the account that is nobody's. */
  readonly requester: Name;
  readonly submitter: Name;
}

/**
 * Keeps one requester, or one submitter, from ringing more than so many times a minute. What is held back meanwhile is told
 * of by one ring for all of it. Kept in memory: after a restart the count begins anew.
 */
export class Pace {
  readonly #limits: { readonly requester: number; readonly submitter: number };
  readonly #rung = new Map<string, EpochMs[]>();
  readonly #held = new Map<RequestId, Ringer>();

  constructor(limits: { readonly ringsPerRequester: number; readonly ringsPerSubmitter: number }) {
    this.#limits = { requester: limits.ringsPerRequester, submitter: limits.ringsPerSubmitter };
  }

  /** From when on one more ring is within the pace; now or before where it is. */
  opensAt(ringer: Ringer, now: EpochMs): EpochMs {
    return Math.max(
      this.#opensAt(`requester ${ringer.requester}`, this.#limits.requester, now),
      this.#opensAt(`submitter ${ringer.submitter}`, this.#limits.submitter, now),
    );
  }

  /** Counts a ring as it begins; call the result if it came to nothing. */
  ring(ringer: Ringer, now: EpochMs): () => void {
    const keys = [`requester ${ringer.requester}`, `submitter ${ringer.submitter}`];
    for (const key of keys) this.#rung.set(key, [...this.#recent(key, now), now]);
    return () => {
      for (const key of keys) {
        const times = this.#rung.get(key) ?? [];
        const at = times.indexOf(now);
        if (at !== -1) this.#rung.set(key, times.toSpliced(at, 1));
      }
    };
  }

  hold(id: RequestId, ringer: Ringer): void {
    this.#held.set(id, ringer);
  }

  isHeld(id: RequestId): boolean {
    return this.#held.has(id);
  }

  /** What was held back because of this requester or this submitter, the oldest first. */
  heldWith({ requester, submitter }: Ringer): readonly RequestId[] {
    return [...this.#held]
      .filter(([, other]) => other.requester === requester || other.submitter === submitter)
      .map(([id]) => id);
  }

  release(id: RequestId): void {
    this.#held.delete(id);
  }

  /** Forgets who has not rung for a minute. */
  prune(now: EpochMs): void {
    for (const key of this.#rung.keys()) if (this.#recent(key, now).length === 0) this.#rung.delete(key);
  }

  #opensAt(key: string, limit: number, now: EpochMs): EpochMs {
    const recent = this.#recent(key, now);
    const oldest = recent.at(-limit);
    return oldest === undefined ? now : oldest + MINUTE;
  }

  #recent(key: string, now: EpochMs): EpochMs[] {
    return (this.#rung.get(key) ?? []).filter((at) => at > now - MINUTE);
  }
}
