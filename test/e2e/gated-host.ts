import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { withAccounts } from './accounts.js';
import { type RunningProgram, SCRIPTS, start, until } from './programs.js';

/** The broker that a gate asks. */
export interface GateBroker {
  readonly address: string;
  readonly fingerprint: string;
}

/** An account of a real sshd whose only way in is the gate, as the README installs it. */
export class GatedHost {
  /** Root's, and below nothing that others may write to. */
  readonly directory = mkdtempSync('/run/countersign-gate-');
  readonly user = `cs-${this.directory.slice(-6).toLowerCase()}`;
  readonly door = 'gate:web-1';
  readonly config = this.file('gate.conf');
  readonly gate = this.file('libexec/countersign-gate');
  #sshd: RunningProgram | null = null;
  #port = 0;

  /** Makes the account, its keys and the files of the gate, without a configuration. */
  constructor() {
    chmodSync(this.directory, 0o755);
    withAccounts(
      'useradd',
      '--create-home',
      '--home-dir',
      this.file('home'),
      '--shell',
      '/bin/bash',
      '--password',
      '*',
      this.user,
    );
    mkdirSync(this.file('libexec'));
    for (const part of ['countersign-gate', 'door'])
      cpSync(join(SCRIPTS, part), this.file(`libexec/${part}`), { recursive: true });
    execFileSync('chown', ['-R', 'root:root', this.file('libexec')]);
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', this.file('libexec')]);
    for (const key of ['host_key', 'gate_key', 'alice_key', 'other_key'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.file(key)]);
    // root's, and for the account to read.
    chownSync(this.file('gate_key'), 0, this.#id('-g'));
    chmodSync(this.file('gate_key'), 0o640);
    mkdirSync(this.file('state'), { mode: 0o755 });
    mkdirSync(this.file(`state/${this.user}`), { mode: 0o700 });
    chownSync(this.file(`state/${this.user}`), this.#id('-u'), this.#id('-g'));
    const keys = ['alice_key', 'other_key'].map((name) => readFileSync(this.file(`${name}.pub`), 'utf8'));
    writeFileSync(this.file('authorized_keys'), keys.join(''), { mode: 0o644 });
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  /** Writes gate.conf; null leaves a key out. */
  configure(broker: GateBroker, settings: Readonly<Record<string, string | null>> = {}): void {
    const lines = {
      broker: broker.address,
      fingerprint: broker.fingerprint,
      door: this.door,
      submitter: this.door,
      key: this.file('gate_key'),
      signers: this.file('signers'),
      state: this.file('state/%u'),
      resource: 'web-1',
      wait: '60',
      'shared-requester': 'accept',
      ...settings,
    };
    const text = Object.entries(lines).map(([key, value]) => (value === null ? '' : `${key}=${value}\n`));
    writeFileSync(this.config, text.join(''), { mode: 0o644 });
  }

  /** Starts sshd; `block` are the lines of the account's Match block. */
  async startSshd(block: readonly string[] = []): Promise<void> {
    await this.stopSshd();
    this.#port = await freePort();
    mkdirSync('/run/sshd', { recursive: true });
    const config = this.file('sshd_config');
    const lines = [
      `Port ${this.#port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${this.file('host_key')}`,
      `PidFile ${this.file('sshd.pid')}`,
      'UsePAM no',
      'AcceptEnv LANG LC_*',
      'Subsystem sftp internal-sftp',
      `Match User ${this.user}`,
      `ForceCommand ${this.gate} --config ${this.config}`,
      'ExposeAuthInfo yes',
      'DisableForwarding yes',
      'AllowAgentForwarding no',
      'X11Forwarding no',
      'PermitUserRC no',
      `AuthorizedKeysFile ${this.file('authorized_keys')}`,
      '',
    ];
    const given = new Set(block.map((line) => line.split(' ')[0]));
    const kept = lines.filter((line) => !given.has(line.split(' ')[0]));
    writeFileSync(config, [...kept.slice(0, -1), ...block, ''].join('\n'));
    const sshd = start('/usr/sbin/sshd', ['-D', '-e', '-f', config]);
    this.#sshd = sshd;
    await until(() => {
      if (sshd.child.exitCode !== null) throw new Error(`sshd exited: ${sshd.said.stderr}`);
      return sshd.said.stderr.includes('Server listening');
    });
  }

  async stopSshd(): Promise<void> {
    this.#sshd?.child.kill('SIGKILL');
    await this.#sshd?.outcome;
  }

  /** What every OpenSSH client needs to log in with one of the keys. */
  options(key = 'alice_key'): string[] {
    return [
      ...['-F', '/dev/null', '-i', this.file(key), '-o', `Port=${this.#port}`, '-o', 'BatchMode=yes'],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'IdentitiesOnly=yes'],
      ...['-o', 'LogLevel=ERROR'],
    ];
  }

  get address(): string {
    return `${this.user}@127.0.0.1`;
  }

  /** Runs a command there; without one, asks for a shell. `options` come first. */
  ssh(command: string | null, { options = [] as readonly string[], key = 'alice_key' } = {}): RunningProgram {
    const rest = command === null ? [] : [command];
    return start('ssh', [...this.options(key), ...options, this.address, ...rest]);
  }

  check(...args: string[]): RunningProgram {
    const sshd = ['--sshd-config', this.file('sshd_config')];
    return start(this.gate, ['check', '--config', this.config, ...sshd, ...args]);
  }

  async remove(): Promise<void> {
    await this.stopSshd();
    withAccounts('sh', '-c', `pkill -KILL -u ${this.user}; userdel --force ${this.user} 2>/dev/null; true`);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #id(what: '-u' | '-g'): number {
    return Number(execFileSync('id', [what, this.user], { encoding: 'utf8' }));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
