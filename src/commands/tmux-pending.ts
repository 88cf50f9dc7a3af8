import { execFile, execFileSync } from 'node:child_process';
import type { Environment } from '../client/locations.js';
import { Problem } from '../protocol/problems.js';

const OPTION = '@countersign_pending';
const UNKNOWN = '?';
const SIGNALS = ['SIGHUP', 'SIGTERM'] as const;
/** How long tmux may take to answer, in ms. */
const PATIENCE = 5000;

/** Keeps a user option of the tmux around this terminal, for its status line: a number, or `?` while it is not known. */
export class TmuxPending {
  readonly #env: Environment;
  #wanted: string | null = null;
  #written: string | null = null;
  #isClosed = false;
  /** What tmux is being told. */
  #telling: Promise<void> | null = null;
  /** A pane that is closed hangs up on what runs in it. */
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#clearAtOnce();
    this.#unlisten();
    process.kill(process.pid, signal);
  };

  private constructor(env: Environment) {
    this.#env = env;
  }

  /** @throws Problem `usage` outside tmux, or where its option cannot be set */
  static async open(env: Environment): Promise<TmuxPending> {
    if (!env.TMUX) throw new Problem('usage', '--tmux is for a console inside tmux: TMUX is not set');
    const pending = new TmuxPending(env);
    try {
      await pending.#tmux('-gqu', OPTION);
    } catch (cause) {
      throw new Problem('usage', 'tmux does not take the option', {
        hint: `try it yourself: tmux set-option -g ${OPTION} 0`,
        cause,
      });
    }
    for (const signal of SIGNALS) process.on(signal, pending.#onSignal);
    return pending;
  }

  /** The newest count is the one that stands in the end, and one tmux runs at a time. */
  set(count: number | null): void {
    this.#wanted = count === null ? UNKNOWN : String(count);
    this.goOn();
  }

  /** Nobody keeps the number while this process is stopped. */
  hold(): void {
    this.#written = UNKNOWN;
    this.#tmuxAtOnce('-gq', OPTION, UNKNOWN);
  }

  /** Keeps it again. */
  goOn(): void {
    if (this.#wanted !== this.#written) this.#telling ??= this.#tell();
  }

  /** Takes the option away. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#telling;
    this.#clearAtOnce();
    this.#unlisten();
  }

  async #tell(): Promise<void> {
    while (this.#wanted !== null && this.#wanted !== this.#written && !this.#isClosed) {
      const wanted: string = this.#wanted;
      this.#written = wanted;
      // A tmux that takes nothing now shows nothing either; the next change is told anew.
      await this.#tmux('-gq', OPTION, wanted).catch(() => {});
    }
    this.#telling = null;
  }

  #tmux(...args: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      execFile('tmux', ['set-option', ...args], { env: { ...this.#env }, timeout: PATIENCE }, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  #unlisten(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  #clearAtOnce(): void {
    this.#tmuxAtOnce('-gqu', OPTION);
  }

  #tmuxAtOnce(...args: readonly string[]): void {
    const options = { env: { ...this.#env }, timeout: PATIENCE, stdio: 'ignore' } as const;
    try {
      execFileSync('tmux', ['set-option', ...args], options);
    } catch {
      // A server that is gone has no options.
    }
  }
}
