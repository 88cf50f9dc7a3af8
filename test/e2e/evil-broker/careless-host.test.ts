import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { type Configuration, expectOpen, expectShut } from './door.js';
import { ACCOUNTS } from './machine.js';
import { onMachine, shutUnasked } from './stage.js';

onMachine(
  'A door that somebody set up carelessly',
  (stage) => {
    test('A65 a file or a directory above it that others could have written keeps the door shut', async () => {
      const targets = ['config', 'signers', 'state', ''];
      const faults: [string, (path: string) => void][] = [
        ['world-writable', (path) => chmodSync(path, 0o707)],
        ['group-writable', (path) => chmodSync(path, 0o770)],
        ['sticky and world-writable', (path) => chmodSync(path, 0o1777)],
        ['of another user', (path) => chownSync(path, ACCOUNTS.alice, 0)],
        [
          'a symbolic link',
          (path) => {
            renameSync(path, `${path}-elsewhere`);
            symlinkSync(`${path}-elsewhere`, path);
          },
        ],
      ];
      await eachOf(
        targets.flatMap((target) => faults.map((fault) => ({ target, fault }))),
        ({ target, fault: [name] }) => `${target || 'the directory of all'} is ${name}`,
        ({ target, fault: [, spoil] }) =>
          shutUnasked(stage, 'unsafe-file', (door) => spoil(join(door.directory, target))),
      );
    });

    test('A65 a hook, a module or a key that others could have written, or that is missing, keeps the door shut', async () => {
      const { door, broker } = await stage.approvedDoor();
      const copy = stage.machine.makeDirectory();
      const hook = join(copy, 'countersign-pam');
      const fresh = (): void => {
        rmSync(join(copy, 'door'), { recursive: true, force: true });
        cpSync(join(stage.machine.hook, '../door'), join(copy, 'door'), { recursive: true });
        copyFileSync(stage.machine.hook, hook);
        chmodSync(hook, 0o755);
        copyFileSync(stage.machine.hostKey, door.file('host-key'));
        chmodSync(door.file('host-key'), 0o600);
        door.configure({ key: door.file('host-key') });
      };
      const login = async (environment: Record<string, string> = {}) =>
        await stage.machine.start({
          command: [hook, '--config', door.file('config')],
          environment: { PAM_TYPE: 'account', PAM_SERVICE: 'sshd', PAM_USER: 'alice', ...environment },
        }).end;
      fresh();
      expectOpen(await login());
      const faults: [string, () => void, string][] = [
        ['a writable hook', () => chmodSync(hook, 0o757), 'unsafe-file'],
        ['a writable module', () => chmodSync(join(copy, 'door/verify.sh'), 0o666), 'unsafe-file'],
        [
          'a module of another user',
          () => chownSync(join(copy, 'door/spent.sh'), ACCOUNTS.bob, 0),
          'unsafe-file',
        ],
        ['writable modules', () => chmodSync(join(copy, 'door'), 0o777), 'unsafe-file'],
        ['a writable key', () => chmodSync(door.file('host-key'), 0o620), 'unsafe-file'],
        ['no key', () => rmSync(door.file('host-key')), 'unsafe-file'],
        ['a key that is none', () => writeFileSync(door.file('host-key'), 'x'), 'no-signature'],
      ];
      for (const [, spoil, code] of faults) {
        fresh();
        spoil();
        expectShut(await login(), code);
      }
      // Without a module nothing is known but that the door is shut, whatever the environment says.
      for (const module of ['outcome', 'paths', 'config', 'document', 'verify', 'spent', 'ask']) {
        fresh();
        rmSync(join(copy, 'door', `${module}.sh`));
        const end = await login({
          end_status: '0',
          observing: 'yes',
          loaded: 'yes',
          status: '0',
          answer: 'approved',
        });
        expect(end.exit, module).toBe(1);
        expect(end.output).toMatch(/^countersign: [ -~]+\n$/);
      }
      expect(broker.asks).toHaveLength(1);
    });

    test('A65 a user or a group that is not known, and a failing id, keep the door shut', async () => {
      await shutUnasked(stage, 'unknown-user', () => {}, { PAM_USER: 'nobody-here' });
      await shutUnasked(stage, 'unknown-user', (door) => door.configure({ users: 'alice,nobody-here' }));
      await shutUnasked(stage, 'unknown-group', (door) => door.configure({ groups: 'nobody-here' }));
      await shutUnasked(stage, 'unknown-group', (door) => door.configure({ groups: 'bob,nobody-here' }));
      await shutUnasked(stage, 'unknown-group', (door) => door.configure({ 'exempt-group': 'nobody-here' }));
      const stub = join(stage.machine.directory, 'failing');
      writeFileSync(stub, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      for (const tool of ['id', 'getent']) {
        const { door, broker } = await stage.approvedDoor();
        door.configure({ users: 'bob', groups: 'bob' });
        expectShut(
          await door.login({ before: `mount --bind ${stub} /usr/bin/${tool}\n` }),
          /^unknown-(user|group)$/,
        );
        expect(broker.asks).toEqual([]);
      }
    });

    test('A65 who needs no approval is who the configuration says, by number and not by spelling', async () => {
      const table: [Configuration, Record<string, string>, boolean][] = [
        [{ users: 'bob' }, {}, false],
        [{ users: 'alice' }, {}, true],
        [{ users: 'Erin' }, { PAM_USER: 'Erin' }, true],
        [{ groups: 'alice' }, {}, true],
        [{ groups: 'bob' }, {}, false],
        [{ users: 'bob', groups: 'alice' }, {}, true],
        [{ 'exempt-group': 'alice' }, {}, false],
        [{ 'exempt-group': 'bob' }, {}, true],
        [{ users: 'alice', 'exempt-group': 'alice' }, {}, false],
        [{ users: 'root' }, { PAM_SERVICE: 'su', PAM_USER: 'root', PAM_RUSER: 'alice' }, true],
      ];
      await eachOf(
        table,
        ([config, environment]) => `${JSON.stringify(config)} ${JSON.stringify(environment)}`,
        async ([config, environment, asks]) => {
          const { door, broker } = await stage.door({ config });
          const end = await door.login({ environment });
          expect(end.exit).toBe(asks ? 1 : 0);
          expect(broker.asks).toHaveLength(asks ? 1 : 0);
          expect(end.log).toMatch(asks ? / code no-(receipt|quorum)$/m : / code (unlisted|exempt)$/m);
        },
      );
    });

    test('A65 a hook that is wired for another phase or service, or with other arguments, is shut', async () => {
      for (const PAM_TYPE of [
        'auth',
        'open_session',
        'close_session',
        'password',
        '',
        'Account',
        'account\n',
      ])
        await shutUnasked(stage, 'wrong-type', () => {}, { PAM_TYPE });
      for (const PAM_SERVICE of ['', 'SSHD', '../sshd', 'sshd x', 'x'.repeat(65)])
        await shutUnasked(stage, 'bad-service', () => {}, { PAM_SERVICE });
      for (const args of [['--observe'], ['--config', '/dev/null'], ['x']]) {
        const { door, broker } = await stage.approvedDoor();
        expectShut(await door.login({ arguments: args }), 'usage');
        expect(broker.asks).toEqual([]);
      }
    });

    test('A65 upper case in a name does not make another person of anybody', async () => {
      const { door, broker } = await stage.approvedDoor();
      expectShut(await door.login({ environment: { PAM_USER: 'Erin' } }), 'no-quorum');
      expect(broker.ask.bound.document).toMatchObject({ requester: 'uid:4005', details: { user: 'Erin' } });
      await shutUnasked(stage, 'unknown-user', () => {}, { PAM_USER: 'Alice' });
    });

    test('A65 check fails where the hook is not the first account line, or sshd does not use PAM', async () => {
      const { door } = await stage.approvedDoor();
      const pam = stage.machine.makeDirectory();
      const sshd = join(pam, 'sshd_config');
      const wired = `account required pam_exec.so seteuid stdout quiet ${stage.machine.hook} --config ${door.file('config')}`;
      const check = async (lines: readonly string[], usePam: string) => {
        writeFileSync(join(pam, 'sshd'), `${lines.join('\n')}\n`);
        writeFileSync(sshd, `HostKey ${stage.machine.hostKey}\nUsePAM ${usePam}\n`);
        const command = [
          stage.machine.hook,
          'check',
          '--config',
          door.file('config'),
          '--pam-dir',
          pam,
          '--sshd-config',
          sshd,
        ];
        return await stage.machine.start({ command, environment: {}, logs: false }).end;
      };
      const good = await check([wired, 'account include common-account'], 'yes');
      expect(good.output).toContain('ok    PAM sshd');
      expect(good.output).toContain('ok    sshd: UsePAM yes');
      const bad: [readonly string[], string, string][] = [
        [[wired], 'no', 'FAIL  sshd: UsePAM'],
        [['account sufficient pam_permit.so', wired], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace('required', 'optional')], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace('required', 'sufficient')], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace('required', '[success=ok default=ignore]')], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace('account', '-account')], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace(' seteuid', '')], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace('seteuid', 'seteuid type=auth')], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace('account', 'auth')], 'yes', 'FAIL  PAM sshd'],
        [[`# ${wired}`, 'account required pam_unix.so'], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace(stage.machine.hook, '/bin/true')], 'yes', 'FAIL  PAM sshd'],
        [[wired.replace(stage.machine.hook, `/bin/true ${stage.machine.hook}`)], 'yes', 'FAIL  PAM sshd'],
      ];
      await eachOf(
        bad,
        ([lines, usePam]) => `${lines.join('; ')} ${usePam}`,
        async ([lines, usePam, expected]) => {
          const end = await check(lines, usePam);
          expect(end.exit).toBe(1);
          expect(end.output).toContain(expected);
        },
        1,
      );
    });
  },
  ['sshd'],
);
