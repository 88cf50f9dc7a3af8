import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type RunningProgram, start, until } from '../programs.js';

/** Whatever runs in a machine ends with it; its first process is a bash, which takes in what was left by its parent. */
const NAMESPACES = ['--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** What a machine may write to without anybody else seeing it. */
const OWN = ['etc', 'usr', 'var', 'root', 'home', 'opt'];
const HOMES: Readonly<Record<string, string>> = { root: '/root', countersign: '/var/lib/countersign-broker' };
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A network of machines that is no other's: all of them have the same loopback, and every port is free. */
export class Network {
  readonly process = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && exec sleep infinity'], {
    stdio: 'ignore',
  });

  async up(): Promise<void> {
    await until(() =>
      inside(this.process.pid, ['--net'], ['ip', '-o', 'addr', 'show', 'dev', 'lo']).includes('127.0.0.1'),
    );
  }

  remove(): void {
    this.process.kill('SIGKILL');
  }
}

/**
 * A machine as a reader of the README has it: this one's programs with the project's Node, its own name, and a copy of
 * everything that an installation changes. What is written there is gone with it.
 */
export class Machine {
  readonly name: string;
  /** Seen from outside and inside under the same path. */
  readonly directory = mkdtempSync('/run/countersign-machine-');
  readonly #process: ReturnType<typeof spawn>;
  readonly #network: Network;
  readonly #started: RunningProgram[] = [];

  private constructor(name: string, network: Network) {
    this.name = name;
    this.#network = network;
    const mounts = OWN.map((folder) => {
      const [upper, work] = ['upper', 'work'].map((part) => join(this.directory, folder, part)) as [
        string,
        string,
      ];
      for (const made of [upper, work]) mkdirSync(made, { recursive: true });
      return `mount -t overlay overlay -o lowerdir=/${folder},upperdir=${upper},workdir=${work} /${folder}`;
    });
    const script = [
      ...mounts,
      'mount -t tmpfs tmpfs /tmp',
      `hostname ${name}`,
      '{ sleep infinity & wait; }',
    ].join(' && ');
    this.#process = spawn('unshare', [...NAMESPACES, 'bash', '-c', script], { stdio: 'ignore' });
  }

  /** @param names names in DNS, all of this loopback */
  static async boot(name: string, network: Network, names: readonly string[]): Promise<Machine> {
    const machine = new Machine(name, network);
    await until(() => inside(machine.#process.pid, ['--uts', '--mount'], ['hostname']).trim() === name);
    machine.write('/etc/hosts', `127.0.0.1 localhost ${name} ${names.join(' ')}\n`);
    copyFileSync(process.execPath, join(machine.directory, 'node'));
    await machine.run(`install -m 0755 ${machine.directory}/node /usr/bin/node`);
    return machine;
  }

  /** Writes a file of the machine, by way of a process in it. */
  write(path: string, text: string, mode = '0644'): void {
    const passed = join(this.directory, 'passed');
    writeFileSync(passed, text);
    const install = ['install', '-D', '-m', mode, passed, path];
    const { status, stderr } = spawnSync('nsenter', [...this.#namespaces(), ...install], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${dirname(path)}: ${stderr}`);
  }

  /** Unpacks an archive into a folder of the machine. */
  unpack(archive: string, folder: string): void {
    const unpack = ['sh', '-c', `mkdir -p ${folder} && tar -xf ${archive} -C ${folder}`];
    execFileSync('nsenter', [...this.#namespaces(), ...unpack]);
  }

  /** Starts a block as root's shell would, a line at a time, ending at the first that fails. */
  start(
    block: string,
    { cwd: given, outside = false, user = 'root', env = {} }: RunOptions = {},
  ): RunningProgram {
    const home = HOMES[user] ?? `/home/${user}`;
    const cwd = given ?? home;
    const asUser = user === 'root' ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups'];
    const variables = Object.entries({ HOME: home, USER: user, PATH, LANG: 'C.UTF-8', ...env }).map((pair) =>
      pair.join('='),
    );
    const network = outside ? [] : [`--net=/proc/${this.#network.process.pid}/ns/net`];
    const program = start('nsenter', [
      ...[...network, ...this.#namespaces(), ...asUser],
      ...['env', '-i', '-C', cwd, ...variables, 'bash', '-euo', 'pipefail', '-c', block],
    ]);
    this.#started.push(program);
    return program;
  }

  /** Runs a block that must succeed, and returns what it printed. */
  async run(block: string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.start(block, options).outcome;
    if (code !== 0) throw new Error(`on ${this.name} this exited ${code}:\n${block}\n${stdout}${stderr}`);
    return stdout;
  }

  async remove(): Promise<void> {
    for (const { child } of this.#started) child.kill('SIGKILL');
    this.#process.kill('SIGKILL');
    await new Promise((resolve) => this.#process.once('close', resolve));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #namespaces(): string[] {
    const of = (name: string): string => `/proc/${this.#process.pid}/ns/${name}`;
    return [`--mount=${of('mnt')}`, `--uts=${of('uts')}`, `--pid=${of('pid_for_children')}`];
  }
}

export interface RunOptions {
  readonly cwd?: string;
  /** Whether it may reach the world beyond the network of machines, as for npm. */
  readonly outside?: boolean;
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function inside(pid: number | undefined, namespaces: readonly string[], command: readonly string[]): string {
  return (
    spawnSync('nsenter', [`--target=${pid}`, ...namespaces, ...command], { encoding: 'utf8' }).stdout ?? ''
  );
}
