import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command line as it is built. */
export const CLI = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the match as soon as what was said on stdout and stderr has one; fails if the program ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What is written to its standard input, which is then closed. */
  readonly input?: string;
}

/** Starts a program and listens to it. */
export function start(command: string, args: readonly string[], options: StartOptions = {}): Running {
  const child = spawn(command, args, {
    cwd: options.cwd ?? '/',
    env: { PATH: process.env.PATH ?? '', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  const listeners = new Set<() => void>();
  const hear = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    hear();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    hear();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    child,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stdout + stderr);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without saying ${pattern}: ${stdout}${stderr}`)));
      }),
  };
}

/** A user of this machine with an empty home, and whatever that user starts. */
export class User {
  readonly home = mkdtempSync(join(tmpdir(), 'countersign-user-'));
  readonly data = join(this.home, 'data');
  readonly env: Readonly<Record<string, string>>;
  readonly #running = new Set<Running>();

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.env = {
      HOME: this.home,
      COUNTERSIGN_DIR: this.data,
      XDG_CONFIG_HOME: join(this.home, 'config'),
      XDG_STATE_HOME: join(this.home, 'state'),
      XDG_DATA_HOME: join(this.home, 'share'),
      ...env,
    };
  }

  /** Makes a key pair and returns the path of the private half. */
  makeKey(name: string, ...options: string[]): string {
    mkdirSync(join(this.home, '.ssh'), { recursive: true, mode: 0o700 });
    const path = join(this.home, '.ssh', name);
    const passphrase = options.includes('-N') ? [] : ['-N', ''];
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', ...passphrase, '-C', name, ...options, '-f', path]);
    return path;
  }

  start(args: readonly string[], options: StartOptions = {}): Running {
    const running = start(process.execPath, [CLI, ...args], {
      ...options,
      env: { ...this.env, ...options.env },
    });
    this.#running.add(running);
    void running.ended.finally(() => this.#running.delete(running));
    return running;
  }

  run(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** Runs a verb that must succeed and returns what it printed. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`countersign ${args.join(' ')} exited with ${code}: ${stderr}`);
    return stdout;
  }

  /** Starts `up` without a terminal, on a free port, and returns it with the line that it gives to paste. */
  async up(...args: readonly string[]): Promise<Running & { readonly line: string }> {
    const running = this.start(['up', '--listen', '127.0.0.1:0', ...args]);
    const [, line = ''] = await running.says(/^ {2}(\S.* --wait)$/m);
    await running.says(/"event":"started"/);
    return { ...running, line };
  }

  async remove(): Promise<void> {
    for (const { child } of this.#running) child.kill('SIGKILL');
    await Promise.all([...this.#running].map(({ ended }) => ended));
    rmSync(this.home, { recursive: true, force: true });
  }
}
