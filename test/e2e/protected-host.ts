import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { withAccounts } from './accounts.js';
import { type BrokerProcess, type RunningProgram, SCRIPTS, start, until } from './programs.js';

/**
 * A host behind the door, as the README installs it: a real sshd and sudo whose PAM stacks begin with the hook. It lives
 * in a mount namespace of its own, so that nothing of the machine changes but one account.
 */
export class ProtectedHost {
  /** Root's, and below nothing that others may write to. */
  readonly directory = mkdtempSync('/run/countersign-host-');
  readonly user = `cs-${this.directory.slice(-6).toLowerCase()}`;
  readonly door = 'host:web-1';
  readonly config = join(this.directory, 'pam.conf');
  readonly hook = join(this.directory, 'libexec/countersign-pam');
  readonly #broker: BrokerProcess;
  #sshd: RunningProgram | null = null;
  #port = 0;

  constructor(broker: BrokerProcess) {
    this.#broker = broker;
  }

  /** Installs everything, enrols the host, and starts sshd. `settings` are further lines of pam.conf. */
  async install(settings: Record<string, string> = {}): Promise<void> {
    const { directory } = this;
    chmodSync(directory, 0o755);
    withAccounts(
      'useradd',
      '--create-home',
      '--home-dir',
      join(directory, 'home'),
      '--shell',
      '/bin/bash',
      this.user,
    );
    mkdirSync(join(directory, 'libexec'));
    cpSync(join(SCRIPTS, 'countersign-pam'), this.hook);
    cpSync(join(SCRIPTS, 'door'), join(directory, 'libexec/door'), { recursive: true });
    chmodSync(this.hook, 0o755);
    for (const key of ['host_key', 'login_key']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, key)]);
    }
    cpSync(join(directory, 'login_key.pub'), join(directory, 'authorized_keys'));
    await this.#broker.change('roster', 'set', 'alice', '--alias', this.user);
    await this.#broker.change(
      ...['submitter', 'add', this.door, '--key', join(directory, 'host_key.pub'), '--door', this.door],
      ...['--action', 'ssh.login', '--action', 'sudo.run', '--resource', 'web-1', '--requester', '*'],
    );
    await this.writeSigners();
    this.configure(settings);
    const hookLine = `account required pam_exec.so seteuid stdout quiet ${this.hook} --config ${this.config}`;
    const rest =
      'account required pam_permit.so\nauth required pam_permit.so\nsession required pam_permit.so\n';
    const sessions = `session optional pam_exec.so seteuid quiet ${this.hook} session --config ${this.config}\n`;
    writeFileSync(
      join(directory, 'pam-sshd'),
      `${hookLine}\n${rest}${settings.sessions === 'yes' ? sessions : ''}`,
    );
    writeFileSync(join(directory, 'pam-sudo'), `${hookLine}\n${rest}`);
    writeFileSync(join(directory, 'sudoers'), `${this.user} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
    await this.#startSshd();
  }

  configure(settings: Record<string, string>): void {
    const lines = {
      broker: this.#broker.address,
      fingerprint: this.#broker.fingerprint,
      door: this.door,
      submitter: this.door,
      key: join(this.directory, 'host_key'),
      signers: join(this.directory, 'signers'),
      state: join(this.directory, 'state'),
      wait: '60',
      ...settings,
    };
    const text = Object.entries(lines).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(this.config, text.join(''), { mode: 0o644 });
    mkdirSync(lines.state, { recursive: true, mode: 0o700 });
  }

  async writeSigners(): Promise<void> {
    writeFileSync(join(this.directory, 'signers'), await this.#broker.must('roster', 'export'), {
      mode: 0o644,
    });
  }

  /** Logs in and runs a command there. */
  ssh(command: string, ...options: string[]): RunningProgram {
    return start('ssh', [
      ...['-F', '/dev/null', '-p', String(this.#port), '-i', join(this.directory, 'login_key')],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes'],
      ...['-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=INFO', ...options],
      ...[`${this.user}@127.0.0.1`, command],
    ]);
  }

  /** Runs sudo as the user, in a directory of his. */
  sudo(...command: string[]): RunningProgram {
    return this.#inside('setpriv', [
      ...[`--reuid=${this.user}`, `--regid=${this.user}`, '--init-groups', '--reset-env'],
      ...['env', '-C', join(this.directory, 'home'), 'sudo', '-n', ...command],
    ]);
  }

  /** What the door itself says of its installation. */
  check(...args: string[]): RunningProgram {
    return this.#inside(this.hook, [
      'check',
      '--config',
      this.config,
      '--sshd-config',
      join(this.directory, 'sshd_config'),
      ...args,
    ]);
  }

  get sshdLog(): string {
    return this.#sshd?.said.stderr ?? '';
  }

  async remove(): Promise<void> {
    this.#sshd?.child.kill('SIGKILL');
    await this.#sshd?.outcome;
    withAccounts('sh', '-c', `pkill -KILL -u ${this.user}; userdel ${this.user} 2>/dev/null; true`);
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #startSshd(): Promise<void> {
    const { directory } = this;
    this.#port = await freePort();
    mkdirSync('/run/sshd', { recursive: true });
    const config = join(directory, 'sshd_config');
    writeFileSync(
      config,
      [
        `Port ${this.#port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${join(directory, 'host_key')}`,
        `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
        `PidFile ${join(directory, 'sshd.pid')}`,
        'UsePAM yes',
        'AuthenticationMethods publickey',
        'LogLevel VERBOSE',
        '',
      ].join('\n'),
    );
    this.#sshd = this.#inside('/usr/sbin/sshd', ['-D', '-e', '-f', config]);
    const sshd = this.#sshd;
    await until(() => {
      if (sshd.child.exitCode !== null) throw new Error(`sshd exited: ${sshd.said.stderr}`);
      return sshd.said.stderr.includes('Server listening');
    });
  }

  /** Runs a program where the PAM files and sudoers are the ones of this host. */
  #inside(command: string, args: readonly string[]): RunningProgram {
    const { directory } = this;
    const script = [
      `mount --bind ${directory}/pam-sshd /etc/pam.d/sshd`,
      `mount --bind ${directory}/pam-sudo /etc/pam.d/sudo`,
      `mount --bind ${directory}/pam-sudo /etc/pam.d/sudo-i`,
      `mount --bind ${directory}/sudoers /etc/sudoers`,
      'exec "$@"',
    ].join(' && ');
    return start('unshare', ['--mount', 'sh', '-c', script, 'sh', command, ...args]);
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
