import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BrokerProcess, CLI, countersign, until } from './programs.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

const folder = mkdtempSync(join(tmpdir(), 'countersign-night-'));
/** Every program of this file can be made to believe that it slept. */
const NODE_OPTIONS = `--import=${new URL('jumping-clock.mjs', import.meta.url)}`;
process.env.NODE_OPTIONS = NODE_OPTIONS;

describeWith(['tmux'], 'a console that is open all night', () => {
  let broker: BrokerProcess;
  let bobKey = '';
  let carolKey = '';

  beforeAll(async () => {
    ({ broker, bobKey, carolKey } = await startBroker());
  });
  afterAll(async () => {
    await broker?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (command: readonly string[], env: Record<string, string> = {}): TmuxPane =>
    openPane(command, { ...broker.env, ...env });
  const consoleWith = (key: string, env: Record<string, string> = {}): TmuxPane =>
    open([process.execPath, CLI, 'console', '--key', key], env);
  const shell = (): TmuxPane => open(['bash', '--norc', '-i'], { PS1: 'shell:' });

  /** Asks, and somebody waits for it until the test is over. @returns the id */
  async function ask(resource: string): Promise<string> {
    const words = ['request', 'ssh.login', '--resource', resource, '--requester', 'alice', '--door', 'demo'];
    const asking = countersign([...words, '--wait'], broker.env);
    onTestFinished(() => void asking.child.kill());
    const [, id = ''] = await until(() => /asked (\w+)/.exec(asking.said.stderr));
    return id;
  }
  const stateOf = async (id: string): Promise<string> =>
    JSON.parse(await broker.must('show', id, '--json', '--key', carolKey)).state;

  /** With the cursor on that request: up to the focus on the button that signs a no. */
  async function confirmDenial(pane: TmuxPane, resource: string): Promise<void> {
    await pane.pressUntil('d', new RegExp(`you sign .*${resource}`));
    await pane.shows('Enter cancels');
    await pane.pressUntil('Right', 'Enter signs the denial');
  }

  test('comes back from Ctrl-Z, and under npm start says what stops with it', async () => {
    const pane = shell();
    await pane.shows('shell:');
    const home = join(folder, 'home');
    pane.type(`COUNTERSIGN_DIR=${folder}/own HOME=${home} XDG_CONFIG_HOME=${home} npm start`);
    pane.press('Enter');
    await pane.shows('● live');
    pane.press('C-z');
    expect(await pane.shows('Stopped')).toContain('nobody gets an answer until fg');
    pane.type('fg');
    pane.press('Enter');
    await pane.shows('● live');
    await pane.pressUntil('q', /shell:$/m);
  });

  test('does not stop where no shell could bring it back', async () => {
    const pane = consoleWith(bobKey);
    await pane.shows('● live');
    pane.press('C-z');
    await pane.shows('No shell is here to come back from');
  });

  test('keeps what is open and typed through a storm of sizes, and leaves the terminal whole', async () => {
    const id = await ask('web-sizes');
    const pane = shell();
    await pane.shows('shell:');
    pane.type(`${process.execPath} ${CLI} console --key ${bobKey}`);
    pane.press('Enter');
    await pane.shows('web-sizes');
    await pane.pressUntil('d', 'Sign denial');
    await pane.pressUntil('c', 'Enter ends the comment');
    pane.type('not tonight');
    await pane.shows('not tonight');
    for (let round = 0; round < 12; round += 1) {
      for (const [columns, rows] of SIZES) pane.resize(columns, rows);
    }
    pane.resize(100, 30);
    await pane.shows(/you sign .*web-sizes[\s\S]*not tonight[\s\S]*Enter ends the comment/);
    expect(await stateOf(id)).toBe('pending');
    pane.press('Enter');
    await pane.shows('Enter cancels');
    await pane.pressUntil('Right', 'Enter signs the denial');
    await pane.pressUntil('Enter', 'signed and recorded');
    expect(await broker.must('show', id, '--key', carolKey)).toContain('not tonight');
    pane.press('C-c');
    await pane.shows(/shell:$/m);
    pane.type('stty -a');
    pane.press('Enter');
    expect(await pane.shows('icanon')).not.toMatch(/-icanon|-echo\b/);
  });

  test('decides nothing on what it knew before the broker was killed, and goes on once that is back (A28)', async () => {
    const id = await ask('web-killed');
    const pane = consoleWith(bobKey);
    await pane.shows('web-killed');
    await confirmDenial(pane, 'web-killed');
    await broker.signal('SIGKILL');
    await pane.shows('▲ not connected');
    pane.press('Enter');
    await pane.shows('Nothing can be signed: not connected');
    await broker.start();
    await pane.pressUntil('C-r', '● live');
    expect(await stateOf(id)).toBe('pending');
    await pane.pressUntil('Enter', 'signed and recorded');
    expect(await stateOf(id)).toBe('denied');
  });

  test('does not call a decision undone that the broker never answered (A50)', async () => {
    const id = await ask('web-slow');
    const pane = consoleWith(bobKey);
    await pane.shows('web-slow');
    await confirmDenial(pane, 'web-slow');
    broker.kill('SIGSTOP');
    onTestFinished(() => broker.kill('SIGCONT'));
    pane.press('Enter');
    await pane.shows('No answer came to your denial of ssh.login on web-slow');
    broker.kill('SIGCONT');
    await pane.shows('did arrive, and is recorded');
    expect(await stateOf(id)).toBe('denied');
  });

  test('says that the agent is gone, and signs once it is back', async () => {
    const socket = join(folder, 'agent');
    let stop = startAgent(socket, bobKey);
    const id = await ask('web-agent');
    const publicFile = join(folder, 'bob.pub');
    writeFileSync(publicFile, readFileSync(`${bobKey}.pub`));
    const pane = consoleWith(publicFile, { SSH_AUTH_SOCK: socket });
    await pane.shows('web-agent');
    stop();
    await confirmDenial(pane, 'web-agent');
    await pane.pressUntil('Enter', `no ssh agent answers at ${socket}`);
    stop = startAgent(socket, bobKey);
    onTestFinished(() => stop());
    await pane.pressUntil('Right', 'Enter signs the denial');
    await pane.pressUntil('Enter', 'signed and recorded');
    expect(await stateOf(id)).toBe('denied');
  });

  test('is refused when its key is removed, and let in again when it is back', async () => {
    const pane = consoleWith(bobKey);
    await pane.shows('● live');
    await broker.change('roster', 'remove', 'bob');
    expect((await pane.shows('✗ refused')).replaceAll(/\s+/g, ' ')).toContain(
      'countersign roster add. Then Ctrl-R.',
    );
    await broker.change('roster', 'add', 'bob', '--key', `${bobKey}.pub`);
    await pane.pressUntil('C-r', '● live');
  });

  // Last: from then on the broker's clock is ahead of all others.
  test('is stale at once when the clock jumps, and signs in again where its session ended meanwhile (A28)', async () => {
    const pane = consoleWith(bobKey);
    await pane.shows('● live');
    broker.kill('SIGSTOP');
    onTestFinished(() => broker.kill('SIGCONT'));
    signalAll(pane, 'SIGUSR2');
    await pane.shows('You see the past; decisions are off');
    broker.kill('SIGUSR2');
    broker.kill('SIGCONT');
    await pane.shows('● live');
    const sessions = broker.log.match(/"event":"session","approver":"bob"/g) ?? [];
    expect(sessions.length).toBeGreaterThanOrEqual(2);
  });
});

describeWith(['tmux', 'sshd', 'su', 'root'], 'a console that others can reach', () => {
  let broker: BrokerProcess;
  let bobKey = '';
  let carolKey = '';
  beforeAll(async () => {
    ({ broker, bobKey, carolKey } = await startBroker());
  });
  afterAll(() => broker?.remove());

  test('warns of whoever can type into its tmux, and their keys alone sign nothing (A36)', async () => {
    const protect = (old: string, passphrase: string): void => {
      execFileSync('ssh-keygen', ['-q', '-p', '-P', old, '-N', passphrase, '-f', bobKey]);
    };
    protect('', 'secret');
    onTestFinished(() => protect('secret', ''));
    const pane = openPane(['bash', '--norc', '-i'], { ...broker.env, PS1: 'shell:' });
    await pane.shows('shell:');
    pane.letIn('nobody');
    pane.type(`${process.execPath} ${CLI} console --key ${bobKey}`);
    pane.press('Enter');
    await pane.shows('Enter passphrase');
    pane.type('secret');
    pane.press('Enter');
    const screen = await pane.shows('tmux lets the account nobody type here');
    expect(screen).toContain('tmux server-access -d nobody');
    const asking = countersign(['request', 'demo.shared', '--resource', 'demo', '--wait'], broker.env);
    onTestFinished(() => void asking.child.kill());
    await pane.shows('demo.shared');
    await pane.pressUntil('d', /you sign .*demo.shared/);
    await pane.pressUntil('Right', 'Enter signs the denial');
    const nobodyTypes = (keys: string): void => {
      const line = `tmux -S ${pane.socket} send-keys ${keys}`;
      execFileSync('su', ['nobody', '-s', '/bin/bash', '-c', line], { cwd: '/' });
    };
    nobodyTypes('Enter');
    await pane.shows('Enter passphrase');
    nobodyTypes('guessed Enter');
    await pane.shows('Not signed: ssh-keygen did not sign');
    const [, id = ''] = /asked (\w+)/.exec(asking.said.stderr) ?? [];
    expect(JSON.parse(await broker.must('show', id, '--json', '--key', carolKey)).state).toBe('pending');
  });

  test('leaves quietly when the connection drops: no process, no reader is left', async () => {
    const { env } = broker;
    const asking = countersign(['request', 'demo.hello', '--resource', 'demo', '--wait'], env);
    onTestFinished(() => void asking.child.kill());
    const watching = openPane([process.execPath, CLI, 'console', '--key', carolKey], env);
    await watching.shows('demo.hello');
    const pidFile = join(broker.directory, 'pid');
    const variables = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
    const program = `${process.execPath} ${CLI} console --key ${bobKey}`;
    const remote = `echo $$ > ${pidFile}; exec env ${variables.join(' ')} ${program}`;
    const connected = openPane(sshTo(broker.directory, remote), env);
    await connected.shows('demo.hello');
    await connected.pressUntil('Enter', 'If approved');
    await watching.shows('bob reading');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(isAlive(pid)).toBe(true);
    // The client dies without a word, as a laptop that is closed.
    process.kill(Number(connected.format('#{pane_pid}')), 'SIGKILL');
    await until(() => !isAlive(pid));
    await until(() => !watching.screen().includes('bob reading'));
  });
});

/** Bob and carol approve, and the socket may ask for everything. */
async function startBroker() {
  const broker = new BrokerProcess();
  const bobKey = await broker.enrol('bob');
  const carolKey = await broker.enrol('carol');
  const limits = ['--action', '*', '--resource', '*', '--door', '*', '--requester', '*'];
  await broker.must('submitter', 'add', 'local', '--socket', ...limits);
  await broker.start();
  return { broker, bobKey, carolKey };
}

/** Goes with the test, and shows what stood on it where that failed. */
function openPane(command: readonly string[], env: Record<string, string>): TmuxPane {
  const pane = new TmuxPane(command, { ...env, LC_ALL: 'C.UTF-8', NODE_OPTIONS }, 100, 30);
  onTestFinished(({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(pane.screen());
    pane.close();
  });
  return pane;
}

const SIZES = [
  [160, 50],
  [39, 9],
  [120, 40],
  [60, 15],
  [40, 10],
  [80, 24],
] as const;

/** An agent at that path that holds the key. @returns the way to end it */
function startAgent(socket: string, key: string): () => void {
  const said = execFileSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8' });
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]);
  return () => {
    if (isAlive(pid)) process.kill(pid);
    rmSync(socket, { force: true });
  };
}

/** SSH as this user to an sshd that has no port: it speaks through a pipe. */
function sshTo(directory: string, remote: string): string[] {
  const [hostKey, userKey, settings] = ['ssh-host', 'ssh-user', 'sshd.conf'].map((name) =>
    join(directory, name),
  );
  for (const key of [hostKey, userKey]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', String(key)]);
  }
  writeFileSync(
    String(settings),
    `HostKey ${hostKey}
AuthorizedKeysFile ${userKey}.pub
StrictModes no
UsePAM no
PermitRootLogin yes
`,
  );
  const options = [
    `ProxyCommand=$(command -v sshd || echo /usr/sbin/sshd) -i -f ${settings}`,
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
  ];
  return [
    'ssh',
    '-tt',
    '-F',
    'none',
    ...options.flatMap((option) => ['-o', option]),
    '-i',
    String(userKey),
    'root@pipe',
    remote,
  ];
}

/** Whether it still runs; one that has ended and was not waited for does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function signalAll(pane: TmuxPane, signal: NodeJS.Signals): void {
  process.kill(Number(pane.format('#{pane_pid}')), signal);
}
