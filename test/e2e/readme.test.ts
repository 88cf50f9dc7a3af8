import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Readme } from './readme/blocks.js';
import { Machine, Network } from './readme/machine.js';
import { describeWith } from './tools.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The part of PID 1: starts the unit's command as its user, with its directory and flags, until SIGTERM. */
const SYSTEMCTL = readFileSync(new URL('readme/systemctl', import.meta.url), 'utf8');
const TOOLS = [
  'root',
  'mount namespaces',
  'ip',
  'npm',
  'git',
  'sudo',
  'sshd',
  'ssh-keygen',
  'systemd-sysusers',
  'curl',
];

/** The tests follow the README from above to below, on the same machines. */
describeWith(TOOLS, 'the README, by its own text', () => {
  const readme = new Readme();
  const network = new Network();
  let approvals: Machine;

  const onBroker = (block: string): Promise<string> => approvals.run(block, { user: 'countersign' });

  beforeAll(async () => {
    await network.up();
    approvals = await Machine.boot('approvals.example.com', network, ['web-1.example.com']);
    approvals.write('/usr/local/bin/systemctl', SYSTEMCTL, '0755');
    clone(approvals);
  });
  afterAll(async () => {
    await approvals?.remove();
    network.remove();
  });

  test('installs the broker from the tarball and runs it as a service', { timeout: 300_000 }, async () => {
    const install = () => readme.take('Install the broker');
    const clone = { cwd: '/root/countersign', outside: true };
    expect(await approvals.run(install(), clone)).toMatch(/^\d+\.\d+\.\d+$/m);
    await approvals.run(install());
    await approvals.run('ssh-keygen -q -t ed25519 -N "" -C bob -f bob');
    expect(await approvals.run(install())).toMatch(/^approvers +1$/m);
  });

  test('an approver who lost a key has another one, and the lost one is in no signers file', async () => {
    await approvals.run('cp bob.pub ~countersign/ && chown countersign ~countersign/bob.pub');
    await onBroker('ssh-keygen -q -t ed25519 -N "" -C bob -f bob-new');
    await onBroker(readme.take('Runbook: an approver lost a key'));
    const keyOf = async (file: string): Promise<string> => (await onBroker(`cut -d ' ' -f 2 ${file}`)).trim();
    const signers = await onBroker('cat signers');
    expect(signers).toContain(await keyOf('bob-new.pub'));
    expect(signers).not.toContain(await keyOf('bob.pub'));
  });
});

/** The checkout, as `git clone` would bring it: with what is not committed yet. */
function clone(machine: Machine): void {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const kept = files.split('\0').filter((file) => file !== '' && !file.startsWith('test/'));
  const archive = join(machine.directory, 'clone.tar');
  execFileSync('tar', ['-cf', archive, '-C', ROOT, ...kept]);
  machine.unpack(archive, '/root/countersign');
}
