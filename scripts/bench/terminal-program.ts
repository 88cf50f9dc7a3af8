import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const TERMINAL = fileURLToPath(new URL('terminal.py', import.meta.url));
/** Ticks of a clock in /proc/PID/stat a second: USER_HZ, which is 100 on Linux (proc(5)). */
const TICKS = 100;

/** A program of Node on a terminal of its own, seen through what it writes there. */
export class TerminalProgram {
  /** When it was started, by `performance.now()`. */
  readonly startedAt = performance.now();
  /** All that it wrote. */
  written = '';
  /** How many bytes that was. */
  bytes = 0;
  #pid = 0;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();

  constructor(
    args: readonly string[],
    {
      columns = 120,
      rows = 40,
      env = {},
    }: {
      readonly columns?: number;
      readonly rows?: number;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ) {
    this.#child = spawn('python3', [TERMINAL, String(columns), String(rows), process.execPath, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
    });
    this.#child.stderr?.once('data', (text: Buffer) => {
      this.#pid = Number(text.toString().trim());
    });
    this.#child.stdout?.on('data', (written: Buffer) => {
      this.bytes += written.length;
      this.written += written.toString('utf8');
      for (const listener of this.#listeners) listener();
    });
    this.#child.stdout?.on('close', () => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** Resolves with the time once this stands in what was written since `from`. */
  async says(what: string, from = 0): Promise<number> {
    for (;;) {
      if (this.written.includes(what, from)) return performance.now();
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.written.slice(-2000)}`);
      const listening = Promise.withResolvers<void>();
      this.#listeners.add(listening.resolve);
      await listening.promise;
      this.#listeners.delete(listening.resolve);
    }
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Lets what was written be forgotten. */
  forget(): void {
    this.written = '';
    this.bytes = 0;
  }

  /** Processor time so far, in ms. */
  processorTime(): number {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
  }

  /** In bytes. */
  residentMemory(): number {
    const text = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
  }

  async stop(): Promise<void> {
    // A program that has only just drawn may not read yet.
    for (let tries = 0; this.#child.exitCode === null; tries += 1) {
      if (tries % 100 === 0) this.type('\u0003');
      await pause(10);
    }
  }
}
