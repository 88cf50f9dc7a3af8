import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { approved } from './evil-broker.js';
import { type Change, keys, receipt } from './people.js';
import { onMachine } from './stage.js';

const bob: Change = { approver: 'bob', key: keys.bob };
const carol: Change = { approver: 'carol', key: keys.carol };
const dave: Change = { approver: 'dave', key: keys.dave };
const alice: Change = { approver: 'alice', key: keys.alice };

onMachine('A door at which a shared account asks', (stage) => {
  async function loginAs(
    environment: Record<string, string>,
    signers: readonly Change[],
    config: Record<string, string> = {},
  ) {
    const { door, broker } = await stage.door({ config });
    broker.conduct = {
      redeem: (ask) => approved(ask, ...signers.map((change) => receipt(broker, ask, change))),
    };
    return { door, broker, end: await door.login({ environment }) };
  }

  test('A56 nobody approves himself behind an account that is nobody in particular; with one more person it opens', async () => {
    const accounts = [
      { PAM_USER: 'deploy' },
      { PAM_USER: 'root' },
      { PAM_USER: 'Erin' },
      { PAM_SERVICE: 'su', PAM_USER: 'root', PAM_RUSER: 'deploy' },
      { PAM_SERVICE: 'sudo', PAM_USER: 'deploy', PAM_RUSER: 'deploy' },
      { PAM_SERVICE: 'sudo-i', PAM_USER: 'deploy', PAM_RUSER: 'deploy' },
    ];
    await eachOf(
      accounts,
      (environment) => JSON.stringify(environment),
      async (environment) => {
        const alone = await loginAs(environment, [bob]);
        expectShut(alone.end, 'no-quorum');
        expect(alone.door.uses).toBe(0);
        const together = await loginAs(environment, [bob, carol]);
        expectOpen(together.end, 'bob,carol');
        expect(together.broker.ask.bound.document.requester).toBe(
          environment.PAM_USER === 'Erin' ? 'uid:4005' : (environment.PAM_RUSER ?? environment.PAM_USER),
        );
      },
    );
  });

  test('A56 the requirement holds without any one of those who signed', async () => {
    const deploy = { PAM_USER: 'deploy' };
    const table: [readonly Change[], Record<string, string>, boolean][] = [
      [[bob, carol], { people: '2' }, false],
      [[bob, carol, dave], { people: '2' }, true],
      [[bob, { ...bob, key: keys.bobToo }, carol], { people: '2' }, false],
      [[bob, carol], { 'required-groups': 'oncall:1' }, false],
      [[bob, dave], { 'required-groups': 'oncall:1' }, true],
      // Without Dave nobody of both groups but Bob is left, without Bob nobody but Dave and Carol.
      [[bob, carol, dave], { 'required-groups': 'oncall:1,db:1' }, true],
      [[bob, alice, dave], { 'required-groups': 'oncall:1,db:1' }, false],
      [[bob, alice, carol], { 'required-groups': 'oncall:1,db:1' }, false],
    ];
    await eachOf(
      table,
      ([signers, config]) => `${signers.map(({ approver }) => approver)} ${JSON.stringify(config)}`,
      async ([signers, config, opens]) => {
        const { end } = await loginAs(deploy, signers, config);
        if (opens) expectOpen(end, [...new Set(signers.map(({ approver }) => approver))].join());
        else expectShut(end, 'no-quorum');
      },
    );
  });

  test('A56 a door can refuse such accounts, or take them on its own word', async () => {
    const deploy = { PAM_USER: 'deploy' };
    const refused = await loginAs(deploy, [bob, carol, dave], { 'shared-requester': 'refuse' });
    expectShut(refused.end, 'no-quorum');
    expect(refused.broker.asks).toEqual([]);
    expectOpen((await loginAs(deploy, [bob], { 'shared-requester': 'accept' })).end);
    // One person of the file is no shared account, whatever the door says of those.
    expectShut((await loginAs({}, [alice], { 'shared-requester': 'accept' })).end, 'no-quorum');
  });

  test('A56 who asks through sudo or su is who calls it, not whom he becomes', async () => {
    const su = { PAM_SERVICE: 'su', PAM_USER: 'root', PAM_RUSER: 'alice' };
    const sudo = { PAM_SERVICE: 'sudo', PAM_USER: 'alice', PAM_RUSER: 'alice' };
    for (const environment of [su, sudo]) {
      expectShut((await loginAs(environment, [alice])).end, 'no-quorum');
      expectOpen((await loginAs(environment, [bob])).end);
    }
    for (const PAM_RUSER of ['', 'nobody-here', '0', '+0', ' 0', '\t4001'])
      expectShut((await loginAs({ ...su, PAM_RUSER }, [bob, carol])).end, /^(bad-name|unknown-user)$/);
  });
});
