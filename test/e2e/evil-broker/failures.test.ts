import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { type Configuration, type Door, expectOpen, expectShut } from './door.js';
import { type Ask, approved, type EvilBroker, type Reply, reply } from './evil-broker.js';
import { inSeconds, receipt } from './people.js';
import { onMachine } from './stage.js';

const html = (status: number) => (response: import('node:http').ServerResponse) => {
  response.writeHead(status, { 'content-type': 'text/html', connection: 'close' }).end('<h1>Error</h1>');
};

onMachine('A door whose broker or disk fails', (stage) => {
  async function shutWith(code: string | RegExp, config: Configuration, make?: (ask: Ask) => Reply) {
    const { door, broker } = await stage.door({ config });
    if (make !== undefined) broker.conduct = { submit: make, redeem: make };
    const end = await door.login();
    expectShut(end, code);
    expect(door.uses).toBe(0);
    return { end, broker };
  }

  test('A41 a broker that is down, nowhere, silent or not one keeps the door shut', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const closed = await stage.broker();
    await closed.stop();
    const places: [string, Configuration, string][] = [
      ['down', { broker: `http://127.0.0.1:9` }, 'connected'],
      ['silent', { broker: `http://127.0.0.1:${portOf(silent)}` }, 'time'],
      ['not in DNS', { broker: 'https://countersign.invalid' }, 'resolved'],
      ['no TLS', { broker: `https://127.0.0.1:${portOf(silent)}` }, 'time'],
      ['no socket', { broker: `unix:${join(stage.machine.directory, 'nothing')}` }, 'connected'],
    ];
    await eachOf(
      places,
      ([name]) => name,
      async ([, config, words]) => {
        const { end } = await shutWith('unreachable', config);
        expect(end.output).toContain(words);
      },
    );
    silent.close();
  });

  test('A41 a broker that answers with errors keeps the door shut', async () => {
    const table: [string, (ask: Ask) => Reply, string][] = [
      ['500', () => html(500), 'bad-reply'],
      ['502', () => html(502), 'unreachable'],
      ['503', () => html(503), 'unreachable'],
      ['504', () => html(504), 'unreachable'],
      ['404', () => html(404), 'bad-reply'],
      ['200 with HTML', () => html(200), 'bad-reply'],
      ['204', () => (response) => response.writeHead(204).end(), 'bad-reply'],
      ['hangs up', () => (response) => response.destroy(), 'unreachable'],
      ['draining', () => reply('error', null, [], { code: 'draining' }), 'unreachable'],
      ['forbidden', () => reply('error', null, [], { code: 'forbidden' }), 'forbidden'],
    ];
    await eachOf(
      table,
      ([name]) => name,
      ([, make, code]) => shutWith(code, { wait: '2' }, make).then(() => {}),
    );
  });

  test('A41 a broker that never decides keeps the door shut until the wait ends, and the next login claims the approval', async () => {
    const { door, broker } = await stage.door({ config: { wait: '2' } });
    broker.conduct = { redeem: (ask) => reply('pending', ask) };
    expectShut(await door.login(), 'waiting');
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    expectOpen(await door.login());
    const [first, second] = broker.asks;
    expect([second?.claim, second?.bound.digest]).toEqual([first?.claim, first?.bound.digest]);
  });

  test('A41 an ask of yesterday evening is claimed after midnight', async () => {
    const { door, broker } = await stage.door({ config: { wait: '2' } });
    broker.conduct = { redeem: (ask) => reply('pending', ask) };
    expectShut(await door.login(), 'waiting');
    const today = Math.floor(Date.now() / 86_400_000);
    execFileSync(
      'sh',
      [
        '-c',
        'for kind in asks run spent; do mv "$kind/$0" "$kind/$1"; done',
        String(today),
        String(today - 1),
      ],
      { cwd: door.file('state') },
    );
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    expectOpen(await door.login());
    expect(broker.asks[1]?.claim).toBe(broker.asks[0]?.claim);
    expect(broker.asks[1]?.bound.digest).toBe(broker.asks[0]?.bound.digest);
    expectOpen(await door.login());
    expect(broker.asks.at(-1)?.bound.digest).not.toBe(broker.asks[0]?.bound.digest);
  });

  test('A41 a full disk keeps the door shut, at the start and when the use is recorded; with room again it opens once', async () => {
    const { door, broker } = await stage.approvedDoor();
    const state = door.file('state');
    // Mounted on the machine, and looked into through its processes.
    stage.machine.run('mount', '-t', 'tmpfs', '-o', 'mode=700,size=128k', 'tmpfs', state);
    const fill = (): void => {
      stage.machine.run('sh', '-c', 'dd if=/dev/zero of="$0/filler" bs=1k 2>/dev/null; :', state);
    };
    const empty = (): void => {
      stage.machine.run('rm', '-f', join(state, 'filler'));
    };
    expectOpen(await door.login());
    fill();
    expectShut(await door.login(), 'state-failed');
    empty();
    expectOpen(await door.login());
    const asked = broker.asks.length;
    broker.conduct = {
      redeem: (ask) => {
        const reply = approved(ask, receipt(broker, ask));
        fill();
        return reply;
      },
    };
    expectShut(await door.login(), /^(state-failed|bad-reply|bad-signature|unreachable)$/);
    expect(broker.asks.length).toBe(asked + 1);
    empty();
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    expectOpen(await door.login());
    const opened = broker.told
      .filter(({ body }) => body.includes('"opened"'))
      .map(({ ask }) => ask.bound.digest);
    expect(new Set(opened).size).toBe(opened.length);
  });

  test('A41 a disk that was full at the first use of all does not keep the door shut for ever', async () => {
    const { door, broker } = await stage.door();
    const state = door.file('state');
    stage.machine.run('mount', '-t', 'tmpfs', '-o', 'mode=700,size=64k', 'tmpfs', state);
    broker.conduct = {
      redeem: (ask) => {
        const reply = approved(ask, receipt(broker, ask));
        stage.machine.run('sh', '-c', 'dd if=/dev/zero of="$0/filler" bs=1k 2>/dev/null; :', state);
        return reply;
      },
    };
    const end = await door.login();
    expect(end.exit, end.log).toBe(1);
    stage.machine.run('rm', '-f', join(state, 'filler'));
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    expectOpen(await door.login());
  });

  test('A41 a clock that a full disk left empty at the first use of all does not keep the door shut for ever', async () => {
    const { door } = await stage.approvedDoor();
    writeFileSync(door.file('state/clock'), '');
    expectOpen(await door.login());
    expect(readFileSync(door.file('state/clock'), 'utf8')).toMatch(/^\d{12}\n$/);
  });

  test('A41 a state that cannot be written or read keeps the door shut', async () => {
    const faults: [string, (door: Door) => void][] = [
      ['a file for a directory', (door) => writeFileSync(door.file('state/spent'), '')],
      ['a file for asks', (door) => writeFileSync(door.file('state/asks'), '')],
      ['a directory for the lock', (door) => execFileSync('mkdir', [door.file('state/lock')])],
      ['a directory for the clock', (door) => execFileSync('mkdir', [door.file('state/clock')])],
      [
        'read-only',
        (door) =>
          stage.machine.run(
            'sh',
            '-c',
            'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"',
            door.file('state'),
          ),
      ],
    ];
    await eachOf(
      faults,
      ([name]) => name,
      async ([, spoil]) => {
        const { door } = await stage.approvedDoor();
        spoil(door);
        expectShut(await door.login(), /^(state-failed|clock-unknown)$/);
      },
    );
  });

  test('A41 a clock that is wrong keeps the door shut', async () => {
    // The clock of this host is an hour ahead or behind: to it, the times of honest signers are past or to come.
    const hour = 3600;
    const table: [number, string][] = [
      [-hour, 'too-late'],
      [hour, 'clock-skew'],
    ];
    for (const [shift, code] of table) {
      const { door, broker } = await stage.door();
      const times = { decided: inSeconds(shift), notAfter: inSeconds(shift + 600) };
      broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask, times)) };
      expectShut(await door.login(), code);
      expect(door.uses).toBe(0);
    }
  });
});

