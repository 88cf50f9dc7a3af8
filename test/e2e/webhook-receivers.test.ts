import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutgoingMessage } from '../../broker/outbox/sender.js';
import { WebhookSender } from '../../broker/webhooks/webhook-sender.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { type Received, TestReceiver } from '../broker/webhooks/receiver.js';
import { type RunningProgram, start, until } from './programs.js';
import { Readme } from './readme/blocks.js';
import { describeWith } from './tools.js';

const SECTION = 'Send events to your SIEM or chat';
const KEYS = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;
const BROKER = `SHA256:${'a'.repeat(43)}` as Fingerprint;
const directory = mkdtempSync(join(tmpdir(), 'countersign-receivers-'));
const MINUTE = 60_000;

/** What the broker sends, with these secrets, to somebody on this port, by this clock. */
const sender = (port: number, secrets: readonly Buffer[], clock: () => number = Date.now): WebhookSender =>
  new WebhookSender(
    {
      name: 'siem',
      url: new URL(`http://127.0.0.1:${port}/`),
      secrets,
      ca: null,
      timeout: 5_000,
      events: ['*'],
    },
    () => BROKER,
    clock,
  );
const message = (seq: number): OutgoingMessage => ({
  ...{ key: `f00d-${seq}`, epoch: 'f00d', seq, at: Date.now(), kind: 'requester.unlocked', request: null },
  ...{ body: JSON.stringify({ approver: 'bob', requester: `user-${seq}` }), subject: null, attempt: 1 },
});
const send = async (by: WebhookSender, seq: number): Promise<string> => {
  const sent = await by.send(message(seq), new AbortController().signal);
  return sent.outcome === 'taken' ? 'taken' : sent.why;
};

function write(name: string, text: string): string {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
  return join(directory, name);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const secretFile = (): string =>
  write('secret', KEYS.map((key) => `whsec_${key.toString('base64')}\n`).join(''));

afterAll(() => rmSync(directory, { recursive: true }));

describeWith(['python3'], 'the receiver of the README', () => {
  let program: RunningProgram;
  let port = 0;

  beforeAll(async () => {
    port = await freePort();
    program = start('python3', [
      write('receive.py', new Readme().take(SECTION, 'python')),
      secretFile(),
      String(port),
    ]);
    await until(async () => !(await send(sender(port, KEYS), 1)).includes('ECONNREFUSED'));
  });
  afterAll(async () => {
    program.child.kill('SIGKILL');
    await program.outcome;
  });

  test('A29: takes what is signed with one of its secrets, and prints each event once', async () => {
    expect(await send(sender(port, [KEYS[0]]), 2)).toBe('taken');
    expect(await send(sender(port, [KEYS[1]]), 2)).toBe('taken');
    expect(await send(sender(port, [Buffer.alloc(32, 9), KEYS[1]]), 3)).toBe('taken');
    await until(() => program.said.stdout.includes('user-3'));
    expect(program.said.stdout).toBe(
      'Unlocked by bob: user-1\nUnlocked by bob: user-2\nUnlocked by bob: user-3\n',
    );
  });

  test.each([
    ['with another secret', [Buffer.alloc(32, 9)], Date.now],
    ['five minutes late', KEYS, () => Date.now() - 6 * MINUTE],
    ['from the future', KEYS, () => Date.now() + 6 * MINUTE],
  ])('A29: refuses what is sent %s', async (_what, keys, clock) => {
    expect(await send(sender(port, keys, clock), 4)).toBe('it answers with HTTP 401');
    expect(program.said.stdout).not.toContain('user-4');
  });
});

describeWith(['openssl', 'od'], 'the check of the README in a shell', () => {
  let taken: Received;
  const check = (
    change: Partial<{ body: string; id: string; timestamp: string; signatures: string }> = {},
  ): number => {
    const script = write('verify.sh', new Readme().take(SECTION, 'bash'));
    const { headers } = taken;
    const body = write('body', change.body ?? taken.body);
    const [id = '', timestamp = '', signatures = ''] = [
      change.id ?? headers['webhook-id'],
      change.timestamp ?? headers['webhook-timestamp'],
      change.signatures ?? headers['webhook-signature'],
    ];
    try {
      execFileSync('bash', [script, secretFile(), body, id, timestamp, signatures], { stdio: 'pipe' });
      return 0;
    } catch (error) {
      return (error as { status: number }).status;
    }
  };
  const delivered = async (secrets: readonly Buffer[], clock = Date.now): Promise<void> => {
    const receiver = await TestReceiver.start(null);
    await send(sender(receiver.port, secrets, clock), 1);
    taken = receiver.received[0] as Received;
    await receiver.stop();
  };

  test('A29: finds a delivery good, also while the secret is changed, and every change of it bad', async () => {
    await delivered([KEYS[0]]);
    expect(check()).toBe(0);
    expect(check({ body: `${taken.body} ` })).toBe(1);
    expect(check({ id: 'f00d-2' })).toBe(1);
    expect(check({ timestamp: String(Number(taken.headers['webhook-timestamp']) - 1) })).toBe(1);
    expect(check({ signatures: 'v1,AAAA' })).toBe(1);
    await delivered([KEYS[1], KEYS[0]]);
    expect(check()).toBe(0);
  });

  test('A29: finds one bad that is six minutes old', async () => {
    await delivered([KEYS[0]], () => Date.now() - 6 * MINUTE);
    expect(check()).toBe(1);
  });
});
