import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { DoorFixture } from './door-fixture.js';
import { FakeBroker, reply } from './fake-broker.js';

const TOOLS = ['root', 'mount namespaces', 'curl', 'ssh-keygen', 'flock', 'logger'];
const ID = '01J00000000000000000000000';

describeWith(TOOLS, 'the hook', () => {
  let broker: FakeBroker;
  let door: DoorFixture;
  beforeEach(async () => {
    broker = await FakeBroker.start();
    door = new DoorFixture(broker.port);
  });
  afterEach(async () => {
    await broker.stop();
    door.remove();
  });

  test('opens for a login that is approved at once, and reports it', async () => {
    broker.onSubmit = (ask) => reply('approved', {}, door.receipt(ask, 'bob'));
    const { status, said, log } = await door.login();
    expect([status, said]).toEqual([0, `countersign: approved by bob (request ${ID})\n`]);
    expect(log).toMatch(
      /^opened: approved by bob \(request 01J0+\); service sshd user root .* code approved\n$/,
    );
    expect(broker.of('reports').map(({ body }) => body)).toEqual([
      { claim: broker.ask.claim, code: 'approved', outcome: 'opened' },
    ]);
  });
});
