import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { type Door, expectOpen, expectShut } from './door.js';
import { approved } from './evil-broker.js';
import { type Change, inSeconds, keys, receipt } from './people.js';
import { onMachine } from './stage.js';

const GRANTS = { grants: 'yes', 'longest-duration': '3600' };

onMachine('A door that takes grants, and a broker that stretches them', (stage) => {
  /** A door that has opened once for the first of these grants; its broker shows them all again and again. */
  async function usedGrant(changes: readonly Change[], config = {}) {
    const { door, broker } = await stage.door({ config: { ...GRANTS, ...config } });
    const grants: string[] = [];
    broker.conduct = {
      redeem: (ask) => {
        if (grants.length === 0)
          grants.push(...changes.map((change) => receipt(broker, ask, { covers: 'scope', ...change })));
        return approved(ask, ...grants);
      },
    };
    const end = await door.login();
    return { door, broker, end };
  }

  test('A53 a receipt for one login does not open the next one of equal scope', async () => {
    const { door, broker } = await stage.approvedDoor({ config: GRANTS });
    expectOpen(await door.login());
    const [first] = broker.asks;
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, first!)) };
    expectShut(await door.login(), 'wrong-request');
    // Not as a grant either: the words of bob are signed.
    const widened = receipt(broker, first!).replace('covers: request', 'covers: scope');
    broker.conduct = { redeem: (ask) => approved(ask, widened) };
    expectShut(await door.login(), 'bad-signature');
    expect(door.uses).toBe(1);
  });

  test('A53 a grant opens equal asks until its end, and not a second longer', async () => {
    const duration = 300;
    const { door, end } = await usedGrant([{ duration, uses: 0 }]);
    expectOpen(end);
    expectOpen(await door.login());
    expect(door.uses).toBe(2);
    // The first use becomes older, as it does while time passes.
    firstUseWas(door, duration - 3);
    expectOpen(await door.login());
    for (const age of [duration, duration + 1, duration + 3600]) {
      firstUseWas(door, age);
      expectShut(await door.login(), 'grant-ended');
    }
    expect(door.uses).toBe(3);
  });

  test('A53 a grant opens as often as it says, also where one of its signers says less', async () => {
    const carol: Change = { approver: 'carol', key: keys.carol };
    const tables: [readonly Change[], number, Record<string, string>][] = [
      [[{ uses: 1 }], 1, {}],
      [[{ uses: 2 }], 2, {}],
      [[{ uses: 3 }, { ...carol, uses: 2 }], 2, { people: '2' }],
      [
        [
          { uses: 0, duration: 60 },
          { ...carol, uses: 2, duration: 60 },
        ],
        2,
        { people: '2' },
      ],
      [
        [
          { uses: 3, duration: 60 },
          { ...carol, uses: 0, duration: 60 },
        ],
        3,
        { people: '2' },
      ],
    ];
    await eachOf(
      tables,
      ([changes]) => JSON.stringify(changes.map(({ uses }) => uses)),
      async ([changes, uses, config]) => {
        const { door, end } = await usedGrant(changes, config);
        const ends = [end];
        while (ends.length < uses) ends.push(await door.login());
        for (const each of ends) expectOpen(each, uses === 1 || changes.length === 1 ? 'bob' : 'bob,carol');
        expectShut(await door.login(), 'spent');
        expect(door.uses).toBe(uses);
      },
    );
  });

  test('A53 the shortest work and the earliest end of a quorum hold', async () => {
    const carol: Change = { approver: 'carol', key: keys.carol };
    const { door, end } = await usedGrant(
      [
        { uses: 0, duration: 3600 },
        { ...carol, uses: 0, duration: 60 },
      ],
      { people: '2' },
    );
    expectOpen(end, 'bob,carol');
    firstUseWas(door, 60);
    expectShut(await door.login(), 'grant-ended');
    const late = await usedGrant(
      [
        { uses: 0, duration: 3600 },
        { ...carol, uses: 0, duration: 3600, decided: inSeconds(-60), notAfter: inSeconds(-1) },
      ],
      { people: '2' },
    );
    expectShut(late.end, 'too-late');
    expect(late.door.uses).toBe(0);
  });

  test('A53 an approval that lapsed before the first use of a grant does not stretch it', async () => {
    const { door, broker } = await stage.door({ config: GRANTS });
    let bob = '';
    let carol = '';
    broker.conduct = {
      redeem: (ask) => {
        bob ||= receipt(broker, ask, { covers: 'scope', uses: 0, duration: 60 });
        carol ||= receipt(broker, ask, {
          covers: 'scope',
          uses: 0,
          duration: 3600,
          approver: 'carol',
          key: keys.carol,
          decided: inSeconds(-600),
          notAfter: inSeconds(-120),
        });
        return approved(ask, bob);
      },
    };
    expectOpen(await door.login());
    firstUseWas(door, 90);
    expectShut(await door.login(), 'grant-ended');
    broker.conduct = { redeem: (ask) => approved(ask, carol) };
    expectShut(await door.login(), /^(too-late|grant-ended)$/);
    expect(door.uses).toBe(1);
  });

  test('A53 a grant without work ends at its not-after', async () => {
    const { door, broker, end } = await usedGrant([{ uses: 3, notAfter: inSeconds(600) }]);
    expectOpen(end);
    expectOpen(await door.login());
    const [ask] = broker.asks;
    const ended = receipt(broker, ask!, {
      covers: 'scope',
      uses: 3,
      decided: inSeconds(-60),
      notAfter: inSeconds(-1),
    });
    broker.conduct = { redeem: (next) => approved(next, ended) };
    expectShut(await door.login(), 'too-late');
    expect(door.uses).toBe(2);
  });

  test('A53 a grant for somebody or something else does not open', async () => {
    const { door, broker, end } = await usedGrant([{ uses: 0, duration: 3600 }]);
    expectOpen(end);
    const granted = receipt(broker, broker.asks[0]!, { covers: 'scope', uses: 0, duration: 3600 });
    broker.conduct = { redeem: (ask) => approved(ask, granted) };
    const others: Record<string, string>[] = [
      { PAM_USER: 'carol' },
      { PAM_USER: 'root' },
      { PAM_RHOST: '203.0.113.10' },
      { PAM_TTY: 'pts/1' },
      { PAM_SERVICE: 'login' },
    ];
    for (const environment of others) expectShut(await door.login({ environment }), 'wrong-scope');
    expect(door.uses).toBe(1);
  });

  test('A53 a grant does not count together with an approval of one request, or of another grant', async () => {
    const { door, broker } = await stage.door({ config: { ...GRANTS, people: '2' } });
    const scope = { covers: 'scope', uses: 0, duration: 60 } as const;
    const carol = { approver: 'carol', key: keys.carol };
    broker.conduct = {
      redeem: (ask) =>
        approved(ask, receipt(broker, ask, scope), receipt(broker, ask, { ...carol, duration: 60 })),
    };
    expectShut(await door.login(), 'mixed-receipts');
    const [first] = broker.asks;
    broker.conduct = {
      redeem: (ask) =>
        approved(ask, receipt(broker, ask, scope), receipt(broker, first!, { ...carol, ...scope })),
    };
    expectShut(await door.login(), 'mixed-receipts');
    expect(door.uses).toBe(0);
  });

  test('A53 a clock that was set back revives nothing', async () => {
    const { door, end } = await usedGrant([{ uses: 0, duration: 60 }]);
    expectOpen(end);
    const clock = door.file('state/clock');
    const seconds = readFileSync(clock, 'utf8');
    expect(seconds).toMatch(/^\d{12}\n$/);
    writeFileSync(clock, `${String(Number(seconds) + 5).padStart(12, '0')}\n`);
    expectShut(await door.login(), 'clock-back');
    for (const broken of ['\n', 'x\n', '99999999999999\n', '-1\n', `a[$(touch ${stage.marker})]\n`]) {
      writeFileSync(clock, broken);
      expectShut(await door.login(), 'clock-unknown');
    }
    // The first use lies ahead, and no clock says so.
    writeFileSync(clock, seconds);
    firstUseWas(door, -5);
    expectShut(await door.login(), 'clock-back');
    expect(door.uses).toBe(1);
  });

  test('A53 a record of uses that cannot be read counts as used up', async () => {
    for (const broken of ['', 'x\n', '1\n2x\n', `a[$(touch ${stage.marker})]\n`, '08\n']) {
      const { door, end } = await usedGrant([{ uses: 0, duration: 60 }]);
      expectOpen(end);
      const record = readFileSync(spentFile(door));
      writeFileSync(spentFile(door), broken);
      expectShut(await door.login(), 'spent');
      writeFileSync(spentFile(door), record);
      expectOpen(await door.login());
    }
  });
});

/** Makes the first use of the one grant of a door so many seconds old. */
function firstUseWas(door: Door, age: number): void {
  const file = spentFile(door);
  const [, ...later] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, [Math.floor(Date.now() / 1000) - age, ...later].join('\n'));
}

function spentFile(door: Door): string {
  const [entry, ...others] = readdirSync(door.file('state/spent'), {
    recursive: true,
    withFileTypes: true,
  }).filter((found) => found.isFile());
  if (entry === undefined || others.length > 0) throw new Error('not one record of uses');
  return join(entry.parentPath, entry.name);
}
