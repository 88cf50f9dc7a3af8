import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { DoorFixture, type Ended, inSeconds } from './door-fixture.js';
import { FakeBroker, reply } from './fake-broker.js';

const TOOLS = ['root', 'mount namespaces', 'curl', 'ssh-keygen', 'flock', 'logger'];
const REASON = 'INC-4312: nobody answers and the shop is down';

describeWith(TOOLS, 'a door that lets the requester open alone', () => {
  let broker: FakeBroker;
  let door: DoorFixture;
  beforeEach(async () => {
    broker = await FakeBroker.start();
    door = new DoorFixture(broker.port);
    door.enrol('bob,group:oncall', 'carol', 'alice,root,group:oncall');
    Object.assign(door.settings, { 'alone-group': 'oncall', 'alone-after': '900' });
    broker.onSubmit = () => signed();
  });
  afterEach(async () => {
    await broker.stop();
    door.remove();
  });

  /** What the broker says as soon as alice has signed for herself. */
  const signed = (changes: object = {}, more = ''): string =>
    reply(
      'approved',
      {},
      door.receipt(broker.ask, 'alice', { comment: REASON, notAfter: inSeconds(1800), ...changes }) + more,
    );

  const codeOf = ({ log }: Ended): string | undefined => / code ([a-z0-9-]+)\n$/.exec(log)?.[1];

  /** The file of the one ask that stands. */
  function askFile(): string {
    const [day = ''] = readdirSync(door.file('state/asks'));
    return door.file(`state/asks/${day}/${broker.ask.scope.slice(7)}`);
  }

  /** As if the door had asked so many seconds ago, or said so in these words. */
  function drawn(when: number | string): void {
    const [nonce, claim] = readFileSync(askFile(), 'utf8').split('\n');
    const second = typeof when === 'string' ? when : String(inSeconds(-when) / 1000).padStart(12, '0');
    writeFileSync(askFile(), `${nonce}\n${claim}\n${second}\n`);
  }

  test('stays shut until the delay is over by its own clock, then opens once, loudly (A8, A41, A55)', async () => {
    const early = await door.login();
    expect([early.status, codeOf(early)]).toEqual([3, 'alone-too-early']);
    expect(early.said).toMatch(
      /^countersign: nobody opens alone before \d+ seconds are over; log in again then /,
    );
    drawn(890);
    expect(codeOf(await door.login())).toBe('alone-too-early');
    drawn(900);
    const opened = await door.login();
    expect([opened.status, codeOf(opened)]).toEqual([0, 'alone']);
    expect(opened.log).toMatch(/^opened: opened alone by alice /);
    expect(broker.of('reports').map(({ body }) => [body.outcome, body.code])).toEqual([['opened', 'alone']]);
    // All with one ask and one claim, and the next login asks anew.
    expect(new Set(broker.asks.map(({ digest, claim }) => `${digest} ${claim}`)).size).toBe(1);
    expect(codeOf(await door.login())).toBe('alone-too-early');
    expect(broker.asks.at(-1)?.digest).not.toBe(broker.asks[0]?.digest);
  });

  test.each([
    ['a short reason', { comment: 'x'.repeat(39) }, '', 'no-quorum'],
    ['a reason of escapes', { comment: 'é'.repeat(39) }, '', 'no-quorum'],
    ['longer than delay and longest', { notAfter: Date.UTC(2099, 0, 1) }, '', 'too-long'],
    ['another person beside it (A8)', { notAfter: 0 }, 'bob', 'no-quorum'],
  ])('does not open for %s', async (_, change, beside, code) => {
    await door.login();
    drawn(900);
    broker.onSubmit = () =>
      beside === '' ? signed(change) : signed({ notAfter: inSeconds(600) }, door.receipt(broker.ask, beside));
    expect(codeOf(await door.login())).toBe(code);
  });

  test.each([
    ['is missing', ''],
    ['is no time', '$(touch x)'],
    ['lies ahead, as after a clock was set back', -100],
  ])('stays shut where the time of the ask %s (A41, A52)', async (_, when) => {
    await door.login();
    drawn(when);
    const ended = await door.login();
    expect([ended.status, codeOf(ended)]).toEqual([1, 'no-quorum']);
  });

  test.each([
    ['who is not in the group', () => door.enrol('bob,group:oncall', 'carol', 'alice,root'), 'no-quorum'],
    ['where the configuration does not say so (A8)', () => delete door.settings['alone-group'], 'bad-config'],
    [
      'where it says nothing of it (A8)',
      () => {
        delete door.settings['alone-group'];
        delete door.settings['alone-after'];
      },
      'too-long',
    ],
  ])('lets nobody in alone %s', async (_, change, code) => {
    await door.login();
    drawn(900);
    change();
    expect(codeOf(await door.login())).toBe(code);
  });

  test('asks even where nobody else is enrolled, and opens at once for anybody else', async () => {
    door.enrol('alice,root,group:oncall');
    expect(codeOf(await door.login())).toBe('alone-too-early');
    door.enrol('bob', 'alice,root,group:oncall');
    broker.onSubmit = () => reply('approved', {}, door.receipt(broker.ask, 'bob'));
    expect((await door.login()).log).toMatch(/^opened: approved by bob /);
  });
});
