import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDocument } from '../../../src/protocol/document.js';
import type { Fingerprint } from '../../../src/protocol/names.js';
import { eachOf } from './cases.js';
import { type Door, expectOpen, expectShut } from './door.js';
import { type Ask, approved, type EvilBroker, reply } from './evil-broker.js';
import type { End } from './machine.js';
import { type Change, inSeconds, keys, receipt } from './people.js';
import { onMachine } from './stage.js';

const isOpen = ({ exit }: End): boolean => exit === 0;

onMachine('A door whose broker shows the same genuine receipts again and again', (stage) => {
  const four: readonly Change[] = [
    { approver: 'bob', key: keys.bob },
    { approver: 'carol', key: keys.carol },
    { approver: 'dave', key: keys.dave },
    { approver: 'bob', key: keys.bobToo },
  ];

  test('A55 four approvals on an ask for two people open once, however they are paired', async () => {
    const { door, broker } = await stage.door({ config: { people: '2' } });
    let all: string[] = [];
    broker.conduct = {
      redeem: (ask) => {
        all = four.map((change) => receipt(broker, ask, change));
        return approved(ask, ...all.slice(0, 2));
      },
    };
    expectOpen(await door.login(), 'bob,carol');
    for (const pair of [
      [0, 1],
      [2, 3],
      [1, 2],
      [0, 1, 2, 3],
    ]) {
      broker.conduct = { redeem: (ask) => approved(ask, ...pair.map((index) => all[index] ?? '')) };
      expectShut(await door.login(), 'wrong-request');
    }
    expect(door.uses).toBe(1);
  });

  test('A55 signers whose clocks are 45 s ahead and behind open once', async () => {
    const { door, broker } = await stage.door({ config: { people: '2' } });
    let all: string[] = [];
    broker.conduct = {
      redeem: (ask) => {
        if (all.length === 0)
          all = [
            receipt(broker, ask, { decided: inSeconds(45), notAfter: inSeconds(645) }),
            receipt(broker, ask, {
              approver: 'carol',
              key: keys.carol,
              decided: inSeconds(-45),
              notAfter: inSeconds(555),
            }),
          ];
        return approved(ask, ...all);
      },
    };
    expectOpen(await door.login(), 'bob,carol');
    expectShut(await door.login(), 'wrong-request');
    expect(door.uses).toBe(1);
  });

  test('A55 of 50 logins at once with the same receipts one opens', async () => {
    const { door, broker } = await stage.door({ config: { wait: '100' } });
    let shown = '';
    broker.conduct = {
      redeem: (ask) => {
        shown ||= receipt(broker, ask);
        return approved(ask, shown);
      },
    };
    const ends = await Promise.all(Array.from({ length: 50 }, () => door.login()));
    expect(ends.filter(isOpen)).toHaveLength(1);
    for (const { exit, log } of ends.filter((each) => !isOpen(each))) expect([1, 3], log).toContain(exit);
    expect(door.uses).toBe(1);
  });

  test('A55 a use is recorded under a lock that nobody else has', async () => {
    const { door } = await stage.approvedDoor({ config: { wait: '100' } });
    const file = (name: string): string => door.file(name);
    const stub = (tool: string, text: string): string => {
      copyFileSync(`/usr/bin/${tool}`, file(`real-${tool}`));
      writeFileSync(file(tool), `#!/bin/sh\n${text}\nexec ${file(`real-${tool}`)} "$@"\n`, { mode: 0o755 });
      return `mount --bind ${file(tool)} /usr/bin/${tool}\n`;
    };
    const tryLock = `${file('real-flock')} --shared --nonblock ${file('state/lock')} touch ${file('not-locked')}`;
    const before = [
      stub('flock', `touch ${file('waiting')}`),
      // Whatever is recorded is synchronised before the door opens: then the lock must still be held, and not be shared.
      stub('sync', `if [ -s ${file('state/clock')} ]; then touch ${file('recording')}; ${tryLock}; fi`),
    ];
    const holder = spawn('flock', ['--exclusive', file('state/lock'), 'sh', '-c', 'echo; cat']);
    await once(holder.stdout, 'data');
    const running = door.start({ before: before.join('') });
    await expect.poll(() => existsSync(file('waiting')), { timeout: 20_000 }).toBe(true);
    expect(door.uses).toBe(0);
    holder.stdin.end();
    expectOpen(await running.end);
    expect(door.uses).toBe(1);
    expect([existsSync(file('recording')), existsSync(file('not-locked'))]).toEqual([true, false]);
  });

  test('A55 of 20 logins at once with one grant of three uses three open', async () => {
    const { door, broker } = await stage.door({ config: { grants: 'yes', wait: '100' } });
    let shown = '';
    broker.conduct = {
      redeem: (ask) => {
        shown ||= receipt(broker, ask, { covers: 'scope', uses: 3 });
        return approved(ask, shown);
      },
    };
    const ends = await Promise.all(Array.from({ length: 20 }, () => door.login()));
    expect(ends.filter(isOpen)).toHaveLength(3);
    expect(door.uses).toBe(3);
  });

  test('A55 a second login of two with honest receipts asks anew, and both open, once each', async () => {
    const { door } = await stage.approvedDoor();
    for (const end of await Promise.all([door.login(), door.login()])) expectOpen(end);
    expect(Object.values(door.spent()).map((uses) => uses.length)).toEqual([1, 1]);
  });

  /** Logs in, kills the hook at some moment, and logs in twice more with the same replies. */
  async function killed(
    door: Door,
    broker: EvilBroker,
    moment: (kill: () => void) => Promise<void>,
  ): Promise<{ ends: End[]; asks: readonly Ask[] }> {
    const running = door.start();
    const pid = await running.pid;
    const [first] = await Promise.all([
      running.end,
      moment(() => {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }),
    ]);
    return { ends: [first, await door.login(), await door.login()], asks: broker.asks };
  }

  /** Shows the receipt of the first ask for ever; resolves `verb` when the door has come so far. */
  async function stubborn() {
    const { door, broker } = await stage.door();
    let shown = '';
    const reached = { submit: Promise.withResolvers<void>(), redeem: Promise.withResolvers<void>() };
    broker.conduct = {
      submit: (ask) => {
        shown ||= receipt(broker, ask);
        reached.submit.resolve();
        return reply('pending', ask);
      },
      redeem: (ask) => {
        reached.redeem.resolve();
        return approved(ask, shown);
      },
    };
    return { door, broker, reached };
  }

  test('A55 a hook that is killed while it asks or waits leaves its claim to the next login, which opens once', async () => {
    for (const verb of ['submit', 'redeem'] as const) {
      const { door, broker, reached } = await stubborn();
      const { ends, asks } = await killed(door, broker, async (kill) => {
        await reached[verb].promise;
        kill();
      });
      expect(ends.map(({ exit }) => exit)).toEqual([137, 0, 1]);
      expect(asks[1]?.bound.digest).toBe(asks[0]?.bound.digest);
      expect(asks[1]?.claim).toBe(asks[0]?.claim);
      expect(door.uses).toBe(1);
    }
  });

  test('A55 a hook that is killed at any moment after the reply opens at most once, before and after a reboot', async () => {
    const outcomes = new Set<string>();
    await eachOf(
      Array.from({ length: 25 }, (_, index) => index * 4),
      (delay) => `${delay} ms after the reply`,
      async (delay) => {
        const { door, broker, reached } = await stubborn();
        const { ends } = await killed(door, broker, async (kill) => {
          await reached.redeem.promise;
          await new Promise((resolve) => setTimeout(resolve, delay));
          kill();
        });
        const exits = ends.map(({ exit }) => exit);
        expect(ends.filter(isOpen).length, exits.join()).toBeLessThanOrEqual(1);
        expect(door.uses).toBe(1);
        outcomes.add(exits.join());
      },
      4,
    );
    // Killed before the use was recorded, so that the next login opens: the test can fail.
    expect(outcomes).toContain('137,0,1');
  });

  test('A55 a hook that is killed as soon as its use is on the disk has used the approval up', async () => {
    const { door, broker } = await stubborn();
    const { ends } = await killed(door, broker, async (kill) => {
      while (!existsSync(door.file('state/clock'))) await new Promise((resolve) => setImmediate(resolve));
      kill();
    });
    expect(ends.slice(1).map(({ exit }) => exit)).toEqual([1, 1]);
    expect(door.uses).toBe(1);
  });

  test('A60 a reply that is cut off anywhere opens nothing, and the door fetches it again with the same claim, once', async () => {
    await eachOf(
      cuts('everywhere'),
      (cut) => `after ${cut} bytes`,
      async (cut) => {
        const { door, broker } = await stage.door();
        broker.conduct = {
          redeem: (ask) => {
            const whole = approved(ask, receipt(broker, ask));
            if (ask.times > 1) return whole;
            return (response) => {
              response.writeHead(200, { 'content-length': whole.length });
              response.write(whole.slice(0, cut), () => response.destroy());
            };
          },
        };
        expectOpen(await door.login());
        const [first, again, ...more] = broker.asks;
        expect(more).toEqual([]);
        expect([again?.bound.digest, again?.claim]).toEqual([first?.bound.digest, first?.claim]);
        expect(Object.keys(door.spent())).toEqual([first?.bound.digest]);
        expect(door.uses).toBe(1);
      },
      12,
    );
  });

  test('A60 a cut reply that looks whole to HTTP opens nothing, and the next login opens at most once', async () => {
    await eachOf(
      cuts('ends of lines'),
      (cut) => `after ${cut} bytes`,
      async (cut) => {
        const { door, broker } = await stage.door();
        broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)).slice(0, cut) };
        expectShut(await door.login(), /^(bad-reply|no-receipt)$/);
        expect(door.uses).toBe(0);
        broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
        expectOpen(await door.login());
        expect(door.uses).toBe(1);
      },
    );
  });
});

/** Where to cut a reply with one receipt: at the ends of its lines, or on both sides of them and in between as well. */
function cuts(where: 'ends of lines' | 'everywhere'): number[] {
  const places: number[] = [];
  // The lengths of all its lines but some of the armor are the same in every reply.
  const sample = approved(
    SAMPLE,
    receipt({ fingerprint: `SHA256:${'A'.repeat(43)}` as Fingerprint }, SAMPLE),
  );
  for (let at = 0; at < sample.length - 1; at += 1) {
    if (sample[at] === '\n') places.push(at + 1);
    else if (where === 'everywhere' && (sample[at + 1] === '\n' || at % 64 === 0)) places.push(at);
  }
  return places;
}

const SAMPLE: Ask = {
  id: '0'.repeat(26) as Ask['id'],
  watch: 'A'.repeat(43) as Ask['watch'],
  bound: parseDocument({
    action: 'ssh.login',
    context: {},
    details: {},
    door: 'host:web-1.example.com',
    duration: 0,
    nonce: '0'.repeat(32),
    requester: 'alice',
    resource: 'web-1',
    version: 1,
  }),
  statement: { statement: '', armor: '' },
  claim: '0'.repeat(32),
  times: 1,
};
