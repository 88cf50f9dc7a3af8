import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Installation } from './installation.js';
import { start, until } from './programs.js';
import { describeWith } from './tools.js';

/** Highest exposure that systemd-analyze may find, in tenths. */
const EXPOSURE = 20;
const NOBODY = 65534;

describeWith(
  ['systemd-analyze', 'systemd-sysusers', 'setpriv', 'npm', 'root'],
  'the unit of the broker',
  () => {
    let installed: Installation;
    let unit: string;
    let directory: string;
    beforeAll(() => {
      installed = new Installation();
      unit = join(installed.scripts, 'systemd/countersign.service');
    });
    afterAll(() => installed.remove());
    beforeEach(() => {
      directory = mkdtempSync('/run/countersign-systemd-');
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    /** The only value of a key of the unit. */
    function setting(key: string): string {
      const lines = readFileSync(unit, 'utf8').split('\n');
      const values = lines
        .filter((line) => line.startsWith(`${key}=`))
        .map((line) => line.slice(key.length + 1));
      expect(values).toHaveLength(1);
      return values[0] ?? '';
    }

    test('is one that systemd takes as it stands', () => {
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
        encoding: 'utf8',
      });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    });

    test(`leaves the broker little to do harm with: an exposure below ${EXPOSURE / 10}`, () => {
      const args = ['security', '--offline=true', `--threshold=${EXPOSURE}`, '--no-pager', unit];
      expect(spawnSync('systemd-analyze', args).status).toBe(0);
    });

    test('names a user of its own without a shell, which sysusers.d makes', () => {
      const root = join(directory, 'root');
      mkdirSync(join(root, 'etc'), { recursive: true });
      const file = join(installed.scripts, 'systemd/countersign.sysusers');
      execFileSync('systemd-sysusers', [`--root=${root}`, file], { stdio: 'ignore' });
      expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(
        /^countersign:x:\d+:\d+:Countersign broker:\/var\/lib\/countersign-broker:\/usr\/sbin\/nologin$/m,
      );
      expect(setting('User')).toBe('countersign');
    });

    test('has a command that starts the installed broker as a user without rights, and SIGTERM ends it with 0', async () => {
      const state = join(directory, 'countersign-broker');
      mkdirSync(state, { mode: 0o700 });
      for (const owned of [directory, state]) chownSync(owned, NOBODY, NOBODY);
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'bob')]);
      const asUser = (command: string): string[] => [
        ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs', '--reset-env'],
        ...['sh', '-c', `PATH=${installed.bin}:/usr/bin:/bin; exec ${command}`],
      ];
      const add = `countersign roster add bob --key ${directory}/bob.pub --dir ${state}`;
      execFileSync('setpriv', asUser(add), { cwd: '/' });
      const command = setting('ExecStart')
        .replace('%S', directory)
        .replace('$COUNTERSIGN_FLAGS', '--listen 127.0.0.1:0');
      const broker = start('setpriv', asUser(command));
      await until(() => broker.said.stderr.includes('"event":"started"') || broker.child.exitCode !== null);
      expect(broker.said.stderr).toContain('"event":"started"');
      broker.child.kill('SIGTERM');
      expect((await broker.outcome).code).toBe(0);
    });
  },
);
