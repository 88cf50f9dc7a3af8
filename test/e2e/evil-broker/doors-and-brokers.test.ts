import { cpSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Door } from './door.js';
import { expectOpen, expectShut } from './door.js';
import { type Ask, approved, type EvilBroker } from './evil-broker.js';
import { receipt } from './people.js';
import { onMachine } from './stage.js';

const HOSTS = ['host:web-1.example.com', 'host:web-2.example.com'];

onMachine('Two hosts, two brokers and one roster', (stage) => {
  async function fourDoors() {
    const brokers = await Promise.all(HOSTS.map(() => stage.broker()));
    return await Promise.all(
      HOSTS.flatMap((name) =>
        brokers.map((broker) => stage.door({ broker, config: { door: name, submitter: name } })),
      ),
    );
  }

  /** All doors ask; once all have asked, each gets the receipt of the door that is so many places further. */
  async function exchange(doors: readonly { door: Door; broker: EvilBroker }[], places: number) {
    const asks: Ask[] = [];
    let isComplete: () => void = () => {};
    const complete = new Promise<void>((resolve) => {
      isComplete = resolve;
    });
    const receipts: string[] = [];
    for (const broker of new Set(doors.map((each) => each.broker))) {
      broker.conduct = {
        redeem: async (ask) => {
          // Both doors of a broker ask for their own host, so the name tells which one this is.
          const index = doors.findIndex(
            (each) =>
              each.broker === broker && HOSTS.indexOf(ask.bound.document.door) === doorHost(doors, each),
          );
          asks[index] = ask;
          receipts[index] = receipt(broker, ask);
          if (Object.keys(asks).length === doors.length) isComplete();
          await complete;
          return approved(ask, receipts[(index + places) % doors.length] ?? '');
        },
      };
    }
    return await Promise.all(doors.map(({ door }) => door.login()));
  }

  test('A54 of all receipts at all doors only those on the diagonal open', async () => {
    const doors = await fourDoors();
    for (const places of [1, 2, 3]) {
      for (const end of await exchange(doors, places)) expectShut(end, /^wrong-(broker|door)$/);
      expect(doors.map(({ door }) => door.uses)).toEqual([0, 0, 0, 0]);
    }
    for (const end of await exchange(doors, 0)) expectOpen(end);
    expect(doors.map(({ door }) => door.uses)).toEqual([1, 1, 1, 1]);
  });

  test('A54 a receipt for the very same document through another broker does not open', async () => {
    const [first, second] = (await fourDoors()) as [
      { door: Door; broker: EvilBroker },
      { door: Door; broker: EvilBroker },
    ];
    // The wait of the first login ends; its nonce and claim come to the second door, as by a copied machine.
    first.broker.conduct = { submit: () => '' };
    expectShut(await first.door.login(), 'bad-reply');
    // Not the rest of the state, in which the first run may still be tidying up.
    rmSync(second.door.file('state/asks'), { recursive: true, force: true });
    cpSync(first.door.file('state/asks'), second.door.file('state/asks'), { recursive: true });
    const { bound } = first.broker.ask;
    second.broker.conduct = { redeem: (ask) => approved(ask, receipt(first.broker, ask)) };
    expectShut(await second.door.login(), 'wrong-broker');
    expect(second.broker.ask.bound).toEqual(bound);
    expect(second.door.uses).toBe(0);
  });
});

function doorHost(doors: readonly { door: Door; broker: EvilBroker }[], one: { door: Door }): number {
  return Math.floor(doors.findIndex(({ door }) => door === one.door) / HOSTS.length);
}
