/** Most that run at once, in all and of one holder: nobody can take all of them, however much he asks. */
const AT_ONCE = 64;
const AT_ONCE_EACH = 4;

interface Waiting {
  readonly holder: string;
  readonly begin: () => void;
}

/** Bounds how much runs at once. What has no place waits for one, in the order in which it came. */
export class Turns {
  readonly #running = new Map<string, number>();
  #waiting: readonly Waiting[] = [];
  #all = 0;

  /** Runs `work` once there is a place. @throws the reason of `late` where that comes first */
  async take<Result>(holder: string, late: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.#place(holder, late);
    try {
      return await work();
    } finally {
      this.#leave(holder);
    }
  }

  #place(holder: string, late: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        reject(late.reason);
      };
      const waiting: Waiting = {
        holder,
        begin: () => {
          late.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      if (late.aborted) return giveUp();
      late.addEventListener('abort', giveUp, { once: true });
      this.#waiting = [...this.#waiting, waiting];
      this.#next();
    });
  }

  #leave(holder: string): void {
    const left = (this.#running.get(holder) ?? 1) - 1;
    if (left === 0) this.#running.delete(holder);
    else this.#running.set(holder, left);
    this.#all -= 1;
    this.#next();
  }

  #next(): void {
    for (;;) {
      const next = this.#waiting.find(({ holder }) => (this.#running.get(holder) ?? 0) < AT_ONCE_EACH);
      if (next === undefined || this.#all >= AT_ONCE) return;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.#running.set(next.holder, (this.#running.get(next.holder) ?? 0) + 1);
      this.#all += 1;
      next.begin();
    }
  }
}
