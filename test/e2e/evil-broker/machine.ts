import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { appendFileSync, chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withAccounts } from '../accounts.js';

/** Accounts of the machine besides those of the real one: their uids, which are also the gids of groups of these names. */
export const ACCOUNTS = { alice: 4001, bob: 4002, carol: 4003, deploy: 4004, Erin: 4005 } as const;

/** A program to run, and in what. */
export interface Start {
  /** Absolute path, then arguments. */
  readonly command: readonly string[];
  /** Nothing else is in the environment. A Buffer holds what is no text. */
  readonly environment: Readonly<Record<string, string | Buffer>>;
  /** Shell lines of the parent before it starts the program, in a mount namespace of this run alone. */
  readonly before?: string;
  /** Whether the program is the hook itself, whose last word is in the log; yes unless said otherwise. */
  readonly logs?: boolean;
}

/** How a program ended. */
export interface End {
  /** 128 and the number of the signal for a killed one; -1 if its parent was killed. */
  readonly exit: number;
  readonly output: string;
  /** What the hook wrote to the log of the system; empty for nothing. */
  readonly log: string;
}

export interface Running {
  readonly pid: Promise<number>;
  readonly end: Promise<End>;
}

const SCRIPTS = fileURLToPath(new URL('../../../scripts', import.meta.url));
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** Gives the namespace a /dev and an /etc of its own, and lives until its input ends. */
const KEEPER = `
mkdir "$0/dev" && mount -t tmpfs -o mode=755 tmpfs "$0/dev"
for node in null zero full random urandom tty; do touch "$0/dev/$node"; mount --bind "/dev/$node" "$0/dev/$node"; done
mkdir "$0/dev/pts" "$0/dev/shm" && mount --rbind /dev/pts "$0/dev/pts"
ln -s pts/ptmx "$0/dev/ptmx" && ln -s /proc/self/fd "$0/dev/fd" && ln -s "$0/syslog" "$0/dev/log"
mount --rbind "$0/dev" /dev
mount --bind "$0/etc" /etc
echo ready
cat
`;

/** Plays sshd: the parent of the hook, which gets its environment from the file $1. */
const PARENT = `
mapfile -d '' -t environment <"$1"
env -i "\${environment[@]}" "\${@:2}" </dev/null 3>&- &
echo "$!" >&3
exec 3>&-
wait "$!"
`;

/**
 * A machine with an installed door: this one, seen through a mount namespace with accounts, a /dev/log and other files of
 * its own. So nothing of the real machine changes, and the hook needs no switch for tests.
 */
export class Machine {
  /** Root's, as are all directories above. */
  readonly directory: string;
  readonly #keeper: ChildProcess;
  readonly #syslog: Server;
  readonly #logged = new Map<number, string>();
  readonly #heard = new EventEmitter().setMaxListeners(0);
  #count = 0;

