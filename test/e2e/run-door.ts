import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerProcess, CLI, until } from './programs.js';

/** How `countersign run` ended. */
export interface RunEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HeldRun {
  readonly child: ChildProcess;
  readonly said: { stdout: string; stderr: string };
  readonly end: Promise<RunEnd>;
  /** The id of its request, as soon as it has one. */
  id(): Promise<string>;
}

export interface RunOptions {
  readonly flags?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input is a pipe with this text; without one, the null device. */
  readonly input?: string;
  /** Words before the program, such as `unshare --uts`. */
  readonly before?: readonly string[];
}

/** A user with a door of their own: alice asks, bob approves, and a broker that is as real as both. */
export class RunDoor {
  readonly broker = new BrokerProcess();
  bob = '';

  /** Enrols everybody and starts the broker, with further flags of `serve`. */
  async prepare(...flags: readonly string[]): Promise<void> {
    await this.broker.enrol('alice');
    this.bob = await this.broker.enrol('bob');
    const key = this.broker.makeKey('run');
    await this.broker.must(
      ...['submitter', 'add', 'run:laptop', '--key', `${key}.pub`, '--action', 'command.run'],
      ...['--resource', '*', '--door', 'run:laptop', '--requester', 'alice'],
    );
    mkdirSync(join(this.broker.config, 'countersign'), { recursive: true, mode: 0o700 });
    this.write('signers', await this.broker.must('roster', 'export'));
    this.configure({});
    await this.broker.start(...flags);
  }

  /** Path of a file in the configuration directory of the user. */
  file(name: string): string {
    return join(this.broker.config, 'countersign', name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.file(name), text);
    chmodSync(this.file(name), 0o644);
  }

  configure(settings: Readonly<Record<string, string>>): void {
    const lines = {
      door: 'run:laptop',
      submitter: 'run:laptop',
      requester: 'alice',
      key: join(this.broker.directory, 'run'),
      ...settings,
    };
    this.write(
      'run.conf',
      Object.entries(lines)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
  }

  start(command: readonly string[], options: RunOptions = {}): HeldRun {
    const { flags = [], cwd = this.broker.directory, env = {}, input, before = [] } = options;
    const words = [...before, process.execPath, CLI, 'run', ...flags, '--', ...command];
    const child = spawn(words[0] ?? '', words.slice(1), {
      cwd,
      env: { PATH: process.env.PATH ?? '', ...this.broker.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const end = new Promise<RunEnd>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal, ...said }));
    });
    const id = async (): Promise<string> => {
      const [, found = ''] = await until(() => {
        const asked = /(?:asked|joined) (\S{26})/.exec(said.stderr);
        if (asked === null && child.exitCode !== null) throw new Error(`it never asked: ${said.stderr}`);
        return asked;
      });
      return found;
    };
    return { child, said, end, id };
  }

  async run(command: readonly string[], options: RunOptions = {}): Promise<RunEnd> {
    return this.start(command, options).end;
  }

  async show(id: string): Promise<{ state: string; report: unknown; digest: string }> {
    return JSON.parse(await this.broker.must('show', id, '--json', '--key', this.bob));
  }

  async decide(verdict: 'approve' | 'deny', id: string): Promise<void> {
    const { digest } = await this.show(id);
    await this.broker.must(verdict, id, '--yes-i-read-it', digest, '--key', this.bob);
    // Alice asks for one resource all the time, and is denied more often than anybody honest.
    if (verdict === 'deny')
      await this.broker.must('unlock', 'alice', '--comment', 'a test', '--key', this.bob);
  }

  /** Runs a command that bob approves. */
  async approved(command: readonly string[], options: RunOptions = {}): Promise<RunEnd> {
    const run = this.start(command, options);
    await this.decide('approve', await run.id());
    return run.end;
  }
}
