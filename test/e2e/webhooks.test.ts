import { randomBytes, randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openSqliteStore } from '../../broker/store/sqlite/open.js';
import { type Authority, json, makeAuthority, status, TestReceiver } from '../broker/webhooks/receiver.js';
import { BrokerProcess, countersign, until } from './programs.js';
import { ProtectedHost } from './protected-host.js';
import { RunDoor } from './run-door.js';
import { describeWith } from './tools.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const HOSTILE = 'frozen until Monday\u001b[2J\r\nPermission granted \u202e';
const SHOWN = 'cmdb refuses this: frozen until Monday<U+001B>[2J<U+000D><U+000A>Permission granted <U+202E>';

describeWith(['root', 'mount namespaces', 'sshd'], 'a validating webhook before real doors', () => {
  const door = new RunDoor();
  const { broker } = door;
  const host = new ProtectedHost(broker);
  let authority: Authority;
  let receiver: TestReceiver;

  beforeAll(async () => {
    authority = await makeAuthority();
    receiver = await TestReceiver.start(authority);
    // Whoever starts the broker may have these: they change nothing about whom it calls and whom it believes.
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const file = (name: string, text: string): string => {
      writeFileSync(join(broker.directory, name), text, { mode: 0o600 });
      return join(broker.directory, name);
    };
    const validator = `url: https://localhost:${receiver.port}/, secret-file: ${file('secret', SECRET)}, ca-file: ${file('ca.pem', authority.ca)}`;
    await door.prepare(
      ...['--webhooks', file('webhooks.yaml', `version: 1\nvalidate:\n  - { name: cmdb, ${validator} }\n`)],
    );
    vi.unstubAllEnvs();
    await host.install();
  });
  beforeEach(() => {
    receiver.received.length = 0;
    receiver.answer = json({ allowed: false, message: HOSTILE });
  });
  afterAll(async () => {
    await host.remove();
    await broker.remove();
    await receiver.stop();
  });

  const request = () =>
    countersign(
      [
        ...['request', 'command.run', '--resource', 'x', '--door', 'run:laptop', '--requester', 'alice'],
        ...['--submitter', 'run:laptop', '--key', join(broker.directory, 'run')],
      ],
      broker.env,
    ).outcome;

  test('has its refusal read by who asks, as text and nothing more, and nothing runs', async () => {
    const { code, stdout, stderr } = await door.run(['echo', 'never']);
    expect([code, stdout]).toEqual([121, '']);
    expect(stderr).toContain(SHOWN);
    expect(stderr).not.toMatch(/\u001b|\u202e|\r/);

    const asked = await request();
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain(SHOWN);
    expect(asked.stderr).toContain('hint: a check of your organisation refuses it');
  });

  test('holds a login at once, with a word for why and nothing that it wrote', async () => {
    const { code, stdout, stderr } = await host.ssh('echo never').outcome;
    expect(code).toBe(255);
    expect(stdout).not.toContain('never');
    expect(stdout + stderr + host.sshdLog).not.toContain('frozen');
    expect(receiver.received).toHaveLength(1);
    expect(stdout + stderr).toContain('the broker refuses: validation-refused');
  });

  test.each([
    ['answers with an error', 'it answers with HTTP 500', status(500)],
    ['answers with a redirect to a yes', 'it answers with HTTP 302', status(302, { location: '/yes' })],
    [
      'drops the connection',
      /no connection|the connection failed/,
      (response: { destroy(): void }) => void response.destroy(),
    ],
  ])('A41: keeps shut where it %s', async (_what, why, answer) => {
    receiver.answer = answer;
    const { code, stdout, stderr } = await door.run(['echo', 'never']);
    expect([code, stdout]).toEqual([121, '']);
    expect(stderr).toMatch(why);
    expect(stderr).toContain('cmdb must allow this');
  });

  test('A41: keeps a login shut where it takes too long', async () => {
    receiver.answer = () => {};
    const { code, stdout, stderr } = await host.ssh('echo never').outcome;
    expect(code).toBe(255);
    expect(stdout + stderr).toContain('the broker refuses: validation-unavailable');
  });

  test('that allows it lets approvers decide, and they alone', async () => {
    receiver.answer = json({ allowed: true });
    expect(await door.approved(['echo', 'approved'])).toMatchObject({ code: 0, stdout: 'approved\n' });
  });
});

/** How often the broker is killed. */
const KILLS = 4;

test(`every event arrives, in order within a request, across ${KILLS} kill -9 and the whims of its receiver`, async () => {
  const broker = new BrokerProcess();
  const authority = await makeAuthority();
  const receiver = await TestReceiver.start(authority);
  // By the number of the call: an error, a connection that breaks before the answer, and one that breaks within it.
  const whims = new Map<number, TestReceiver['answer']>([
    [3, status(500)],
    [9, (response) => void response.destroy()],
    [
      15,
      (response) =>
        void response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy()),
    ],
  ]);
  receiver.answer = (response, received) =>
    (whims.get(receiver.received.length) ?? status(204))(response, received);
  const write = (name: string, text: string): string => {
    writeFileSync(join(broker.directory, name), text, { mode: 0o600 });
    return join(broker.directory, name);
  };
  try {
    await broker.enrol('bob');
    const limits = ['--action', '*', '--resource', '*', '--door', '*', '--requester', '*'];
    const token = (await broker.must('submitter', 'add', 'load', '--token', ...limits)).trim();
    const siem = `name: siem, url: "https://localhost:${receiver.port}/", secret-file: ${write('secret', SECRET)}, ca-file: ${write('ca.pem', authority.ca)}`;
    const flags = ['--webhooks', write('webhooks.yaml', `version: 1\nwebhooks: [ { ${siem} } ]\n`)];

    for (let kill = 0; kill < KILLS; kill += 1) {
      await broker.start(...flags);
      const killAfter = randomInt(5, 40);
      let answered = 0;
      let killed: Promise<unknown> | null = null;
      const ask = async (): Promise<void> => {
        while (killed === null) {
          await livedOnce(broker.address, token).catch(() => {});
          answered += 1;
          if (answered >= killAfter) killed ??= broker.signal('SIGKILL');
        }
      };
      await Promise.all([ask(), ask(), ask(), ask()]);
      await killed;
    }
    await broker.start(...flags);
    await until(async () => {
      const metrics = await (await fetch(`${broker.address}/metrics`)).text();
      return metrics.includes('countersign_outbox_waiting{sink="webhook:siem"} 0\n');
    });
    await broker.signal('SIGTERM');

    const store = await openSqliteStore({ directory: broker.data, clock: Date.now, random: randomBytes });
    const log = (await store.events({ after: 0, limit: 5000 })).filter(({ kind }) =>
      kind.startsWith('request.'),
    );
    await store.close();
    const taken = receiver.received.map(({ body, headers }) => ({ data: JSON.parse(body).data, headers }));
    const seqs = new Set(taken.map(({ data }) => data.seq));
    expect(log.length).toBeGreaterThan(KILLS * 5);
    expect(log.filter(({ seq }) => !seqs.has(seq))).toEqual([]);
    expect(new Set(taken.map(({ headers }) => headers['webhook-id'])).size).toBe(seqs.size);
    const newest = new Map<string, Set<number>>();
    for (const { data } of taken) {
      const before = newest.get(data.request) ?? new Set();
      if (data.request !== null && !before.has(data.seq))
        expect(data.seq).toBeGreaterThan(Math.max(0, ...before));
      newest.set(data.request, before.add(data.seq));
    }
  } finally {
    await broker.remove();
    await receiver.stop();
  }
}, 120_000);

/** Asks for something, and takes it back: two events. */
async function livedOnce(address: string, token: string): Promise<void> {
  const document = {
    ...{ action: 'load.test', context: {}, details: {}, door: 'load', duration: 0, version: 1 },
    nonce: randomBytes(16).toString('hex'),
    requester: `user-${randomBytes(8).toString('hex')}`,
    resource: `resource ${randomInt(1000)}`,
  };
  const call = async (method: string, path: string, bearer: string, body?: object) => {
    const headers = {
      authorization: `Bearer ${bearer}`,
      ...(body && { 'content-type': 'application/json' }),
    };
    const reply = await fetch(address + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return reply.json() as Promise<{ id: string; watch: string }>;
  };
  const { id, watch } = await call('POST', '/v1/requests', token, { document });
  await call('DELETE', `/v1/requests/${id}?cancel=now`, watch);
}
