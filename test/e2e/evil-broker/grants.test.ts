import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { type Door, expectOpen, expectShut } from './door.js';
import { approved, reply } from './evil-broker.js';
import type { Running } from './machine.js';
import { type Change, inSeconds, keys, receipt } from './people.js';
import { onMachine } from './stage.js';

const GRANTS = { grants: 'yes', 'longest-duration': '3600' };

onMachine('A door that takes grants, and a broker that answers equal asks with them at once', (stage) => {
  /**
   * A door that has opened once for a grant of bob's. Its broker answers each later ask with that at once, as often as `tries`
   * says for one login; what is asked after that waits, and bob approves it by itself. `later` is what bob says of it then.
   */
  async function granted(change: Change, { tries = 1, later = {} as Change } = {}) {
    const { door, broker } = await stage.door({ config: GRANTS });
    broker.conduct = {
      redeem: (ask) => approved(ask, receipt(broker, ask, { covers: 'scope', ...change })),
    };
    expectOpen(await door.login());
    const [first] = broker.asks;
    const grant = receipt(broker, first!, { covers: 'scope', ...change, ...later });
    let left = 0;
    broker.conduct = {
      submit: (ask) => {
        left -= 1;
        return left < 0 ? reply('pending', ask) : approved(ask, grant);
      },
      redeem: (ask) => approved(ask, receipt(broker, ask)),
    };
    const login = (): Running => {
      left = tries;
      return door.start();
    };
    return { door, broker, digest: first!.bound.digest, login };
  }

  test('A53 later equal asks open without anybody being asked, and are spent under what was signed', async () => {
    const { door, broker, digest, login } = await granted({ duration: 300, uses: 3 });
    expectOpen(await login().end);
    expectOpen(await login().end);
    // Each is an ask of its own, and none was waited for.
    expect(new Set(broker.asks.map(({ bound }) => bound.digest)).size).toBe(3);
    expect(new Set(broker.asks.map(({ claim }) => claim)).size).toBe(3);
    expect(Object.entries(door.spent()).map(([key, uses]) => [key, uses.length])).toEqual([[digest, 3]]);
    // A door reports behind its back.
    await expect
      .poll(() => broker.told.map(({ ask, body }) => [ask.bound.digest, JSON.parse(body).outcome]), {
        timeout: 20_000,
      })
      .toEqual(broker.asks.map(({ bound }) => [bound.digest, 'opened']));
  });

  test('A53 where a grant is used up or over the door drops it, says so, and asks anew, once', async () => {
    const ended = { decided: inSeconds(-60), notAfter: inSeconds(-1) };
    const ends: [string, Change, Change, number][] = [
      ['spent', { uses: 1 }, {}, 0],
      ['grant-ended', { uses: 0, duration: 60 }, {}, 60],
      ['too-late', { uses: 2 }, ended, 0],
    ];
    await eachOf(
      ends,
      ([code]) => code,
      async ([code, change, later, age]) => {
        const { door, broker, digest, login } = await granted(change, { later });
        if (age > 0) firstUseWas(door, age);
        expectOpen(await login().end);
        const [, dropped, anew, ...more] = broker.asks;
        expect(more).toEqual([]);
        expect(Object.keys(door.spent()).sort()).toEqual([digest, anew!.bound.digest].sort());
        const told = () => broker.told.map(({ ask, body }) => [ask.bound.digest, JSON.parse(body).code]);
        await expect
          .poll(() => told().slice(-2), { timeout: 20_000 })
          .toEqual([
            [dropped!.bound.digest, code],
            [anew!.bound.digest, 'approved'],
          ]);
      },
    );
  });

  test('A53 a broker that shows such a grant again is not asked in a loop', async () => {
    const { door, broker, login } = await granted({ uses: 1 }, { tries: 9 });
    expectShut(await login().end, 'spent');
    expect(broker.asks).toHaveLength(3);
    // Nothing of it is left: the next login asks once more, and is approved by itself.
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    expectOpen(await door.login());
    expect(broker.asks).toHaveLength(4);
    expect(door.uses).toBe(2);
  });

  test('A53 the last use of a grant opens for one of two logins at once, and the other one asks anew', async () => {
    const { door, digest, login } = await granted({ uses: 2, duration: 300 }, { tries: 2 });
    const ends = await Promise.all([login().end, login().end]);
    for (const end of ends) expectOpen(end);
    const uses = Object.entries(door.spent()).map(([key, lines]) => [key === digest, lines.length]);
    expect(uses.sort()).toEqual([
      [false, 1],
      [true, 2],
    ]);
  });

  test('A53 a hook that is killed before or after its use is on the disk uses no grant more often than it says', async () => {
    for (const [moment, left] of [
      ['asked', 2],
      ['used', 1],
    ] as const) {
      const { door, broker } = await stage.door({ config: GRANTS });
      const asked = Promise.withResolvers<void>();
      const killed = Promise.withResolvers<void>();
      let grant = '';
      broker.conduct = {
        submit: async (ask) => {
          grant ||= receipt(broker, ask, { covers: 'scope', uses: 2, duration: 300 });
          asked.resolve();
          if (moment === 'asked') await killed.promise;
          return approved(ask, grant);
        },
      };
      const running = door.start();
      const pid = await running.pid;
      await asked.promise;
      if (moment === 'used') await expect.poll(() => door.uses, { interval: 5, timeout: 20_000 }).toBe(1);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
      killed.resolve();
      await running.end;
      const later = [await door.login(), await door.login()].filter(({ exit }) => exit === 0);
      expect([moment, later.length, door.uses]).toEqual([moment, left, 2]);
    }
  });

  test('A27 a grant whose revocation the broker hides ends with its time, and one that the door heard revoked at once', async () => {
    const hidden = await granted({ uses: 0, duration: 300 }, { tries: 9 });
    firstUseWas(hidden.door, 297);
    expectOpen(await hidden.login().end);
    firstUseWas(hidden.door, 300);
    expectShut(await hidden.login().end, 'grant-ended');
    expect(hidden.door.uses).toBe(2);

    const { door, broker } = await stage.door({ config: GRANTS });
    let grant = '';
    broker.conduct = {
      redeem: (ask) => {
        grant = receipt(broker, ask, { covers: 'scope', uses: 0, duration: 300 });
        return reply('revoked', ask);
      },
    };
    expectShut(await door.login(), 'revoked');
    broker.conduct = { submit: (ask) => approved(ask, grant) };
    expectShut(await door.login(), 'spent');
    expect(door.uses).toBe(0);
  });
});

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
