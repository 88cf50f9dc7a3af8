import { realpathSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { approved, type EvilBroker } from './evil-broker.js';
import { ACCOUNTS, type End, type Machine } from './machine.js';
import { receipt } from './people.js';
import { onMachine } from './stage.js';

const SUDOERS = `Defaults !use_pty, !lecture
Defaults env_keep += "EDITOR"
root ALL=(ALL:ALL) ALL
alice ALL=(ALL:ALL) NOPASSWD:SETENV: ALL
`;
const SUDO = realpathSync('/usr/bin/sudo');
const SU = '/usr/bin/su';
const ENVIRONMENT = { PATH: '/usr/bin:/bin', EDITOR: '/usr/bin/true' };

onMachine(
  'A door at sudo whose broker shows the approval of another command',
  (stage) => {
    /** A door to which the real sudo of the machine leads. */
    async function sudoDoor(config = {}) {
      const { door, broker } = await stage.door({ config: { 'sudo-wait': '10', ...config } });
      const hook = `pam_exec.so seteuid stdout quiet ${stage.machine.hook} --config ${door.file('config')}`;
      const lines = [
        'auth sufficient pam_permit.so',
        `account required ${hook}`,
        'session required pam_permit.so',
      ];
      for (const service of ['sudo', 'sudo-i', 'su', 'su-l'])
        writeFileSync(stage.machine.etc(`pam.d/${service}`), `${lines.join('\n')}\n`);
      writeFileSync(stage.machine.etc('sudoers'), SUDOERS);
      return { door, broker };
    }

    const su = (target: string, word: string): string[] => [SU, target, '-c', `echo ${word}`];
    const echo = (word: string): string[] => [SUDO, '-n', '/bin/echo', word];
    const approveAll = (broker: EvilBroker): void => {
      broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    };

    test('A64 an approval for one command does not run another one', async () => {
      const { door, broker } = await sudoDoor();
      approveAll(broker);
      expect(await run(stage.machine, echo('one'))).toMatchObject({
        exit: 0,
        output: expect.stringMatching(/^one$/m),
      });
      expect(broker.ask.bound.document).toMatchObject({
        action: 'sudo.run',
        requester: 'alice',
        details: { argv: echo('one'), cwd: '/', user: 'alice', service: 'sudo' },
      });
      expect(door.uses).toBe(1);
      const [first] = broker.asks;
      const genuine = receipt(broker, first!);
      broker.conduct = { redeem: (ask) => approved(ask, genuine) };
      for (const word of ['one', 'two']) {
        const end = await run(stage.machine, echo(word));
        expect(end.exit).not.toBe(0);
        expect(end.output).not.toMatch(new RegExp(`^${word}$`, 'm'));
        expect(end.output).toContain(word === 'one' ? 'for another request' : 'for something else');
      }
      expect(door.uses).toBe(1);
    });

    test('A64 a grant for one command runs that one, and not with another argument, user, directory, editor or path', async () => {
      const { door, broker } = await sudoDoor({ grants: 'yes', 'longest-duration': '3600' });
      let grant = '';
      broker.conduct = {
        redeem: (ask) => {
          grant ||= receipt(broker, ask, { covers: 'scope', uses: 0, duration: 3600 });
          return approved(ask, grant);
        },
      };
      expect((await run(stage.machine, echo('one'))).output).toMatch(/^one$/m);
      expect((await run(stage.machine, echo('one'))).output).toMatch(/^one$/m);
      expect(door.uses).toBe(2);
      const others: [string, readonly string[], Record<string, string>?, string?][] = [
        ['an argument more', [...echo('one'), 'one']],
        ['an argument less', [SUDO, '-n', '/bin/echo']],
        ['two arguments in one', [SUDO, '-n', '/bin/echo one']],
        ['an empty argument', [...echo('one'), '']],
        ['another user', [SUDO, '-n', '-u', 'bob', '/bin/echo', 'one']],
        ['another group', [SUDO, '-n', '-g', 'bob', '/bin/echo', 'one']],
        ['a shell', [SUDO, '-n', '-s', '/bin/echo', 'one']],
        ['a login', [SUDO, '-n', '-i', '/bin/echo', 'one']],
        ['the environment kept', [SUDO, '-n', '-E', '/bin/echo', 'one']],
        ['a variable set', [SUDO, '-n', 'LD_PRELOAD=/x', '/bin/echo', 'one']],
        ['another program', [SUDO, '-n', '/usr/bin/echo', 'one']],
        ['another path', echo('one'), { PATH: '/tmp:/usr/bin:/bin' }],
        ['another editor', echo('one'), { EDITOR: '/bin/sh' }],
        ['another directory', echo('one'), {}, '/tmp'],
      ];
      await eachOf(
        others,
        ([name]) => name,
        async ([, command, environment, directory]) => {
          const end = await run(stage.machine, command, environment, directory);
          expect(end.exit).not.toBe(0);
          expect(end.output).toContain('for something else');
          expect(end.output).not.toMatch(/^one/m);
        },
      );
      expect(door.uses).toBe(2);
    });

    test('A64 what runs is what the broker was told, byte by byte, or nothing runs', async () => {
      const { broker } = await sudoDoor();
      approveAll(broker);
      const words = [`$(touch ${stage.marker})`, '"\'\\', 'a\nb\tc\x1b[31m', 'é\u202e', '%s%n', '-x', ' '];
      const command = [SUDO, '-n', '/bin/echo', ...words];
      expect((await run(stage.machine, command)).exit).toBe(0);
      expect(broker.ask.bound.document.details.argv).toEqual(command);
      const asked = broker.asks.length;
      for (const more of [['x'.repeat(5000)], Array.from({ length: 20 }, () => 'x'.repeat(1000))]) {
        const end = await run(stage.machine, [...echo('one'), ...more]);
        expect(end.exit).not.toBe(0);
        expect(end.output).toContain('too long to be approved');
      }
      expect(broker.asks).toHaveLength(asked);
      expect(broker.nonsense).toEqual([]);
    });

    test('A64 su asks as who calls it, and an approval for one target or command does not lead to another', async () => {
      const { door, broker } = await sudoDoor({ grants: 'yes', 'longest-duration': '3600' });
      let grant = '';
      broker.conduct = {
        redeem: (ask) => {
          grant ||= receipt(broker, ask, { covers: 'scope', uses: 0, duration: 3600 });
          return approved(ask, grant);
        },
      };
      expect((await run(stage.machine, su('bob', 'one'))).output).toMatch(/^one$/m);
      expect(broker.ask.bound.document).toMatchObject({
        action: 'su.login',
        requester: 'alice',
        details: { argv: su('bob', 'one'), ruser: 'alice', user: 'bob' },
      });
      for (const other of [
        su('carol', 'one'),
        su('root', 'one'),
        su('bob', 'two'),
        [SU, '-', 'bob', '-c', 'echo one'],
      ]) {
        const end = await run(stage.machine, other);
        expect(end.exit).not.toBe(0);
        expect(end.output).not.toMatch(/^(one|two)$/m);
        expect(broker.ask.bound.document.requester).toBe('alice');
      }
      expect(door.uses).toBe(1);
    });

    test('A64 root passes unasked, and nobody who only says that he is root', async () => {
      const { broker, door } = await sudoDoor();
      approveAll(broker);
      const asRoot = { command: ['/usr/bin/sudo', '-n', '/bin/echo', 'one'], environment: ENVIRONMENT };
      expect(await stage.machine.start({ ...asRoot, logs: false }).end).toMatchObject({
        exit: 0,
        output: 'one\n',
      });
      expect(broker.asks).toEqual([]);
      // Who runs the hook himself, with whatever he says there, is not root.
      const said = { PAM_TYPE: 'account', PAM_SERVICE: 'sudo', PAM_USER: 'root', PAM_RUSER: 'root' };
      const end = await run(stage.machine, [stage.machine.hook, '--config', door.file('config')], said);
      expect(end).toMatchObject({ exit: 1, output: expect.stringContaining('wired without seteuid') });
    });
  },
  ['sudo', 'su', 'setpriv'],
);

/** Alice runs a command. */
async function run(
  machine: Machine,
  command: readonly string[],
  environment: Record<string, string> = {},
  directory = '/',
): Promise<End> {
  const alice = [
    '/usr/bin/setpriv',
    `--reuid=${ACCOUNTS.alice}`,
    `--regid=${ACCOUNTS.alice}`,
    '--clear-groups',
  ];
  return await machine.start({
    command: ['/usr/bin/env', '-C', directory, ...alice, ...command],
    environment: { ...ENVIRONMENT, ...environment },
    logs: false,
  }).end;
}
