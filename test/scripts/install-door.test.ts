import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { SCRIPTS } from './door-shell.js';
import { FakeBroker, FINGERPRINT } from './fake-broker.js';
import { MemoryKey } from './receipt-mutations.js';

const SSHD =
  '# PAM of sshd\n@include common-auth\naccount    required     pam_nologin.so\n@include common-account\n';
const SUDO = '#%PAM-1.0\n\n@include common-auth\n@include common-account';

describeWith(
  ['root', 'curl', 'ssh-keygen', 'flock', 'sshd'],
  'install-door, in a root directory of its own',
  () => {
    let broker: FakeBroker;
    let root: string;
    const people = { bob: new MemoryKey(), carol: new MemoryKey() };

    beforeEach(async () => {
      broker = await FakeBroker.start();
      root = mkdtempSync('/run/cs-install-');
      chmodSync(root, 0o755);
      mkdirSync('/run/sshd', { recursive: true });
      for (const folder of ['etc/pam.d', 'etc/ssh/sshd_config.d'])
        mkdirSync(file(folder), { recursive: true });
      const key = file('etc/ssh/ssh_host_ed25519_key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
      writeFileSync(file('etc/ssh/sshd_config'), `HostKey ${key}\nUsePAM yes\n`);
      writeFileSync(file('etc/pam.d/sshd'), SSHD, { mode: 0o644 });
      writeFileSync(file('etc/pam.d/sudo'), SUDO, { mode: 0o600 });
      writeFileSync(file('etc/pam.d/sudo-i'), SUDO);
      writeFileSync(file('etc/pam.d/common-auth'), 'auth required pam_unix.so\n');
      writeFileSync(file('etc/pam.d/common-account'), 'account required pam_unix.so\n');
      writeFileSync(file('signers'), signers('bob'));
    });
    afterEach(async () => {
      await broker.stop();
      rmSync(root, { recursive: true, force: true });
    });

    const file = (path: string): string => join(root, path);
    const read = (path: string): string => readFileSync(file(path), 'utf8');
    const signers = (...names: (keyof typeof people)[]): string =>
      names.map((name) => `${name} namespaces="decision@countersign" ${people[name].line}\n`).join('');
    /** All files with their content, mode and time. */
    const picture = (): Record<string, string> =>
      Object.fromEntries(
        readdirSync(root, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && !entry.parentPath.includes('/var/'))
          .map((entry) => join(entry.parentPath, entry.name))
          .map((path) => {
            const { mode, mtimeMs } = statSync(path);
            return [path, `${mode} ${mtimeMs} ${readFileSync(path, 'latin1')}`];
          }),
      );
    const hookLine = (): string =>
      `account required pam_exec.so seteuid stdout quiet ${file('usr/local/libexec/countersign/countersign-pam')} --config ${file('etc/countersign/pam.conf')}\n`;

    async function install(...args: string[]) {
      const child = spawn(join(SCRIPTS, 'install-door'), ['--root', root, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          said += chunk.toString();
        });
      }
      const [status] = await once(child, 'close');
      return { status, said };
    }
    const everything = (): string[] => [
      ...['--broker', `http://127.0.0.1:${broker.port}`, '--fingerprint', FINGERPRINT],
      ...[
        '--signers',
        file('signers'),
        '--name',
        'host:web-1',
        '--service',
        'sshd',
        '--service',
        'sudo',
        '--yes',
      ],
    ];

    test('installs in observe mode, with the hook as first account line and the line that enrols the host', async () => {
      const { status, said } = await install(...everything());
      expect(status, said).toBe(0);
      expect(said).not.toContain('FAIL');
      expect(said).toContain(
        `countersign submitter add host:web-1 --key host_web-1.pub --action 'ssh.*' --action 'sudo.*' --action 'su.*' --resource web-1 --door host:web-1 --requester '*'\n`,
      );
      expect(read('etc/countersign/pam.conf')).toContain('\nmode=observe\n');
      expect(read('etc/pam.d/sshd')).toBe(SSHD.replace('account ', `${hookLine()}account `));
      const sudo = SUDO.replace('@include common-account', `${hookLine()}@include common-account\n`);
      expect([read('etc/pam.d/sudo'), read('etc/pam.d/sudo-i')]).toEqual([sudo, sudo]);
      expect(statSync(file('etc/pam.d/sudo')).mode & 0o777).toBe(0o600);
    });

    test('twice changes nothing, and says so', async () => {
      await install(...everything());
      const before = picture();
      const { status, said } = await install(...everything());
      expect([status, said.endsWith('nothing to change\n')], said).toEqual([0, true]);
      expect(picture()).toEqual(before);
      expect((await install()).said).toMatch(/\nnothing to change\n$/);
    });

    test('--dry-run says what would be done and does nothing', async () => {
      const before = picture();
      const { status, said } = await install(...everything(), '--dry-run');
      expect([status, said]).toEqual([
        0,
        expect.stringContaining(`would change ${file('etc/pam.d/sshd')}\n`),
      ]);
      expect(picture()).toEqual(before);
    });

    test('--uninstall puts every byte back, and keeps configuration and state unless it purges', async () => {
      const before = [read('etc/pam.d/sshd'), read('etc/pam.d/sudo'), read('etc/pam.d/sudo-i')];
      await install(...everything());
      const { status } = await install('--uninstall');
      expect(status).toBe(0);
      expect([read('etc/pam.d/sshd'), read('etc/pam.d/sudo'), read('etc/pam.d/sudo-i')]).toEqual(before);
      expect(existsSync(file('usr/local/libexec/countersign'))).toBe(false);
      expect(existsSync(file('etc/countersign/pam.conf'))).toBe(true);
      await install('--uninstall', '--purge');
      expect(existsSync(file('etc/countersign')) || existsSync(file('var/lib/countersign'))).toBe(false);
    });

    test('--sessions has sessions watched, --no-sessions takes that off, and --uninstall puts every byte back (A27)', async () => {
      const line = `session optional pam_exec.so seteuid quiet ${file('usr/local/libexec/countersign/countersign-pam')} session --config ${file('etc/countersign/pam.conf')}\n`;
      const held = SSHD.replace('account ', `${hookLine()}account `);
      const { status, said } = await install(...everything(), '--sessions');
      expect([status, read('etc/pam.d/sshd')], said).toEqual([0, held + line]);
      expect(read('etc/countersign/pam.conf')).toContain('\nsessions=yes\n');
      expect(said).toContain('ok    PAM sshd: its sessions end when their approval is revoked\n');
      expect((await install('--sessions')).said).toMatch(/\nnothing to change\n$/);
      await install('--no-sessions');
      expect(read('etc/pam.d/sshd')).toBe(held);
      await install('--sessions');
      writeFileSync(file('etc/pam.d/sshd'), held);
      const { said: found } = await install();
      expect(found).toContain('FAIL  PAM sshd: sessions=yes, but there is no line: session optional ');
      await install('--sessions');
      await install('--uninstall');
      expect(read('etc/pam.d/sshd')).toBe(SSHD);
    });

    test('--uninstall takes only its own line out of a file that was changed since, and says so', async () => {
      await install(...everything());
      writeFileSync(file('etc/pam.d/sshd'), `${read('etc/pam.d/sshd')}session optional pam_motd.so\n`);
      const { said } = await install('--uninstall');
      expect(said).toContain(
        `${file('etc/pam.d/sshd')} was changed since: only the line of the hook is taken out\n`,
      );
      expect(read('etc/pam.d/sshd')).toBe(`${SSHD}session optional pam_motd.so\n`);
    });

    test.each([
      ['a broker that is not there', () => ['--broker', 'http://127.0.0.1:1'], 'cannot be connected to'],
      ['another broker', () => ['--fingerprint', `SHA256:${'b'.repeat(42)}A`], 'not a configured one'],
      [
        'a broker over the network without TLS',
        () => ['--broker', 'http://approvals'],
        'the value of broker',
      ],
      ['a bad signers file', () => ['--signers', file('etc/pam.d/sshd')], 'line 2'],
    ])('%s: the files of PAM stay as they were', async (_, change, reason) => {
      const { status, said } = await install(...everything(), ...change());
      expect([status, said]).toEqual([1, expect.stringContaining(reason)]);
      expect([read('etc/pam.d/sshd'), read('etc/pam.d/sudo')]).toEqual([SSHD, SUDO]);
    });

    test('a hook that somebody else has wired, and not first, is left to him', async () => {
      const wired = `${SSHD}${hookLine()}`;
      writeFileSync(file('etc/pam.d/sshd'), wired);
      const { status, said } = await install(...everything());
      expect([status, said]).toEqual([1, expect.stringContaining('not as its first account line')]);
      expect(read('etc/pam.d/sshd')).toBe(wired);
    });

    test.each([
      ['a comment that ends in a backslash', '# see below \\\n', 'account sufficient pam_permit.so\n'],
      ['a type in capital letters', 'auth required pam_unix.so\n', 'ACCOUNT sufficient pam_permit.so\n'],
      ['an include by its path', '', '@include /etc/pam.d/common-account\n'],
      ['blanks behind a backslash', 'auth optional pam_echo.so \\ \naccount x\n', 'account required x.so\n'],
    ])('%s does not bring another account line before the hook (A65)', async (_, before, rest) => {
      writeFileSync(file('etc/pam.d/sshd'), before + rest);
      const { status, said } = await install(...everything());
      expect(status, said).toBe(0);
      // Before the comment, as libraries differ in what belongs to it.
      const expected = before.startsWith('#') ? hookLine() + before : before + hookLine();
      expect(read('etc/pam.d/sshd')).toBe(expected + rest);
      await install('--uninstall');
      expect(read('etc/pam.d/sshd')).toBe(before + rest);
    });

    test('a signers file that cannot be written is an error', async () => {
      await install(...everything());
      writeFileSync(file('signers'), signers('carol'));
      mkdirSync(file('etc/countersign/signers.new'));
      const { status, said } = await install('--signers', file('signers'), '--yes');
      expect([status, said]).toEqual([1, expect.stringMatching(/error: cannot write .*\/signers\n$/)]);
      expect(read('etc/countersign/signers')).toBe(signers('bob'));
    });

    test('--enforce wants an observed login, or --yes; --observe goes back', async () => {
      await install(...everything());
      const refused = await install('--enforce');
      expect([refused.status, refused.said]).toEqual([
        1,
        expect.stringContaining('No login has been observed yet'),
      ]);
      expect(read('etc/countersign/pam.conf')).toContain('mode=observe\n');
      writeFileSync(file('var/lib/countersign/observed'), '');
      expect((await install('--enforce')).status).toBe(0);
      expect(read('etc/countersign/pam.conf')).toContain('mode=enforce\n');
      // A later run with the same options is no way back.
      await install(...everything());
      expect(read('etc/countersign/pam.conf')).toContain('mode=enforce\n');
      expect((await install('--observe')).status).toBe(0);
      expect(read('etc/countersign/pam.conf')).toContain('mode=observe\n');
    });

    test('a new signers file is shown, and replaces the old one only with a yes', async () => {
      await install(...everything());
      writeFileSync(file('signers'), signers('carol'));
      const asked = await install('--signers', file('signers'));
      expect([asked.status, asked.said]).toEqual([1, expect.stringContaining('- person bob\n')]);
      expect(asked.said).toContain('+ person carol\n');
      expect(asked.said).toContain('no terminal');
      expect(read('etc/countersign/signers')).toBe(signers('bob'));
      expect((await install('--signers', file('signers'), '--yes')).status).toBe(0);
      expect([read('etc/countersign/signers'), read('etc/countersign/signers.previous')]).toEqual([
        signers('carol'),
        signers('bob'),
      ]);
      expect((await install('--signers', file('signers'))).said).toBe('nothing to change\n');
    });

    test('one bad line in a new signers file keeps the old one (A57)', async () => {
      await install(...everything());
      writeFileSync(file('signers'), `${signers('bob', 'carol')}* namespaces="*" ${people.carol.line}\n`);
      const { status, said } = await install('--signers', file('signers'), '--yes');
      expect([status, said]).toEqual([1, expect.stringMatching(/line 3: .*; the old file stays\n$/)]);
      expect(read('etc/countersign/signers')).toBe(signers('bob'));
    });

    test('--gate prepares an account: configuration, key, state and the block for sshd', async () => {
      await install(...everything());
      const { status, said } = await install('--gate', 'nobody', '--write-sshd');
      expect(status, said).toBe(0);
      expect(said).toContain('countersign submitter add gate:');
      const block = read('etc/ssh/sshd_config.d/countersign-gate-nobody.conf');
      expect(block).toContain(
        `ForceCommand ${file('usr/local/libexec/countersign/countersign-gate')} --config`,
      );
      expect(statSync(file('etc/countersign/gate/nobody.key')).mode & 0o777).toBe(0o640);
      expect(statSync(file('var/lib/countersign-gate/nobody')).mode & 0o777).toBe(0o700);
      cpSync(file('etc/ssh/sshd_config.d/countersign-gate-nobody.conf'), file('sshd_config'));
      const shown = execFileSync(
        'sshd',
        [
          '-T',
          '-f',
          file('sshd_config'),
          '-h',
          file('etc/ssh/ssh_host_ed25519_key'),
          '-C',
          'user=nobody,host=h,addr=::1',
        ],
        { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin' } },
      );
      expect(shown).toMatch(/^disableforwarding yes$/m);
      expect(shown).toMatch(/^allowagentforwarding no$/m);
      expect(shown).toMatch(/^x11forwarding no$/m);
      const before = picture();
      expect((await install('--gate', 'nobody', '--write-sshd')).said).toMatch(/nothing to change\n$/);
      expect(picture()).toEqual(before);
      expect((await install('--gate', 'root')).status).toBe(1);
    });

    test('--gate takes over which keys the hook of this host calls stolen (A57)', async () => {
      await install(...everything());
      const line = `revoked-keys=${file('etc/countersign/revoked_keys')}\n`;
      writeFileSync(file('etc/countersign/revoked_keys'), `${people.carol.line}\n`, { mode: 0o644 });
      writeFileSync(file('etc/countersign/pam.conf'), read('etc/countersign/pam.conf') + line);
      expect((await install('--gate', 'nobody')).status).toBe(0);
      expect(read('etc/countersign/gate.conf')).toContain(line);
    });

    test.each([[['--nonsense']], [['--broker']], [['--gate', 'no-such-user']], [[]]])(
      '%j is told what is missing, and nothing is written',
      async (args) => {
        const before = picture();
        const { status, said } = await install(...args);
        expect([status, said]).toEqual([1, expect.stringMatching(/^install-door: error: /)]);
        expect(picture()).toEqual(before);
      },
    );
  },
);
