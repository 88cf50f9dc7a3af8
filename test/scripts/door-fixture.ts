import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Decision, formatDecision } from '../../src/protocol/statements.js';
import { SCRIPTS } from './door-shell.js';
import { type Ask, FINGERPRINT } from './fake-broker.js';
import { MemoryKey } from './receipt-mutations.js';

export const DOOR = 'host:web-1.example.com';

/** Some seconds from now, as the protocol counts them. */
export const inSeconds = (seconds: number): number => (Math.floor(Date.now() / 1000) + seconds) * 1000;

/** What `approver` would sign for an ask at a door, changed by `changes`. */
export const decisionOn = (
  ask: Ask,
  door: string,
  approver: string,
  changes: Readonly<Record<string, unknown>> = {},
): string =>
  formatDecision({
    broker: FINGERPRINT,
    door,
    request: ask.digest,
    scope: ask.scope,
    covers: 'request',
    policy: null,
    verdict: 'approve',
    requester: ask.document.requester,
    approver,
    decided: inSeconds(0),
    notAfter: inSeconds(600),
    duration: 0,
    uses: 1,
    code: null,
    comment: '',
    ...changes,
  } as Decision);

/** How a run of the hook ended. */
export interface Ended {
  readonly status: number | null;
  /** What the user reads. */
  readonly said: string;
  /** What the log of the system gets. */
  readonly log: string;
}

/** What a program said to an administrator. */
export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly pid: number;
  /** Resolves once the hook and all that it left running are gone. */
  readonly ended: Promise<Ended>;
}

/**
 * A door of root's in a directory of its own: a copy of the hook, configuration, signers and state. Each run has a mount
 * namespace of its own, where `logger` writes to a file, because what a machine does with its log is not for a test to
 * rely on.
 */
export class DoorFixture {
  /** Not below the directory for temporary files: everybody may write there, so that a door trusts nothing in it. */
  readonly directory = mkdtempSync('/run/cs-door-');
  readonly settings: Record<string, string>;
  readonly #people = new Map<string, MemoryKey>();
  #runs = 0;

  constructor(port: number) {
    chmodSync(this.directory, 0o755);
    cpSync(join(SCRIPTS, 'countersign-pam'), this.hook);
    cpSync(join(SCRIPTS, 'door'), this.file('libexec/door'), { recursive: true });
    execFileSync('chown', ['-R', '0:0', this.directory]);
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', this.directory]);
    chmodSync(this.hook, 0o755);
    mkdirSync(this.file('state'), { mode: 0o700 });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', this.file('host-key')]);
    this.settings = {
      broker: `http://127.0.0.1:${port}`,
      fingerprint: FINGERPRINT,
      door: DOOR,
      submitter: 'host-web-1',
      key: this.file('host-key'),
      signers: this.file('signers'),
      state: this.file('state'),
      // The account of the tests is root, who is nobody's alias.
      'shared-requester': 'accept',
      wait: '8',
      'sudo-wait': '8',
    };
    this.enrol('bob,group:oncall', 'carol,group:db', 'alice');
  }

  get hook(): string {
    return this.file('libexec/countersign-pam');
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Writes the signers file: one line for each text of principals. */
  enrol(...principals: readonly string[]): void {
    const lines = principals.map((all) => {
      const key = this.key(all.split(',')[0] ?? '');
      return `${all} namespaces="decision@countersign" ${key.line}\n`;
    });
    writeFileSync(this.file('signers'), lines.join(''));
  }

  /** The key of a person. */
  key(name: string): MemoryKey {
    const key = this.#people.get(name) ?? new MemoryKey();
    this.#people.set(name, key);
    return key;
  }

  /** A receipt for an ask: what `approver` would sign, changed by `changes`, signed by the key of `signer`. */
  receipt(
    ask: Ask,
    approver: string,
    changes: Readonly<Record<string, unknown>> = {},
    signer = approver,
  ): string {
    const statement = decisionOn(ask, DOOR, approver, changes);
    return statement + this.key(signer).sign(statement);
  }

  configure(): string {
    const file = this.file('pam.conf');
    const lines = Object.entries(this.settings).map(([key, value]) => `${key}=${value}\n`);
    // In one step, because another run may be reading it.
    writeFileSync(`${file}.new`, lines.join(''), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return file;
  }

  /**
   * Starts the hook for a login of root from 203.0.113.9. Values of `env` are Latin-1, one character a byte. `before` are
   * shell lines that prepare its namespace.
   */
  start(env: Readonly<Record<string, string>> = {}, before = '', args: readonly string[] = []): Run {
    this.#runs += 1;
    const log = this.file(`log-${this.#runs}`);
    const logger = this.file(`logger-${this.#runs}`);
    writeFileSync(log, '');
    writeFileSync(
      logger,
      `#!/bin/bash -p\nwhile [[ $1 != -- ]]; do shift; done; shift\nprintf '%s\\n' "$*" >>${log}\n`,
      { mode: 0o755 },
    );
    const assignments = Object.entries({ ...LOGIN, ...env }).map(([name, value]) => `${name}=${value}\0`);
    writeFileSync(`${log}.env`, assignments.join(''), 'latin1');
    const script = `mount --bind ${logger} /usr/bin/logger
${before}
mapfile -d '' -t environment <${log}.env
exec env -i "\${environment[@]}" ${this.hook} --config ${this.configure()} ${args.join(' ')}`;
    const child = spawn('unshare', ['--mount', '/bin/bash', '-c', script], {
      // Whatever the hook leaves running holds the last descriptor.
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
    });
    child.stdio[3]?.on('data', () => {});
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (status) => resolve({ status, said, log: readFileSync(log, 'latin1') }));
    });
    return { pid: child.pid ?? 0, ended };
  }

  /** Runs `countersign-pam check`. */
  async check(...args: readonly string[]): Promise<Said> {
    return await this.run('check', '--config', this.configure(), ...args);
  }

  /** Runs the program as an administrator does. */
  async run(...args: readonly string[]): Promise<Said> {
    const child = spawn(this.hook, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        said[stream] += chunk.toString();
      });
    }
    const [status] = await once(child, 'close');
    return { status, ...said };
  }

  async login(
    env: Readonly<Record<string, string>> = {},
    before = '',
    args: readonly string[] = [],
  ): Promise<Ended> {
    return await this.start(env, before, args).ended;
  }
}

const LOGIN = {
  PAM_TYPE: 'account',
  PAM_SERVICE: 'sshd',
  PAM_USER: 'root',
  PAM_RHOST: '203.0.113.9',
  PAM_TTY: 'ssh',
};
