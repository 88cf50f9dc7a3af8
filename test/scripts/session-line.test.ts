import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { DoorFixture } from './door-fixture.js';
import { FakeBroker, reply } from './fake-broker.js';

const TOOLS = ['root', 'mount namespaces', 'curl', 'ssh-keygen', 'flock', 'logger'];

describeWith(TOOLS, 'a door that watches sessions', () => {
  let broker: FakeBroker;
  let door: DoorFixture;
  beforeEach(async () => {
    broker = await FakeBroker.start();
    door = new DoorFixture(broker.port);
    door.settings.sessions = 'yes';
    broker.onSubmit = () => reply('approved', {}, door.receipt(broker.ask, 'bob'));
  });
  afterEach(async () => {
    await broker.stop();
    door.remove();
  });

  const LINE = 'session optional pam_exec.so seteuid quiet';

  test.each([
    ['stands', (hook: string) => `${LINE} ${hook} session --config`, 'watched'],
    ['is missing', () => 'session optional pam_motd.so', 'approved'],
    ['is commented out', (hook: string) => `#${LINE} ${hook} session --config`, 'approved'],
    ['is of another hook', () => `${LINE} /opt/countersign-pam session --config`, 'approved'],
  ])('says so only where its line of PAM %s (A50)', async (_, line, code) => {
    const file = door.file('pam-sshd');
    writeFileSync(file, `account required pam_permit.so\n${line(door.hook)} ${door.configure()}\n`);
    const { status } = await door.login({}, `mount --bind ${file} /etc/pam.d/sshd`);
    expect([status, broker.of('reports').map(({ body }) => body.code)]).toEqual([0, [code]]);
  });
});