  private constructor(directory: string, keeper: ChildProcess, syslog: Server) {
    this.directory = directory;
    this.#keeper = keeper;
    this.#syslog = syslog;
    syslog.on('connection', (socket) => {
      const chunks: Buffer[] = [];
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('close', () => this.#hear(Buffer.concat(chunks).toString('latin1')));
    });
  }

  static async start(): Promise<Machine> {
    // Below /tmp a door trusts nothing: anybody may write there.
    const directory = mkdtempSync('/run/countersign-e2e-');
    chmodSync(directory, 0o755);
    for (const part of ['countersign-pam', 'countersign-roster', 'door'])
      cpSync(join(SCRIPTS, part), join(directory, 'libexec', part), { recursive: true });
    execFileSync('chown', ['-R', 'root:root', join(directory, 'libexec')]);
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', join(directory, 'libexec')]);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'host-key')]);
    // Not single files: whoever replaces one of them on the real machine takes a mount upon it away.
    withAccounts('cp', '-a', '/etc', directory);
    const { passwd, group } = accounts();
    appendFileSync(join(directory, 'etc/passwd'), passwd);
    appendFileSync(join(directory, 'etc/group'), group);
    const syslog = createServer().listen(join(directory, 'syslog'));
    await once(syslog, 'listening');
    const namespace = ['--mount', '--propagation', 'private', 'bash', '--norc', '-ec', KEEPER, directory];
    const keeper = spawn('unshare', namespace, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'inherit'] });
    await Promise.race([once(keeper.stdout, 'data'), once(keeper, 'exit')]);
    if (keeper.exitCode !== null) throw new Error('cannot make a mount namespace');
    return new Machine(directory, keeper, syslog);
  }

  get hook(): string {
    return join(this.directory, 'libexec/countersign-pam');
  }

  get hostKey(): string {
    return join(this.directory, 'host-key');
  }

  async stop(): Promise<void> {
    const closed = once(this.#keeper, 'exit');
    this.#keeper.stdin?.end();
    await closed;
    this.#syslog.close();
    // A hook reports in the background after its end.
    rmSync(this.directory, { recursive: true, maxRetries: 20, retryDelay: 100 });
  }

  /** A file below /etc, as the machine sees it. */
  etc(path: string): string {
    return join(this.directory, 'etc', path);
  }

  /** Any path of the machine, also below what only the machine has mounted. */
  path(path: string): string {
    return `/proc/${this.#keeper.pid}/root${path}`;
  }

  /** A new directory, root's alone. */
  makeDirectory(): string {
    this.#count += 1;
    const directory = join(this.directory, `door-${this.#count}`);
    mkdirSync(directory, { mode: 0o700 });
    return directory;
  }

  /** Runs a command on the machine, to its end. */
  run(...command: string[]): void {
    execFileSync('nsenter', [`--target=${this.#keeper.pid}`, '--mount', '--', ...command]);
  }

  /** Runs a command on the machine, to its end, and says what it said. */
  async execute(...command: string[]): Promise<{ exit: number | null; stdout: string; stderr: string }> {
    const child = spawn('nsenter', [`--target=${this.#keeper.pid}`, '--mount', '--', ...command], {
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        said[stream] += chunk.toString('latin1');
      });
    }
    const [exit] = await once(child, 'close');
    return { exit, ...said };
  }

  /** Starts a program as the child of a shell that stands for sshd. */
  start({ command, environment, before = '', logs = true }: Start): Running {
    this.#count += 1;
    const file = join(this.directory, `environment-${this.#count}`);
    const entries = Object.entries(environment).flatMap(([name, value]) => [`${name}=`, value, '\0']);
    writeFileSync(file, Buffer.concat(entries.map((part) => Buffer.from(part))));
    const alone = before === '' ? [] : ['unshare', '--mount', '--propagation', 'private'];
    const shell = ['bash', '--norc', '-c', before + PARENT, 'sshd', file];
    const parent = spawn(
      'nsenter',
      [`--target=${this.#keeper.pid}`, '--mount', '--', ...alone, ...shell, ...command],
      {
        cwd: '/',
        env: ENVIRONMENT,
        stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
      },
    );
    const output: Buffer[] = [];
    parent.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
    const pid = once(parent.stdio[3] as NodeJS.ReadableStream, 'data').then(([line]) => Number(line));
    const end = once(parent, 'close').then(async ([code]) => {
      const exit = (code as number | null) ?? -1;
      rmSync(file);
      return {
        exit,
        output: Buffer.concat(output).toString('latin1'),
        log: logs ? await this.#logOf(await pid, exit) : '',
      };
    });
    return { pid, end };
  }

  async #logOf(pid: number, exit: number): Promise<string> {
    const event = String(pid);
    // The hook logs in the background, after its end. Who was killed has no last words.
    if (!this.#logged.has(pid) && exit >= 0 && exit < 128) {
      await once(this.#heard, event, { signal: AbortSignal.timeout(20_000) }).catch(() => {});
    }
    return this.#logged.get(pid) ?? '';
  }

  #hear(message: string): void {
    const [, id, text = ''] = /countersign-pam\[(\d+)\]: ([\s\S]*)$/.exec(message) ?? [];
    const pid = Number(id);
    this.#logged.set(pid, (this.#logged.get(pid) ?? '') + text);
    this.#heard.emit(String(pid));
  }
}

/** Lines of passwd(5) and group(5). */
function accounts(): { passwd: string; group: string } {
  const entries = Object.entries(ACCOUNTS);
  return {
    passwd: entries.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/sh\n`).join(''),
    group: entries.map(([name, id]) => `${name}:x:${id}:\n`).join(''),
  };
}
