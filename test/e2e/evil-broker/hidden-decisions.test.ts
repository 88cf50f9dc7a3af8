import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { approved } from './evil-broker.js';
import { ALICE, CAROL, type Change, DAVE, inSeconds, keys, receipt, signersFile } from './people.js';
import { onMachine } from './stage.js';

onMachine('A door whose broker hides a no, a revocation or the truth about time', (stage) => {
  /** Logs in; the broker keeps its genuine receipt back until so many seconds before it ends. */
  async function heldBack(left: number, validFor: number, config = {}) {
    const { door, broker } = await stage.door({ config });
    broker.conduct = {
      redeem: async (ask) => {
        const notAfter = inSeconds(validFor);
        const signed = receipt(broker, ask, { notAfter });
        await clockShows(notAfter - left * 1000);
        return approved(ask, signed);
      },
    };
    return { door, end: await door.login() };
  }

  test('A61 a hidden no or revocation opens until the not-after that was signed, and not in its second', async () => {
    const [inside, outside] = await Promise.all([heldBack(3, 5), heldBack(0, 2)]);
    expectOpen(inside.end);
    expectShut(outside.end, 'too-late');
    expect([inside.door.uses, outside.door.uses]).toEqual([1, 0]);
  });

  test('A61 the bound is that of the door: nothing longer than it allows opens', async () => {
    const bounds: [Change, boolean, Record<string, string>][] = [
      [{ decided: inSeconds(0), notAfter: inSeconds(900) }, true, {}],
      [{ decided: inSeconds(0), notAfter: inSeconds(901) }, false, {}],
      [{ notAfter: Date.parse('2099-01-01T00:00:00Z') }, false, {}],
      [{ decided: inSeconds(0), notAfter: inSeconds(120) }, true, { longest: '120' }],
      [{ decided: inSeconds(0), notAfter: inSeconds(121) }, false, { longest: '120' }],
    ];
    await eachOf(
      bounds,
      ([change]) => JSON.stringify(change),
      async ([change, opens, config]) => {
        const { door, broker } = await stage.door({ config });
        broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask, change)) };
        const end = await door.login();
        if (opens) expectOpen(end);
        else expectShut(end, 'too-long');
      },
    );
  });

  test('A61 a rule of "1 of any" does not make one of two people enough', async () => {
    const { door, broker } = await stage.door({ config: { people: '2' } });
    const rewrite = (text: string): string => text.replace('policy: -', `policy: sha256:${'1'.repeat(64)}`);
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask, { rewrite })) };
    expectShut(await door.login(), 'no-quorum');
  });

  test('A61 a roster of the broker counts for nothing: people who are not, no longer or not yet in the file', async () => {
    const dated = (validity: string): string =>
      `bob namespaces="decision@countersign",${validity} ${keys.bob.line}\n`;
    const files: [string, string, string][] = [
      ['never there', `carol namespaces="decision@countersign" ${keys.carol.line}\n`, 'unknown-approver'],
      ['another key by now', `bob namespaces="decision@countersign" ${keys.bobToo.line}\n`, 'bad-signature'],
      ['no longer', dated('valid-before="20200101000000Z"'), 'bad-signature'],
      ['not yet', dated('valid-after="29990101000000Z"'), 'bad-signature'],
    ];
    await eachOf(
      files,
      ([name]) => name,
      async ([, signers, code]) => {
        const { door, broker } = await stage.door();
        // Dave could approve, so that the door asks at all.
        writeFileSync(door.file('signers'), signersFile([ALICE, DAVE]) + signers);
        broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
        expectShut(await door.login(), code);
      },
    );
  });

  test('A61 who leaves the signers file while the login waits no longer counts', async () => {
    const { door, broker } = await stage.door();
    broker.conduct = {
      redeem: (ask) => {
        writeFileSync(door.file('signers'), signersFile([ALICE, CAROL, DAVE]));
        return approved(ask, receipt(broker, ask));
      },
    };
    expectShut(await door.login(), 'unknown-approver');
    expect(door.uses).toBe(0);
  });
});

async function clockShows(time: number): Promise<void> {
  while (Date.now() < time) await new Promise((resolve) => setTimeout(resolve, time - Date.now()));
}
