import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, CLI, countersign, until } from './programs.js';
import { ProtectedHost } from './protected-host.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

const TOOLS = ['root', 'mount namespaces', 'sshd', 'sudo', 'setpriv', 'tmux'];

describeWith(TOOLS, 'a rotation of the key while doors and consoles wait', () => {
  let broker: BrokerProcess;
  let host: ProtectedHost;
  let console: TmuxPane;
  let bobKey: string;
  let first: string;

  beforeAll(async () => {
    broker = new BrokerProcess();
    host = new ProtectedHost(broker);
    bobKey = await broker.enrol('bob');
    await broker.enrol('alice');
    await broker.start();
    first = broker.fingerprint;
    await host.install();
    const words = ['console', '--key', bobKey, '--url', broker.address];
    console = new TmuxPane([process.execPath, CLI, ...words], broker.env);
    await console.shows('● live');
  });
  afterAll(async () => {
    console?.close();
    await host?.remove();
    await broker?.remove();
  });

  /** The first characters of a fingerprint, as the header has them. */
  const short = (fingerprint: string): string => fingerprint.slice(7, 19);

  /** Signs yes to what waits, over the URL, where keys are pinned. */
  async function approve(): Promise<string> {
    const there = ['--url', broker.address, '--key', bobKey];
    const [{ id, digest }] = JSON.parse(
      await broker.must('list', '--state', 'pending', ...there, '--json'),
    ).requests;
    const { code, stderr } = await countersign(
      ['approve', id, '--yes-i-read-it', digest, ...there],
      broker.env,
    ).outcome;
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('new key')]);
    return broker.must('show', id, ...there, '--json');
  }

  test('lets the waiting login through at the door that pins the old key, while the console follows', async () => {
    const login = host.ssh('echo opened');
    await console.shows('ssh.login');
    await broker.must('broker', 'key', 'rotate', '--overlap', '1h');
    const second = broker.fingerprint;
    expect(second).not.toBe(first);
    await console.shows(short(second));
    await console.shows('● live');
    expect(login.child.exitCode).toBeNull();
    expect(await approve()).toContain(`broker: ${first}\\n`);
    expect((await login.outcome).stdout).toBe('opened\n');
    await console.shows('✓ opened');
    const known = readFileSync(join(broker.config, 'countersign', 'known_brokers'), 'utf8');
    expect(known).toBe(`${broker.address} ${first}\n${broker.address} ${second}\n`);
  });

  test('check tells the door of the new key, and is content once both are pinned', async () => {
    const fingerprint = `${broker.fingerprint},${first}`;
    const told = await host.check(host.user).outcome;
    expect(told.stdout).toContain(`set fingerprint=${fingerprint}`);
    expect(await broker.must('broker', 'key', 'show')).toContain(`fingerprint=${fingerprint}\n`);
    host.configure({ fingerprint });
    const { code, stdout } = await host.check(host.user).outcome;
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('set fingerprint')]);
    const login = host.ssh('echo with both');
    await console.shows('1 pending');
    expect(await approve()).toContain(`broker: ${broker.fingerprint}\\n`);
    expect((await login.outcome).stdout).toBe('with both\n');
  });

  test('a door that pins the old key alone stays shut once that key is void (A22)', async () => {
    await broker.must('broker', 'key', 'rotate', '--overlap', '0');
    host.configure({ fingerprint: first });
    const { code, stdout, stderr } = await host.ssh('echo never').outcome;
    expect([code, stdout.includes('never')]).toEqual([255, false]);
    expect(stdout + stderr).toContain('wrong-broker');
    // And so do people who pinned a key that did not hand over.
    await console.shows('✗ refused');
    const { code: listed, stderr: why } = await countersign(
      ['list', '--url', broker.address, '--key', bobKey],
      broker.env,
    ).outcome;
    expect([listed, why]).toEqual([1, expect.stringContaining('has not handed over')]);
  });

  test('killed after any change in its directory, it leaves a broker that starts under one key or the other (A41)', async () => {
    await broker.signal('SIGTERM');
    const before = new Set([broker.fingerprint]);
    for (let step = 1; step <= 12; step += 2) {
      let seen = 0;
      const rotation = countersign(['broker', 'key', 'rotate'], broker.env);
      const watcher = watch(broker.data, () => {
        seen += 1;
        if (seen === step) rotation.child.kill('SIGKILL');
      });
      await rotation.outcome;
      watcher.close();
      const shown = JSON.parse(await broker.must('broker', 'key', 'show', '--json'));
      const names = [
        shown.fingerprint,
        ...shown.former.map(({ fingerprint }: { fingerprint: string }) => fingerprint),
      ];
      for (const name of before) expect(names).toContain(name);
      expect(names[0]).toBe(broker.fingerprint);
      before.add(names[0]);
    }
    await broker.start();
    await until(() => broker.log.includes('started'));
    expect(before).toContain(broker.fingerprint);
  });
});
