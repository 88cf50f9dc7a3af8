import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Authority, json, makeAuthority, status, TestReceiver } from '../broker/webhooks/receiver.js';
import { countersign } from './programs.js';
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
      ['request', '--action', 'demo.try', '--resource', 'x', '--door', 'demo', '--requester', 'demo'],
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
