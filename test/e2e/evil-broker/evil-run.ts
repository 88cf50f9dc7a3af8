import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI } from '../programs.js';
import type { EvilJsonBroker } from './evil-json-broker.js';
import { EVERYBODY, type Person, signersFile } from './people.js';

export interface EvilRunEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface EvilRun {
  readonly pid: number;
  kill(): void;
  readonly end: Promise<EvilRunEnd>;
}

/** A user whose `run` faces an evil broker. What it runs leaves a line in a file. */
export class RunVictim {
  readonly directory = mkdtempSync(join(tmpdir(), 'countersign-victim-'));
  readonly broker: EvilJsonBroker;
  readonly #trace = join(this.directory, 'trace');

  constructor(
    broker: EvilJsonBroker,
    settings: Readonly<Record<string, string>> = {},
    people: readonly Person[] = EVERYBODY,
  ) {
    this.broker = broker;
    const config = join(this.directory, 'config/countersign');
    mkdirSync(config, { recursive: true, mode: 0o700 });
    const options = { mode: 0o600 };
    writeFileSync(join(config, 'known_brokers'), `${broker.address} ${broker.fingerprint}\n`, options);
    writeFileSync(join(config, 'signers'), signersFile(people), options);
    const lines = Object.entries({ door: 'run:laptop', requester: 'alice', ...settings });
    writeFileSync(
      join(config, 'run.conf'),
      lines.map(([key, value]) => `${key}=${value}\n`).join(''),
      options,
    );
  }

  /** @param shift seconds by which its clock is ahead of the real one */
  start(flags: readonly string[] = [], shift = 0): EvilRun {
    const { broker, directory } = this;
    const clock = `const now=Date.now;Date.now=()=>now()+${shift * 1000}`;
    const child = spawn(
      process.execPath,
      [
        ...(shift === 0 ? [] : ['--import', `data:text/javascript,${encodeURIComponent(clock)}`]),
        ...[CLI, 'run', '--url', broker.address, ...flags, '--', 'sh', '-c', 'echo ran >>"$0"', this.#trace],
      ],
      {
        cwd: directory,
        env: {
          PATH: process.env.PATH ?? '',
          HOME: directory,
          COUNTERSIGN_TOKEN: 't'.repeat(43),
          XDG_CONFIG_HOME: join(directory, 'config'),
          XDG_STATE_HOME: join(directory, 'state'),
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let stderr = '';
    child.stderr.setEncoding('latin1').on('data', (text: string) => {
      stderr += text;
    });
    const end = new Promise<EvilRunEnd>((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal, stderr }));
    });
    return { pid: child.pid ?? 0, kill: () => child.kill('SIGKILL'), end };
  }

  /** As if what stands had been asked so many seconds earlier. */
  age(seconds: number): void {
    const asks = join(this.directory, 'state/countersign/asks');
    for (const name of readdirSync(asks)) {
      const ask = JSON.parse(readFileSync(join(asks, name), 'utf8'));
      writeFileSync(join(asks, name), JSON.stringify({ ...ask, drawn: ask.drawn - seconds * 1000 }));
    }
  }

  /** How often the command has run. */
  get ran(): number {
    return existsSync(this.#trace) ? readFileSync(this.#trace, 'utf8').split('\n').length - 1 : 0;
  }

  /** How many uses are on record. */
  get uses(): number {
    const uses = join(this.directory, 'state/countersign/run/uses');
    return existsSync(uses) ? readdirSync(uses).filter((name) => /-\d+$/.test(name)).length : 0;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
