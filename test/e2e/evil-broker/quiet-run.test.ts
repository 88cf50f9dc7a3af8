import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { type Ask, approved, type EvilBroker, type Reply, reply } from './evil-broker.js';
import { keys, receipt } from './people.js';
import { onMachine } from './stage.js';

onMachine('A run of the hook, seen from beside', (stage) => {
  const genuine = (broker: EvilBroker) => (ask: Ask) => approved(ask, receipt(broker, ask));

  /** All files of a directory, those of directories below it included. */
  const filesOf = (directory: string): string[] =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  test('shows its claim and its token in no list of processes', async () => {
    const { door, broker } = await stage.door();
    let seen = '';
    broker.conduct = {
      redeem: (ask) => {
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
          for (const file of ['cmdline', 'environ']) seen += readIfThere(`/proc/${pid}/${file}`);
        return genuine(broker)(ask);
      },
    };
    expectOpen(await door.login());
    expect(seen).toContain('curl');
    for (const secret of [broker.ask.claim, broker.ask.watch, broker.ask.statement.armor])
      expect(seen).not.toContain(secret);
  });

  test('keeps its state to itself, and leaves none of its private files behind', async () => {
    const { door, broker } = await stage.door();
    broker.conduct = { redeem: genuine(broker) };
    expectOpen(await door.login());
    broker.conduct = {};
    expectShut(await door.login(), 'no-receipt');
    await expect.poll(() => filesOf(door.file('state/run'))).toEqual([]);
    const files = filesOf(door.file('state'));
    expect(files).not.toEqual([]);
    for (const file of files) expect(statSync(file).mode & 0o077, file).toBe(0);
  });

  test('ends with an error at any signal, whatever the broker says then', async () => {
    await eachOf(
      ['SIGHUP', 'SIGTERM', 'SIGALRM', 'SIGUSR1', 'SIGXCPU'] as const,
      (signal) => signal,
      async (signal) => {
        const { door, broker } = await stage.door();
        const asked = Promise.withResolvers<void>();
        const killed = Promise.withResolvers<void>();
        broker.conduct = {
          redeem: async (ask) => {
            asked.resolve();
            await killed.promise;
            return genuine(broker)(ask);
          },
        };
        const running = door.start();
        await asked.promise;
        process.kill(await running.pid, signal);
        const end = running.end.finally(killed.resolve);
        expect((await end).exit).not.toBe(0);
        expect(door.uses).toBe(0);
      },
    );
  });

  test('lets everybody in while it only observes, and never says that it opened', async () => {
    const replies: [string, (broker: EvilBroker) => (ask: Ask) => Reply][] = [
      ['approved', genuine],
      ['forged', (broker) => (ask) => approved(ask, receipt(broker, ask, { key: keys.stranger }))],
      ['nobody signed', () => (ask) => approved(ask)],
      ['denied', () => (ask) => reply('denied', ask)],
      ['pending', () => (ask) => reply('pending', ask)],
      ['garbage', () => () => '\0'],
      ['silence', () => () => () => {}],
    ];
    await eachOf(
      replies,
      ([name]) => name,
      async ([name, make]) => {
        const { door, broker } = await stage.door({ config: { mode: 'observe' } });
        broker.conduct = { submit: make(broker) };
        const { exit, output, log } = await door.login();
        expect({ exit, output }).toEqual({ exit: 0, output: '' });
        expect(log).toContain(name === 'approved' ? 'enforce would exit 0' : 'enforce would exit ');
        if (name !== 'approved') expect(log).not.toContain('enforce would exit 0');
        expect(broker.told.filter(({ body }) => body.includes('opened'))).toEqual([]);
      },
    );
    // An error of its own set-up is none of the broker's doing.
    const { door } = await stage.door({ config: { mode: 'observe', people: '0' } });
    expectShut(await door.login(), 'bad-config');
  });
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
