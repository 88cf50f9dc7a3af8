import { expect, test } from 'vitest';
import { makeSoftwareKey } from '../../ssh/software-keys.js';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { approved } from './evil-broker.js';
import { ALICE, CAROL, type Change, keys, receipt } from './people.js';
import { onMachine } from './stage.js';

const PRESENT = 0x01;
const VERIFIED = 0x04;
const token = makeSoftwareKey('sk-ssh-ed25519@openssh.com');
const otherToken = makeSoftwareKey('sk-ecdsa-sha2-nistp256@openssh.com');
const people = [ALICE, CAROL, { name: 'bob', keys: [keys.bob, token, otherToken] }];

onMachine('A door that asks for a touched security key', (stage) => {
  async function login(config: Record<string, string>, ...changes: Change[]) {
    const { door, broker } = await stage.door({ people, config });
    broker.conduct = {
      redeem: (ask) => approved(ask, ...changes.map((change) => receipt(broker, ask, change))),
    };
    return await door.login();
  }

  test('A58 a signature without the presence bit is refused, though ssh-keygen calls it good', async () => {
    const cases = [token, otherToken].flatMap((key) =>
      [0, VERIFIED, 0xfe, PRESENT, PRESENT | VERIFIED].map((flags) => ({ key, flags })),
    );
    await eachOf(
      cases,
      ({ key, flags }) => `${key.type} ${flags}`,
      async ({ key, flags }) => {
        const change = { key, forgery: { flags } };
        const end = await login({ touch: 'yes' }, change);
        if (flags & PRESENT) expectOpen(end);
        else expectShut(end, 'no-touch');
        // The same signature holds where nobody asks for a touch.
        expectOpen(await login({}, change));
      },
    );
  });

  test('A58 a key that cannot tell is refused, also beside one that can', async () => {
    expectShut(await login({ touch: 'yes' }, { key: keys.bob }), 'no-touch');
    expectShut(await login({ touch: 'yes' }, { key: token }, { key: keys.bob }), 'no-touch');
    const carol = { approver: 'carol', key: keys.carol };
    expectShut(await login({ touch: 'yes', people: '2' }, { key: token }, carol), 'no-touch');
    expectShut(
      await login({ touch: 'yes' }, { key: token, forgery: { flags: 0 } }, { key: otherToken }),
      'no-touch',
    );
    expectOpen(await login({ touch: 'yes' }, { key: token }, { key: otherToken }));
  });

  test('A58 a presence bit that was set after signing breaks the signature', async () => {
    const { door, broker } = await stage.door({ people, config: { touch: 'yes' } });
    broker.conduct = {
      redeem: (ask) => {
        const [statement = '', armor = ''] = receipt(broker, ask, {
          key: token,
          forgery: { flags: 0 },
        }).split(/(?=-----BEGIN)/);
        const blob = Buffer.from(armor.split('\n').slice(1, -2).join(''), 'base64');
        // The flags stand before the counter of four bytes, at the end.
        blob[blob.length - 5] = PRESENT;
        const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
        const forged = ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join(
          '\n',
        );
        return approved(ask, statement + forged);
      },
    };
    expectShut(await door.login(), 'bad-signature');
    expect(door.uses).toBe(0);
  });
});