onMachine(
  'A door whose broker speaks TLS',
  (stage) => {
    let directory = '';
    beforeAll(() => {
      directory = stage.machine.makeDirectory();
      const make = (name: string, address: string, days: string): void => {
        const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
        const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-subj', '/CN=broker'];
        const options = { cwd: directory, stdio: 'ignore' } as const;
        execFileSync('openssl', ['req', ...key, ...files, '-addext', `subjectAltName=${address}`], options);
        const signed = ['-req', '-in', `${name}.csr`, '-signkey', `${name}.key`, '-out', `${name}.crt`];
        execFileSync('openssl', ['x509', ...signed, '-copy_extensions', 'copy', '-days', days], options);
      };
      make('good', 'IP:127.0.0.1', '1');
      make('other', 'DNS:other.example.com', '1');
      make('expired', 'IP:127.0.0.1', '-1');
    });
    const servers: Server[] = [];
    afterAll(() => {
      for (const server of servers) server.close();
    });

    /** Passes TLS on to a broker that approves everything. */
    async function tlsDoor(name: string, ca: string | null): Promise<{ door: Door; broker: EvilBroker }> {
      const read = (file: string): string =>
        execFileSync('cat', [join(directory, file)], { encoding: 'utf8' });
      const broker = await stage.broker();
      broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
      const server = createHttpsServer(
        { key: read(`${name}.key`), cert: read(`${name}.crt`) },
        broker.handle,
      );
      servers.push(server);
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const config = {
        broker: `https://127.0.0.1:${portOf(server)}`,
        ca: ca === null ? null : join(directory, `${ca}.crt`),
      };
      return await stage.door({ broker, config });
    }

    test('A41 a certificate that is not signed by the CA of the door, for another name or expired keeps it shut', async () => {
      const { door } = await tlsDoor('good', 'good');
      expectOpen(await door.login());
      const bad: [string, string | null][] = [
        ['good', null],
        ['good', 'other'],
        ['other', 'other'],
        ['expired', 'expired'],
      ];
      await eachOf(
        bad,
        ([name, ca]) => `${name} with ${ca}`,
        async ([name, ca]) => {
          const { door: shut, broker } = await tlsDoor(name, ca);
          const end = await shut.login();
          expectShut(end, 'unreachable');
          expect(end.output).toContain('TLS fails');
          expect(broker.asks).toEqual([]);
        },
      );
    });
  },
  ['openssl'],
);

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
