import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built program, as `bin` installs it. */
export const CLI = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url));
export const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url));

type Look<Found> = Found | null | undefined | false;

/** Looks again and again until `look` returns something; the test's own time-out ends it. */
export async function until<Found>(look: () => Look<Found> | Promise<Look<Found>>): Promise<Found> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What a program did. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly said: { stdout: string; stderr: string };
  readonly outcome: Promise<Outcome>;
}

/** Starts a program with nothing on its standard input. */
export function start(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): RunningProgram {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
  return { child, said, outcome };
}

/** Runs the command line of Countersign. */
export const countersign = (args: readonly string[], env: Record<string, string> = {}): RunningProgram =>
  start(process.execPath, [CLI, ...args], env);

/** A broker of its own: data directory, approver bob with a key file, and nothing else. */
export class BrokerProcess {
  readonly directory = mkdtempSync(join(tmpdir(), 'countersign-e2e-'));
  readonly data = join(this.directory, 'data');
  readonly config = join(this.directory, 'config');
  #running: RunningProgram | null = null;
  #port = 0;
  /** Of those who were enrolled here. */
  readonly #keys: string[] = [];

  /** Variables under which every verb talks to this broker and finds nothing of the machine's own. */
  get env(): Record<string, string> {
    return {
      COUNTERSIGN_DIR: this.data,
      HOME: this.directory,
      XDG_CONFIG_HOME: this.config,
      XDG_STATE_HOME: join(this.directory, 'state'),
      XDG_DATA_HOME: join(this.directory, 'share'),
      SSH_AUTH_SOCK: '',
    };
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get fingerprint(): string {
    return (
      execFileSync('ssh-keygen', ['-lf', join(this.data, 'broker.key.pub')], { encoding: 'utf8' }).split(
        ' ',
      )[1] ?? ''
    );
  }

  /** Makes a key pair and returns the path of the private half. */
  makeKey(name: string, ...options: string[]): string {
    const file = join(this.directory, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, ...options, '-f', file]);
    return file;
  }

  async enrol(name: string, ...options: string[]): Promise<string> {
    const key = this.makeKey(name);
    await this.must('roster', 'add', name, '--key', `${key}.pub`, ...options);
    this.#keys.push(key);
    return key;
  }

  /** Runs a verb that changes people or submitters, which everybody enrolled here signs where that is asked for. */
  async change(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.signChange(countersign(args, this.env));
    if (code !== 0) throw new Error(`countersign ${args.join(' ')} exited ${code}: ${stderr}`);
    return stdout;
  }

  /** Has everybody enrolled here sign what that program asks for, until it is over. */
  async signChange(changing: RunningProgram): Promise<Outcome> {
    const isOver = (): boolean => changing.child.exitCode !== null;
    const [, id = ''] = await until(() =>
      isOver() ? [] : /waiting for approval: (\S+),/.exec(changing.said.stderr),
    );
    for (const key of this.#keys) {
      if (isOver()) break;
      const { digest } = JSON.parse(await this.must('show', id, '--json', '--key', key));
      // One more than it takes hears that it is over.
      await countersign(['approve', id, '--yes-i-read-it', digest, '--key', key], this.env).outcome;
    }
    return changing.outcome;
  }

  /** Runs a verb that must succeed, and returns what it printed. */
  async must(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await countersign(args, this.env).outcome;
    if (code !== 0) throw new Error(`countersign ${args.join(' ')} exited ${code}: ${stderr}`);
    return stdout;
  }

  /** Starts `serve`, with further flags; on the same port as before after the first time. */
  async start(...flags: readonly string[]): Promise<void> {
    const running = countersign(
      ['serve', '--dir', this.data, '--listen', `127.0.0.1:${this.#port}`, ...flags],
      this.env,
    );
    this.#running = running;
    const started = await until(() => {
      if (running.child.exitCode !== null) throw new Error(`the broker exited: ${running.said.stderr}`);
      return /"event":"started".*?"address":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(running.said.stderr);
    });
    this.#port = Number(started[1]);
  }

  get log(): string {
    return this.#running?.said.stderr ?? '';
  }

  /** Sends a signal that the broker outlives. */
  kill(signal: NodeJS.Signals): void {
    this.#running?.child.kill(signal);
  }

  async signal(signal: NodeJS.Signals): Promise<Outcome> {
    if (this.#running === null) throw new Error('the broker does not run');
    this.#running.child.kill(signal);
    return this.#running.outcome;
  }

  async remove(): Promise<void> {
    this.#running?.child.kill('SIGKILL');
    await this.#running?.outcome;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
