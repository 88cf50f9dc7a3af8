import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Validator } from '../../../broker/webhooks/configuration.js';
import { type NewAsk, type Validated, Validators } from '../../../broker/webhooks/validation.js';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import { parseDocument } from '../../../src/protocol/document.js';
import type { Name } from '../../../src/protocol/names.js';
import type { Problem } from '../../../src/protocol/problems.js';
import { NOON } from '../test-broker.js';
import { type Authority, json, makeAuthority, type Received, TestReceiver } from './receiver.js';

const bound = parseDocument({
  action: 'ssh.login',
  context: { reason: 'INC-4312' },
  details: {},
  door: 'host:web-1',
  duration: 0,
  nonce: '0'.repeat(32),
  requester: 'alice',
  resource: 'web-1',
  version: 1,
});
const ASK: NewAsk = { bound, submitter: 'host:web-1' as Name, verified: null };
let authority: Authority;
let receiver: TestReceiver;
let validators: Validators;
let told: (readonly [string, Validated, string | null])[] = [];

const validator = (change: Partial<Validator> = {}): Validator => ({
  name: 'cmdb',
  url: new URL(`https://localhost:${receiver.port}/`),
  secrets: [Buffer.alloc(32, 1)],
  ca: authority.ca,
  timeout: 2_000,
  actions: ['*'],
  ...change,
});
const made = (...all: readonly Validator[]): Validators =>
  new Validators(all, {
    clock: () => NOON,
    random: (count) => Buffer.alloc(count, 9),
    onAnswer: (name, outcome, why) => told.push([name, outcome, why]),
  });
const outcome = (ask = ASK): Promise<string> =>
  validators.check(ask).then(
    (names) => `allowed by ${names.join(' and ')}`,
    (error: Problem) => `${error.code}: ${error.message}`,
  );

beforeAll(async () => {
  authority = await makeAuthority();
});
beforeEach(async () => {
  told = [];
  receiver = await TestReceiver.start(authority);
  validators = made(validator());
});
afterEach(async () => {
  validators.close();
  await receiver.stop();
});

describe('who validates', () => {
  test('is asked with the document as it is signed, and who brings it', async () => {
    receiver.answer = json({ allowed: true });
    const verified = '{"claims":{"ref":"refs/heads/main"},"issuer":"https://ci.example.com"}';
    expect(await outcome({ ...ASK, verified })).toBe('allowed by cmdb');
    const { headers, body } = receiver.received[0] as Received;
    expect(JSON.parse(body)).toEqual({
      type: 'request.validate',
      timestamp: '2026-01-31T12:00:00Z',
      data: {
        document: bound.document,
        digest: bound.digest,
        submitter: 'host:web-1',
        verified: JSON.parse(verified),
      },
    });
    const [, document = ''] = /"document":(.*?),"digest"/.exec(body) ?? [];
    expect(sha256Digest(document)).toBe(bound.digest);
    expect(headers).toMatchObject({ 'webhook-id': `validation-${'09'.repeat(16)}` });
    expect(headers['webhook-signature']).toMatch(/^v1,/);
    expect(told).toEqual([['cmdb', 'allowed', null]]);
  });

  test('refuses with a message, of which nothing reaches a terminal or a log but text', async () => {
    receiver.answer = json({
      allowed: false,
      message: 'no change\u001b[2J\r\nroot:\u202e frozen until Monday',
    });
    expect(await outcome()).toBe(
      'validation-refused: cmdb refuses this: no change<U+001B>[2J<U+000D><U+000A>root:<U+202E> frozen until Monday',
    );
    expect(told).toEqual([['cmdb', 'refused', expect.stringMatching(/^no change<U\+001B>/)]]);
  });

  test('is asked about its actions only', async () => {
    validators.close();
    validators = made(validator({ actions: ['sudo.*'] }));
    expect(validators.isAskedFor('ssh.login' as Name)).toBe(false);
    expect(validators.isAskedFor('sudo.run' as Name)).toBe(true);
    expect(await outcome()).toBe('allowed by ');
    expect(receiver.received).toEqual([]);
  });

  test('must allow it each, where there are several', async () => {
    validators.close();
    validators = made(
      validator(),
      validator({ name: 'freeze', url: new URL(`https://localhost:${receiver.port}/freeze`) }),
    );
    receiver.answer = json({ allowed: true });
    expect(await outcome()).toBe('allowed by cmdb and freeze');
    receiver.answer = (response, received) =>
      json(received.path === '/' ? { allowed: true } : { allowed: false, message: 'frozen' })(
        response,
        received,
      );
    expect(await outcome()).toBe('validation-refused: freeze refuses this: frozen');
  });
});

