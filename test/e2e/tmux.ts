import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './programs.js';

/** A pane of a tmux server of its own, in which a real program runs. */
export class TmuxPane {
  readonly #folder = mkdtempSync(join(tmpdir(), 'countersign-tmux-'));
  readonly socket = join(this.#folder, 'socket');

  constructor(command: readonly string[], env: Record<string, string>, columns = 120, rows = 40) {
    // CI=1 makes Ink believe that nobody looks.
    const clean = Object.entries(process.env).filter(([name]) => name !== 'CI' && name !== 'TMUX');
    const line = [
      'env',
      '-u',
      'CI',
      // Whatever machine this is: without a locale the console would write ASCII.
      'LC_ALL=C.UTF-8',
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...command,
    ];
    execFileSync(
      'tmux',
      [
        '-S',
        this.socket,
        '-f',
        '/dev/null',
        'new-session',
        '-d',
        '-x',
        String(columns),
        '-y',
        String(rows),
        shell(line),
      ],
      { env: Object.fromEntries(clean) },
    );
    this.#tmux('set', '-g', 'remain-on-exit', 'on');
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** The screen with its colours, as escape sequences. */
  colours(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Sends keys by their tmux names, one after the other. */
  press(...keys: string[]): void {
    for (const key of keys) this.#tmux('send-keys', key);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** The screen once it shows this. */
  async shows(what: string | RegExp): Promise<string> {
    return until(() => {
      const screen = this.screen();
      return (typeof what === 'string' ? screen.includes(what) : what.test(screen)) && screen;
    });
  }

  /** Presses a key until the screen shows this: the console ignores keys while what is under them has just changed. */
  async pressUntil(key: string, what: string | RegExp): Promise<string> {
    for (;;) {
      this.press(key);
      const soon = Date.now() + 400;
      const seen = await until(() => {
        const screen = this.screen();
        const isShown = typeof what === 'string' ? screen.includes(what) : what.test(screen);
        return isShown || Date.now() > soon ? { screen, isShown } : null;
      });
      if (seen.isShown) return seen.screen;
    }
  }

  /** Gives the terminal another size. */
  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Lets another account of this machine attach and type. */
  letIn(user: string): void {
    this.#tmux('server-access', '-a', user);
    chmodSync(this.#folder, 0o755);
    chmodSync(this.socket, 0o666);
  }

  /** What a format of tmux(1) stands for here. */
  format(format: string): string {
    return this.#tmux('display-message', '-p', format).trimEnd();
  }

  /** Writes to a file, from now on, all bytes that the program sends to its terminal. */
  record(file: string): void {
    this.#tmux('pipe-pane', '-O', shell(['dd', 'status=none', 'bs=1', `of=${file}`]));
  }

  close(): void {
    try {
      this.#tmux('kill-server');
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.socket, ...args], { encoding: 'utf8' });
  }
}

const shell = (words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
