import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../broker/store/sqlite/open.js';
import { verifyChain } from '../../src/protocol/event-log.js';
import type { RequestId } from '../../src/protocol/names.js';
import { BrokerProcess, countersign, until } from './programs.js';
import { wholeLog } from './whole-log.js';

let broker: BrokerProcess;
let token: string;
beforeEach(async () => {
  broker = new BrokerProcess();
  await broker.enrol('bob');
  const limits = ['--action', 'load.*', '--resource', '*', '--door', 'load', '--requester', '*'];
  token = (await broker.must('submitter', 'add', 'load', '--token', ...limits)).trim();
});
afterEach(() => broker.remove());

interface Reply {
  readonly id: RequestId;
  readonly watch: string;
  readonly attention: string;
}

/** Calls the broker; too many calls are tried again. */
async function call(method: string, path: string, bearer: string, body?: object): Promise<Reply> {
  for (;;) {
    const response = await fetch(broker.address + path, {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return (await response.json()) as Reply;
    if (response.status !== 429) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }
}

const submit = (): Promise<Reply> =>
  call('POST', '/v1/requests', token, {
    document: {
      action: 'load.test',
      context: { filler: 'x'.repeat(2000) },
      details: {},
      door: 'load',
      duration: 0,
      nonce: randomBytes(16).toString('hex'),
      // Of one requester only so many may be pending.
      requester: `user-${randomInt(1000)}`,
      resource: `resource ${randomInt(1000)}`,
      version: 1,
    },
  });

test('a back-up that is made under load holds all that was acknowledged before, and can be restored elsewhere', async () => {
  await broker.start();
  const acknowledged = new Map<RequestId, 'pending' | 'cancelled'>();
  let goesOn = true;
  const asker = async (): Promise<void> => {
    while (goesOn) {
      const { id, watch } = await submit();
      acknowledged.set(id, 'pending');
      if (randomInt(3) === 0) continue;
      await call('DELETE', `/v1/requests/${id}?cancel=now`, watch);
      acknowledged.set(id, 'cancelled');
    }
  };
  const load = Promise.all(Array.from({ length: 6 }, asker));
  await until(() => acknowledged.size > 100);
  const before = new Map(acknowledged);
  const file = join(broker.directory, 'copy.db');
  const held = JSON.parse(await broker.must('backup', file, '--json'));
  goesOn = false;
  await load;
  expect(acknowledged.size).toBeGreaterThan(before.size);

  const elsewhere = join(broker.directory, 'elsewhere');
  const restored = JSON.parse(await broker.must('restore', file, '--dir', elsewhere, '--json'));
  expect(restored).toMatchObject({ seq: held.seq, head: held.head, requests: held.requests, aside: null });
  const store = await openSqliteStore({ directory: elsewhere, clock: Date.now, random: randomBytes });
  const log = await wholeLog(store);
  expect(verifyChain(log)).toBeNull();
  expect(log[held.seq]).toMatchObject({ kind: 'store.restored', previous: held.head });
  expect(store.live()).toEqual([]);
  const submitted = new Set(
    log.filter(({ kind }) => kind === 'request.submitted').map(({ request }) => request),
  );
  const cancelled = new Set(
    log
      .slice(0, held.seq)
      .filter(({ kind }) => kind === 'request.cancelled')
      .map(({ request }) => request),
  );
  for (const [id, word] of before) {
    expect([id, submitted.has(id)]).toEqual([id, true]);
    if (word === 'cancelled') expect([id, cancelled.has(id)]).toEqual([id, true]);
  }
  await store.close();
}, 120_000);

test('keys go into a file of their own, which puts the same broker up elsewhere', async () => {
  await broker.start();
  const { fingerprint } = broker;
  await broker.signal('SIGTERM');
  const [file, keys] = [join(broker.directory, 'copy.db'), join(broker.directory, 'keys.tar')];
  const said = JSON.parse(await broker.must('backup', file, '--keys', keys, '--json'));
  expect(said).toMatchObject({ file, keys: { file: keys, names: expect.arrayContaining(['broker.key']) } });
  expect(statSync(keys).mode & 0o777).toBe(0o600);
  const names = execFileSync('tar', ['-tf', keys], { encoding: 'utf8' }).trim().split('\n');
  expect(names).toEqual(expect.arrayContaining(['broker.key', 'broker.key.pub']));
  expect(names.filter((name) => /db|lock|sock/.test(name))).toEqual([]);
  const again = await countersign(['backup', '--keys', keys], broker.env).outcome;
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('exists already')]);

  rmSync(broker.data, { recursive: true });
  const restored = await countersign(['restore', file], broker.env).outcome;
  expect([restored.code, restored.stderr]).toEqual([0, expect.stringContaining('there is no broker.key')]);
  execFileSync('tar', ['-xpf', keys, '-C', broker.data]);
  await broker.start();
  expect(broker.fingerprint).toBe(fingerprint);
  expect((await submit()).attention).toBe('unattended');
});

test('a restore is refused while the broker runs, and is told by status until somebody takes note', async () => {
  await broker.start();
  await submit();
  const file = join(broker.directory, 'copy.db');
  await broker.must('backup', file);
  const refused = await countersign(['restore', file], broker.env).outcome;
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is in use')]);
  await broker.signal('SIGTERM');
  expect(await broker.must('restore', file)).toMatch(/requests +1, of them 1 ended now/);
  await broker.start();
  expect(await broker.must('status')).toMatch(/restored +.* from a back-up of .*; requests ended: 1/);
});

test('a notification that was cut off by a kill -9 comes again after the start', async () => {
  const told = join(broker.directory, 'told');
  const command = join(broker.directory, 'notify');
  // The first run hangs; it outlives its broker, so the test ends it.
  writeFileSync(
    command,
    `#!/bin/bash
read -r document
first=no; [[ -e ${told} ]] || first=yes
printf '%s %s %s\\n' "$$" "$COUNTERSIGN_ID" "\${document:0:10}" >> ${told}
[[ $first == no ]] || exec sleep 100
`,
  );
  chmodSync(command, 0o755);
  process.env.COUNTERSIGN_NOTIFY_COMMAND = command;
  try {
    await broker.start();
    const { id, attention } = await submit();
    expect(attention).toBe('notified');
    const lines = () => (existsSync(told) ? readFileSync(told, 'utf8').trimEnd().split('\n') : []);
    await until(() => lines().length === 1);
    await broker.signal('SIGKILL');
    process.kill(Number(lines()[0]?.split(' ')[0]), 'SIGKILL');
    await broker.start();
    await until(() => lines().length === 2);
    expect(lines().map((line) => line.split(' ').slice(1))).toEqual([
      [id, '{"action":'],
      [id, '{"action":'],
    ]);
    await until(() => broker.log.includes('"event":"notified"'));
  } finally {
    delete process.env.COUNTERSIGN_NOTIFY_COMMAND;
  }
});