describe('A41: whatever is no clear yes is a no', () => {
  const NEITHER = 'its answer is neither {"allowed":true} nor {"allowed":false,"message":"WHY"}';
  test.each([
    ['{"allowed":"true"}', NEITHER],
    ['{"allowed":1}', NEITHER],
    ['{"allowed":true,"message":"but"}', NEITHER],
    ['{"allowed":true,"allowed":false}', 'its answer is not JSON'],
    ['{"allowed":false}', NEITHER],
    ['{"allowed":false,"message":""}', NEITHER],
    [`{"allowed":false,"message":"${'x'.repeat(501)}"}`, NEITHER],
    ['true', NEITHER],
    ['[]', NEITHER],
    ['', 'its answer is not JSON'],
    ['<html>', 'its answer is not JSON'],
    [`{"allowed":true${' '.repeat(9000)}}`, 'its answer is cut off or too long'],
  ])('the answer %j', async (text, why) => {
    receiver.answer = (response) => response.writeHead(200).end(text);
    expect(await outcome()).toBe(`validation-unavailable: cmdb must allow this, and cannot be asked: ${why}`);
    expect(told).toEqual([['cmdb', 'unavailable', why]]);
  });

  test.each([201, 204, 302, 401, 410, 429, 500, 503])('HTTP %i, whatever stands in it', async (code) => {
    receiver.answer = (response) =>
      response.writeHead(code, { location: '/' }).end(code === 204 ? undefined : '{"allowed":true}');
    expect(await outcome()).toBe(
      `validation-unavailable: cmdb must allow this, and cannot be asked: it answers with HTTP ${code}`,
    );
  });

  test('a yes of somebody with another certificate', async () => {
    receiver.answer = json({ allowed: true });
    validators.close();
    validators = made(validator({ ca: (await makeAuthority()).ca }));
    expect(await outcome()).toMatch(/^validation-unavailable: .*its certificate is not trusted/);
    expect(receiver.received).toEqual([]);
  });

  test('a yes that comes too late, is cut off, or never comes', async () => {
    validators.close();
    validators = made(validator({ timeout: 100 }));
    receiver.answer = () => {};
    expect(await outcome()).toMatch(/^validation-unavailable: .*no answer within 0.1 s$/);
    receiver.answer = (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"allowed":true}');
      setImmediate(() => response.destroy());
    };
    expect(await outcome()).toMatch(/its answer is cut off or too long$/);
    await receiver.stop();
    expect(await outcome()).toMatch(/^validation-unavailable: .*no connection \(ECONNREFUSED\)$/);
    receiver = await TestReceiver.start(authority);
  });

  test('a broker that stops', async () => {
    receiver.answer = () => validators.close();
    expect(await outcome()).toMatch(/^validation-unavailable: /);
  });
});

test('A32: one submitter who asks for much waits for his own turn, and keeps nobody else from an answer', async () => {
  const held: (() => void)[] = [];
  let most = 0;
  receiver.answer = (response, received) => {
    if (received.body.includes('"submitter":"ci"')) return json({ allowed: true })(response, received);
    held.push(() => json({ allowed: true })(response, received));
    most = Math.max(most, held.length);
    return undefined;
  };
  const flood = Array.from({ length: 20 }, () => outcome());
  expect(await outcome({ ...ASK, submitter: 'ci' as Name })).toBe('allowed by cmdb');
  let answered = 0;
  const all = Promise.all(flood).then((outcomes) => {
    answered = outcomes.length;
    return outcomes;
  });
  while (answered === 0) {
    for (const answer of held.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(new Set(await all)).toEqual(new Set(['allowed by cmdb']));
  expect(most).toBeLessThanOrEqual(4);
});

test('A32: one who hangs keeps nobody from an answer of another, for the same submitter', async () => {
  validators.close();
  validators = made(
    validator({
      name: 'hanging',
      url: new URL(`https://localhost:${receiver.port}/hang`),
      actions: ['ssh.*'],
    }),
    validator({ actions: ['sudo.*'] }),
  );
  receiver.answer = (response, received) =>
    received.path === '/hang' ? undefined : json({ allowed: true })(response, received);
  const stuck = Array.from({ length: 8 }, () => outcome());
  const sudo = parseDocument({ ...bound.document, action: 'sudo.run' });
  expect(await outcome({ ...ASK, bound: sudo })).toBe('allowed by cmdb');
  validators.close();
  expect(new Set(await Promise.all(stuck))).toEqual(
    new Set(['validation-unavailable: hanging must allow this, and cannot be asked: the broker stops']),
  );
});
