import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Database, Statement } from 'better-sqlite3';

/** Sizes of the write-ahead log, in frames of one page. */
export interface CheckpointLimits {
  /** Frames not yet in the database that start a checkpoint. */
  readonly pending: number;
  /** Length of the log from which writers are held for a moment, so that it can start over. */
  readonly length: number;
}

/** Stops and restarts the commits. */
export interface CommitGate {
  hold(): void;
  release(): void;
}

interface WalFrames {
  readonly log: number;
  readonly checkpointed: number;
}

const LIMITS: CheckpointLimits = { pending: 1_000, length: 16_000 };
/** Passes without holding anybody; each leaves only what was written during the one before. */
const FREE_PASSES = 3;

/**
 * Keeps the write-ahead log short without ever making the event loop wait. A worker copies it into the database while
 * commits go on; but the log starts over only when a commit finds all of it copied, which under steady load never
 * happens by itself. So once it is long, commits are held, in their queue, for the time of one last short pass.
 *
 * The worker starts with the first checkpoint, sleeps until it is told, and does not keep the process alive.
 */
export class Checkpointer {
  readonly #file: string;
  readonly #frames: Statement<[], WalFrames>;
  readonly #gate: CommitGate;
  readonly #limits: CheckpointLimits;
  #worker: Worker | null = null;
  #passes = 0;
  /** What the last try could not copy, because of a long reader or a failing disk: the next try waits for more. */
  #left = 0;
  #holding = false;
  #truncated: ((succeeded: boolean) => void) | null = null;

  constructor(database: Database, gate: CommitGate, limits: CheckpointLimits = LIMITS) {
    this.#file = database.name;
    // NOOP only reports (SQLite 3.51).
    this.#frames = database.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#gate = gate;
    this.#limits = limits;
  }

  /** To be called after each commit. */
  committed(): void {
    if (this.#passes === 0 && this.#measure().pending >= this.#left + this.#limits.pending) this.#pass();
  }

  /**
   * Copies all of the log into the database and cuts the file off, so that nothing of what it held is left in it. Commits are
   * held for the end of that.
   *
   * @returns false where another checkpoint, a reader or the disk was in the way
   */
  truncate(): Promise<boolean> {
    if (this.#passes > 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#truncated = resolve;
      this.#pass();
      // Who waits for this must not see the process end.
      this.#worker?.ref();
    });
  }

  /** Ends the worker. Closing the last connection afterwards makes the final checkpoint. */
  async close(): Promise<void> {
    if (this.#worker === null) return;
    this.#worker.ref();
    this.#worker.postMessage('close');
    await once(this.#worker, 'exit');
  }

  #measure(): { readonly pending: number; readonly length: number } {
    const { log, checkpointed } = this.#frames.get() ?? { log: 0, checkpointed: 0 };
    return { pending: log - checkpointed, length: log };
  }

  #pass(how: 'checkpoint' | 'truncate' = 'checkpoint'): void {
    this.#passes += 1;
    this.#worker ??= this.#start();
    this.#worker.postMessage(how);
  }

  #passed(succeeded: boolean): void {
    const { pending, length } = this.#measure();
    if (this.#truncated !== null && succeeded && !this.#holding) {
      this.#hold();
      this.#pass('truncate');
      return;
    }
    if (succeeded && !this.#holding && pending > 0 && length >= this.#limits.length) {
      if (pending < this.#limits.pending || this.#passes >= FREE_PASSES) this.#hold();
      this.#pass();
      return;
    }
    this.#passes = 0;
    this.#left = pending;
    if (this.#holding) this.#release();
    if (this.#truncated === null) return;
    this.#truncated(succeeded);
    this.#truncated = null;
    this.#worker?.unref();
  }

  #hold(): void {
    this.#holding = true;
    // Those who wait in the queue must not see the process end.
    this.#worker?.ref();
    this.#gate.hold();
  }

  #release(): void {
    this.#holding = false;
    this.#worker?.unref();
    this.#gate.release();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), { workerData: this.#file });
    worker.on('message', (succeeded: boolean) => this.#passed(succeeded));
    worker.unref();
    return worker;
  }
}
