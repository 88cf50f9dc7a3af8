import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatTime } from '../../src/protocol/time.js';
import { describeWith } from '../e2e/tools.js';
import { DoorFixture, inSeconds } from './door-fixture.js';
import { FakeBroker } from './fake-broker.js';

describeWith(
  ['root', 'mount namespaces', 'curl', 'ssh-keygen', 'flock', 'sshd'],
  'countersign-pam check',
  () => {
    let broker: FakeBroker;
    let door: DoorFixture;
    beforeEach(async () => {
      broker = await FakeBroker.start();
      door = new DoorFixture(broker.port);
      mkdirSync('/run/sshd', { recursive: true });
      mkdirSync(door.file('pam.d'));
      pam('sshd', `@include auth-only\n${hookLine()}\naccount required pam_nologin.so\n`);
      pam('auth-only', 'auth required pam_unix.so\n');
      writeFileSync(door.file('sshd_config'), `HostKey ${door.file('host-key')}\nUsePAM yes\n`);
    });
    afterEach(async () => {
      await broker.stop();
      door.remove();
    });

    const hookLine = (): string =>
      `account required pam_exec.so seteuid stdout quiet ${door.hook} --config ${door.file('pam.conf')}`;
    const pam = (service: string, text: string): void => writeFileSync(door.file(`pam.d/${service}`), text);

    function check(...args: string[]) {
      return door.check('--pam-dir', door.file('pam.d'), '--sshd-config', door.file('sshd_config'), ...args);
    }

    test('says ok to everything, and what a login would need', async () => {
      door.enrol('bob,group:oncall', 'alice,root');
      const { status, stdout, stderr } = await check('root');
      expect([status, stderr], stdout).toEqual([0, '']);
      expect(stdout).toMatch(/^( {6}|ok {4}|note {2}).*\n/);
      expect(stdout).not.toContain('FAIL');
      for (const line of [
        'PAM sshd: the hook is the first account line',
        'sshd: UsePAM yes',
        'root: asks as root, who is alice',
      ]) {
        expect(stdout).toContain(`ok    ${line}\n`);
      }
    });

    test.each([
      ['another account line before', () => `account sufficient pam_permit.so\n${hookLine()}\n`],
      ['an included account line before', () => `@include accounts\n${hookLine()}\n`],
      ['an account line of an included service before', () => `account include accounts\n${hookLine()}\n`],
      ['a control that lets it fail', () => hookLine().replace('required', 'optional')],
      ['a control that stops at its success', () => hookLine().replace('required', 'sufficient')],
      ['a control in brackets', () => hookLine().replace('required', '[success=1 default=ignore]')],
      ['another type', () => hookLine().replace('account', 'auth')],
      ['another type in its options', () => hookLine().replace('seteuid', 'seteuid type=auth')],
      ['no seteuid', () => hookLine().replace('seteuid ', '')],
      ['no stdout', () => hookLine().replace('stdout ', '')],
      ['another program', () => hookLine().replace(door.hook, '/bin/true')],
      [
        'the hook as an argument of another program',
        () => hookLine().replace(door.hook, `/bin/true ${door.hook}`),
      ],
      ['a comment', () => `#${hookLine()}\n`],
      ['no account line', () => 'auth required pam_unix.so\n'],
      // The first six open for libpam 1.5.2, whatever the hook says.
      [
        'an account line behind a comment that ends in a backslash',
        () => `# see below \\\naccount sufficient pam_permit.so\n${hookLine()}\n`,
      ],
      ['the hook as arguments of the line before', () => `auth optional pam_permit.so \\ \n${hookLine()}\n`],
      ['a type in capital letters', () => `ACCOUNT sufficient pam_permit.so\n${hookLine()}\n`],
      ['a type in brackets', () => `[account] sufficient pam_permit.so\n${hookLine()}\n`],
      ['an include by its path', () => `@include ${door.file('pam.d/accounts')}\n${hookLine()}\n`],
      ['another configuration than the one that is looked at', () => `${hookLine()}.observe\n`],
      ['an include that is not there', () => `@include nothing\n${hookLine()}\n`],
      ['an argument that only shows the help', () => `${hookLine().replace(/ --config.*/, ' --help')}\n`],
    ])('fails for %s (A65)', async (_, text) => {
      pam('accounts', 'account required pam_permit.so\n');
      pam('sshd', `${text()}\n`);
      const { status, stdout } = await check();
      expect([status, stdout]).toEqual([1, expect.stringContaining('FAIL  PAM sshd: ')]);
    });

    test('fails where another service has the hook, but not first; and names those that have none (A43)', async () => {
      pam('sudo', `account required pam_permit.so\n${hookLine()}\n`);
      pam('su', 'account required pam_unix.so\n');
      const { status, stdout } = await check();
      expect(status).toBe(1);
      expect(stdout).toContain('FAIL  PAM sudo: ');
      expect(stdout).toContain('note  PAM su: not protected\n');
    });

    test('fails where sudo is protected and `sudo -i` is a way around (A43)', async () => {
      pam('sudo', `${hookLine()}\n`);
      pam('sudo-i', 'account required pam_unix.so\n');
      const { status, stdout } = await check();
      expect([status, stdout]).toEqual([1, expect.stringContaining('FAIL  PAM sudo-i: ')]);
      pam('sudo-i', `${hookLine()}\n`);
      expect(await check()).toMatchObject({ status: 0 });
    });

    test('fails where sshd does not ask PAM (A65)', async () => {
      writeFileSync(door.file('sshd_config'), `HostKey ${door.file('host-key')}\nUsePAM no\n`);
      expect(await check()).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('FAIL  sshd: UsePAM is not yes'),
      });
    });

    test('warns where sshd gives less time than the hook waits', async () => {
      writeFileSync(
        door.file('sshd_config'),
        `HostKey ${door.file('host-key')}\nUsePAM yes\nLoginGraceTime 10\n`,
      );
      expect(await check()).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('note  sshd: LoginGraceTime 10'),
      });
    });

    test.each([
      [
        'a broker that is not there',
        () => Object.assign(door.settings, { broker: 'http://127.0.0.1:1' }),
        'broker http',
      ],
      [
        'another broker',
        () => Object.assign(broker.about, { fingerprint: `SHA256:${'b'.repeat(42)}A` }),
        'broker http',
      ],
      [
        'a clock that is a minute off',
        () => Object.assign(broker.about, { clock: formatTime(inSeconds(60)) }),
        'clock: ',
      ],
      [
        'a broken signers file, with its line and the reason',
        () => writeFileSync(door.file('signers'), 'x\n'),
        'signers ',
      ],
      ['a key that is none', () => writeFileSync(door.file('host-key'), 'x\n'), 'key '],
      [
        'an unknown key of the configuration',
        () => Object.assign(door.settings, { nonsense: '1' }),
        'configuration ',
      ],
    ])('fails for %s', async (_, spoil, what) => {
      spoil();
      const { status, stdout } = await check();
      expect([status, stdout]).toEqual([1, expect.stringContaining(`FAIL  ${what}`)]);
      // Never without the reason.
      expect(stdout).toMatch(/FAIL {2}.*[^: ].*: .*\S.*$/m);
      expect(stdout).not.toMatch(/: $/m);
    });

    test('says who is let in unasked, who is nobody, and whom nobody can approve', async () => {
      door.settings.users = 'nobody';
      expect((await check('root')).stdout).toContain(
        'note  root: let in unasked: this user needs no approval\n',
      );
      expect(await check('nosuchuser')).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('FAIL  nosuchuser: '),
      });
      door.settings.people = '9';
      expect(await check('nobody')).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('FAIL  nobody: nobody can approve this: 3 of 9'),
      });
    });

    test('asks nobody and spends nothing', async () => {
      await check('root');
      expect(broker.of('requests')).toEqual([]);
    });

    test('lists every person, alias, key and group that a new signers file adds or removes', async () => {
      door.enrol('bob,robert,group:oncall', 'carol,group:db');
      const now = await check('--signers', door.file('signers'));
      expect(now).toMatchObject({ status: 0, stdout: expect.not.stringMatching(/^[+-]/m) });
      writeFileSync(
        door.file('new'),
        `bob,group:oncall,group:db namespaces="decision@countersign",valid-before="20300101000000Z" ${door.key('bob').line}
dave,group:oncall namespaces="decision@countersign" ${door.key('dave').line}\n`,
      );
      const { status, stdout } = await check('--signers', door.file('new'));
      const changes = stdout.split('\n').filter((line) => /^[+-]/.test(line));
      expect([status, changes]).toEqual([
        0,
        [
          '- alias robert: bob',
          '- group db: carol',
          expect.stringMatching(/^- key of bob: 256 SHA256:.{43} .*\(ED25519\)$/),
          expect.stringMatching(/^- key of carol: 256 SHA256:.{43} .*\(ED25519\)$/),
          '- person carol',
          '+ group db: bob',
          '+ group oncall: dave',
          expect.stringMatching(/^\+ key of bob: .* valid-before="20300101000000Z"$/),
          expect.stringMatching(/^\+ key of dave: /),
          '+ person dave',
        ],
      ]);
    });

    test('refuses a new signers file that no door takes', async () => {
      writeFileSync(door.file('new'), `*  namespaces="*" ${door.key('bob').line}\n`);
      expect(await check('--signers', door.file('new'))).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('new line 1: '),
      });
    });

    test.each([[['--nonsense']], [['--signers']], [['alice', 'bob']]])(
      '%j is told how it is used',
      async (args) => {
        expect(await check(...args)).toMatchObject({
          status: 1,
          stderr: expect.stringMatching(/^countersign-pam: error: .*\nsee .*--help\n$/),
        });
      },
    );

    test('--help shows the line for PAM, the keys and examples', async () => {
      const { status, stdout } = await door.run('--help');
      expect(status).toBe(0);
      for (const text of [
        'account required pam_exec.so seteuid stdout quiet',
        'required-groups=',
        'examples:',
        'countersign-pam check alice',
      ]) {
        expect(stdout).toContain(text);
      }
    });
  },
);
