import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, CLI } from './programs.js';
import { ProtectedHost } from './protected-host.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

const TOOLS = ['root', 'mount namespaces', 'sshd', 'sudo', 'setpriv', 'tmux'];

describeWith(TOOLS, 'a login held at the door of a real sshd', () => {
  let broker: BrokerProcess;
  let host: ProtectedHost;
  let console: TmuxPane;
  let bobKey: string;

  beforeAll(async () => {
    broker = new BrokerProcess();
    host = new ProtectedHost(broker);
    bobKey = await broker.enrol('bob');
    await broker.enrol('alice');
    await broker.start();
    await host.install();
    console = new TmuxPane([process.execPath, CLI, 'console', '--key', bobKey], broker.env);
    await console.shows('live');
  });
  afterAll(async () => {
    console?.close();
    await host?.remove();
    await broker?.remove();
  });

  test('hangs until an approver signs in the console, then runs the command; the row turns green', async () => {
    const login = host.ssh('echo opened for $USER');
    await console.shows('ssh.login');
    expect(login.child.exitCode).toBeNull();
    await approveInConsole(console);
    const { code, stdout } = await login.outcome;
    expect([code, stdout.trim()]).toEqual([0, `opened for ${host.user}`]);
    await console.shows('✓ opened');
  });
});

/** Reads to the end, opens the confirm step, moves from Cancel to the signature, signs. */
async function approveInConsole(console: TmuxPane): Promise<void> {
  await console.pressUntil('Enter', 'What is asked');
  await console.pressUntil('Space', 'a approve');
  await console.pressUntil('a', '[ Sign approval ]');
  await console.pressUntil('Tab', 'Enter signs the approval');
  console.press('Enter');
  await console.shows('signed and recorded');
}
