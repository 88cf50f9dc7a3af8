import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { EvilBroker } from './evil-broker.js';
import type { End, Machine, Running } from './machine.js';
import { EVERYBODY, type Person, signersFile } from './people.js';

/** A value of null leaves the key out. */
export type Configuration = Readonly<Record<string, string | null>>;

export interface DoorOptions {
  readonly broker: EvilBroker;
  readonly people?: readonly Person[];
  readonly config?: Configuration;
}

export interface Login {
  readonly environment?: Readonly<Record<string, string | Buffer>>;
  readonly before?: string;
  readonly logs?: boolean;
  readonly arguments?: readonly string[];
}

/** One door of a machine: configuration, signers and state in a directory of its own. */
export class Door {
  readonly directory: string;
  readonly machine: Machine;
  readonly #values: Configuration;

  constructor(machine: Machine, { broker, people = EVERYBODY, config = {} }: DoorOptions) {
    this.machine = machine;
    this.directory = machine.makeDirectory();
    this.#values = {
      broker: broker.address,
      fingerprint: broker.fingerprint,
      door: 'host:web-1.example.com',
      submitter: 'host:web-1.example.com',
      key: machine.hostKey,
      signers: this.file('signers'),
      state: this.file('state'),
      wait: '20',
      ...config,
    };
    mkdirSync(this.file('state'), { mode: 0o700 });
    this.configure({});
    writeFileSync(this.file('signers'), signersFile(people));
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  /** Writes the configuration with these values changed, and any text after it. */
  configure(change: Configuration, after = ''): void {
    let text = '';
    for (const [key, value] of Object.entries({ ...this.#values, ...change })) {
      if (value !== null) text += `${key}=${value}\n`;
    }
    writeFileSync(this.file('config'), text + after);
  }

  /** Alice logs in from somewhere, but for what is said otherwise. */
  start({ environment = {}, before = '', logs = true, arguments: args = [] }: Login = {}): Running {
    return this.machine.start({
      command: [this.machine.hook, '--config', this.file('config'), ...args],
      environment: {
        PAM_TYPE: 'account',
        PAM_SERVICE: 'sshd',
        PAM_USER: 'alice',
        PAM_RHOST: '203.0.113.9',
        PAM_TTY: 'ssh',
        ...environment,
      },
      before,
      logs,
    });
  }

  async login(login: Login = {}): Promise<End> {
    return await this.start(login).end;
  }

  /** By digest of what was opened: the lines of the uses. */
  spent(): Record<string, string[]> {
    const root = this.machine.path(this.file('state/spent'));
    if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) return {};
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return Object.fromEntries(
      files.map((entry) => [
        `sha256:${entry.name}`,
        // Other lines are words: why nothing opens for it any more.
        readFileSync(join(entry.parentPath, entry.name), 'utf8')
          .split('\n')
          .filter((line) => /^\d+$/.test(line)),
      ]),
    );
  }

  /** How many uses the door has on record. */
  get uses(): number {
    return Object.values(this.spent()).flat().length;
  }
}

const LINE = /^countersign: [ -~]{1,400} \(request (?:-|[0-9A-Z]{26})\)\n$/;

/** The exits of the words that are no errors. */
const EXITS: Readonly<Record<string, number>> = {
  denied: 2,
  expired: 3,
  lapsed: 3,
  waiting: 3,
  cancelled: 4,
  revoked: 4,
};

/** Shut, with this word for machines in the log, the exit that goes with it, and one line for the user. */
export function expectShut({ exit, output, log }: End, code: string | RegExp): void {
  const said = /^refused: [ -~]* code ([a-z0-9-]+)$/.exec(log.trimEnd())?.[1] ?? '';
  expect({ exit, code: said, output }, log).toEqual({
    exit: EXITS[said] ?? 1,
    code: typeof code === 'string' ? code : expect.stringMatching(code),
    output: expect.stringMatching(LINE),
  });
}

/** Open, as approved by these people. Where the output is that of a command, the log alone says so. */
export function expectOpen({ exit, output, log }: End, by = 'bob'): void {
  const said = new RegExp(`^opened: (approved by ${by} \\(request [0-9A-Z]{26}\\)); service sshd `).exec(
    log,
  )?.[1];
  expect({ exit, output }, log).toEqual({
    exit: 0,
    output: said === undefined ? '' : `countersign: ${said}\n`,
  });
  expect(log).toContain(`opened: approved by ${by} `);
}
