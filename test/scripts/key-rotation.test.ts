import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatTime } from '../../src/protocol/time.js';
import { describeWith } from '../e2e/tools.js';
import { DoorFixture, type Ended, inSeconds } from './door-fixture.js';
import { FakeBroker, FINGERPRINT, reply } from './fake-broker.js';

const OTHER = `SHA256:${'b'.repeat(42)}A`;
const DAY = 86_400;

describeWith(
  ['root', 'mount namespaces', 'curl', 'ssh-keygen', 'flock', 'logger', 'sshd'],
  'a door while the key of its broker is rotated',
  () => {
    let broker: FakeBroker;
    let door: DoorFixture;
    beforeEach(async () => {
      broker = await FakeBroker.start();
      door = new DoorFixture(broker.port);
      door.settings.fingerprint = `${FINGERPRINT},${OTHER}`;
    });
    afterEach(async () => {
      await broker.stop();
      door.remove();
    });

    const codeOf = ({ log }: Ended): string | undefined => /code ([a-z0-9-]+)\n$/.exec(log)?.[1];
    const named = (): (string | undefined)[] =>
      broker.asks.map(({ statement }) => /^broker: (.*)$/m.exec(statement)?.[1]);

    test('names the key that stands first, and takes receipts that name either', async () => {
      for (const fingerprint of [FINGERPRINT, OTHER]) {
        broker.onSubmit = (ask) => reply('approved', {}, door.receipt(ask, 'bob', { broker: fingerprint }));
        expect((await door.login()).status).toBe(0);
      }
      expect(named()).toEqual([FINGERPRINT, FINGERPRINT]);
    });

    test('counts no receipts together that name different keys (A55)', async () => {
      door.settings.people = '2';
      broker.onSubmit = (ask) =>
        reply(
          'approved',
          {},
          door.receipt(ask, 'bob', { broker: FINGERPRINT }) + door.receipt(ask, 'carol', { broker: OTHER }),
        );
      const ended = await door.login();
      expect([ended.status, codeOf(ended)]).toEqual([1, 'mixed-receipts']);
    });

    test('takes no receipt that names a key which is not pinned (A22)', async () => {
      broker.onSubmit = (ask) =>
        reply('approved', {}, door.receipt(ask, 'bob', { broker: `SHA256:${'c'.repeat(42)}A` }));
      const ended = await door.login();
      expect([ended.status, codeOf(ended)]).toEqual([1, 'wrong-broker']);
    });

    test('names the next pinned key to a broker that has given the first one up', async () => {
      broker.onSubmit = (ask) =>
        named().at(-1) === FINGERPRINT
          ? reply('error', { code: 'wrong-broker' })
          : reply('approved', {}, door.receipt(ask, 'bob', { broker: OTHER }));
      expect((await door.login()).status).toBe(0);
      expect(named()).toEqual([FINGERPRINT, OTHER]);
    });

    test('stays shut, and asks no more often than it has keys, where the broker takes none of them', async () => {
      broker.onSubmit = () => reply('error', { code: 'wrong-broker' });
      const ended = await door.login();
      expect([ended.status, codeOf(ended)]).toEqual([1, 'wrong-broker']);
      expect(named()).toEqual([FINGERPRINT, OTHER]);
    });

    const announce = (days: number, old = FINGERPRINT): object => ({
      fingerprint: OTHER,
      handovers: [
        `countersign-broker-key 1\nold: ${old}\nnew: ssh-ed25519 AAAA\nissued: ${formatTime(inSeconds(0))}\n` +
          `old-valid-until: ${formatTime(inSeconds(days * DAY))}\n-----BEGIN SSH SIGNATURE-----\n`,
      ],
    });

    test.each([
      [
        'a new key that is not pinned, in good time',
        FINGERPRINT,
        20,
        0,
        'note',
        `set fingerprint=${OTHER},${FINGERPRINT}`,
      ],
      [
        'a new key that is not pinned, in the last week',
        FINGERPRINT,
        5,
        1,
        'FAIL',
        `set fingerprint=${OTHER},${FINGERPRINT}`,
      ],
      ['a new key, when the pinned one has ended', FINGERPRINT, -1, 1, 'FAIL', 'not a configured one'],
      [
        'the former key, while it is pinned beside the new one',
        `${OTHER},${FINGERPRINT}`,
        20,
        0,
        'note',
        `${FINGERPRINT} ends at`,
      ],
      ['a new key that stands last', `${FINGERPRINT},${OTHER}`, 20, 0, 'note', 'let it stand first'],
    ])('check speaks of %s', async (_, pinned, days, status, word, words) => {
      mkdirSync('/run/sshd', { recursive: true });
      mkdirSync(door.file('pam.d'));
      writeFileSync(
        door.file('pam.d/sshd'),
        `account required pam_exec.so seteuid stdout quiet ${door.hook} --config ${door.file('pam.conf')}\n`,
      );
      writeFileSync(door.file('sshd_config'), `HostKey ${door.file('host-key')}\nUsePAM yes\n`);
      door.settings.fingerprint = pinned;
      Object.assign(broker.about, announce(days));
      const said = await door.check(
        '--pam-dir',
        door.file('pam.d'),
        '--sshd-config',
        door.file('sshd_config'),
      );
      expect([said.status, said.stdout]).toEqual([
        status,
        expect.stringMatching(new RegExp(`^${word} .*${words.replaceAll('+', '\\+')}`, 'm')),
      ]);
    });
  },
);
