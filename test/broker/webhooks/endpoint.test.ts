import { createHmac } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Receiver } from '../../../broker/webhooks/configuration.js';
import { type Answer, Endpoint } from '../../../broker/webhooks/endpoint.js';
import { sentBy } from '../../../broker/webhooks/webhook-sender.js';
import { NOON } from '../test-broker.js';
import { type Authority, json, makeAuthority, status, TestReceiver } from './receiver.js';

const SECRET = Buffer.alloc(32, 1);
const LETTER = { id: 'f00d-1', body: '{"type":"ping"}' };
const NEVER = new AbortController().signal;
const open: Endpoint[] = [];
let authority: Authority;
let other: Authority;
let receiver: TestReceiver;

const endpoint = (change: Partial<Receiver> = {}): Endpoint => {
  const url = new URL(`https://localhost:${receiver.port}/in?key=hunter2`);
  const made = new Endpoint(
    { name: 'siem', url, secrets: [SECRET], ca: authority.ca, timeout: 5_000, ...change },
    () => NOON,
  );
  open.push(made);
  return made;
};
const why = (made: Endpoint): Promise<string> =>
  made.post(LETTER, NEVER).then(
    ({ status }) => `answered ${status}`,
    (error: Error) => error.message,
  );

/** What comes of a call, in 0.1 s, of somebody who says so to a socket. */
async function answerTo(says: (socket: Socket) => void): Promise<Answer> {
  const talking = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => says(socket));
  });
  await new Promise<void>((resolve) => talking.listen(0, '127.0.0.1', resolve));
  const { port } = talking.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}/`);
  return endpoint({ url, timeout: 100 })
    .post(LETTER, NEVER)
    .finally(() => talking.close());
}

beforeAll(async () => {
  [authority, other] = await Promise.all([makeAuthority(), makeAuthority()]);
});
beforeEach(async () => {
  receiver = await TestReceiver.start(authority);
});
afterEach(async () => {
  for (const made of open.splice(0)) made.close();
  await receiver.stop();
});
afterAll(() => {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
});

describe('a receiver', () => {
  test('is sent one signed POST of JSON, with nothing of the environment in it', async () => {
    receiver.answer = json({ ok: true });
    const answer = await endpoint().post(LETTER, NEVER);
    expect(answer).toEqual({ status: 200, body: Buffer.from('{"ok":true}') });
    expect(receiver.received).toMatchObject([{ method: 'POST', path: '/in?key=hunter2', body: LETTER.body }]);
    const timestamp = NOON / 1000;
    const hmac = createHmac('sha256', SECRET).update(`f00d-1.${timestamp}.${LETTER.body}`);
    expect(receiver.received[0]?.headers).toEqual({
      'content-type': 'application/json',
      'content-length': String(LETTER.body.length),
      accept: 'application/json',
      'user-agent': expect.stringMatching(/^countersign\/\d/),
      'webhook-id': 'f00d-1',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': `v1,${hmac.digest('base64')}`,
      host: `localhost:${receiver.port}`,
      connection: 'keep-alive',
    });
  });

  test('that answers with a redirect is not followed', async () => {
    receiver.answer = status(307, { location: '/elsewhere' });
    expect(await why(endpoint())).toBe('answered 307');
    expect(receiver.received).toHaveLength(1);
  });

  test('is believed by its status where it cuts off what follows, or says too much', async () => {
    receiver.answer = (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('cut');
      setImmediate(() => response.destroy());
    };
    expect(await endpoint().post(LETTER, NEVER)).toEqual({ status: 200, body: null });
    receiver.answer = (response) => response.writeHead(202).end('x'.repeat(1024 * 1024));
    expect(await endpoint().post(LETTER, NEVER)).toEqual({ status: 202, body: null });
  });

  test('is believed by its status where what follows never ends, or breaks off', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc';
    expect(await answerTo((socket) => socket.write(head))).toEqual({ status: 200, body: null });
    const reset = (socket: Socket) => socket.write(head, () => socket.resetAndDestroy());
    expect(await answerTo(reset)).toEqual({ status: 200, body: null });
  });

  test('that wants to speak another protocol has answered with that', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await answerTo((socket) => socket.write(head))).toEqual({ status: 101, body: null });
    expect(sentBy(101)).toEqual({ outcome: 'failed', why: 'it answers with HTTP 101' });
  });

  test('that closed an idle connection is called once more', async () => {
    const made = endpoint();
    await made.post(LETTER, NEVER);
    receiver.dropConnections();
    expect((await made.post(LETTER, NEVER)).status).toBe(204);
  });
});

describe('nobody answers', () => {
  test('who shows a certificate of another CA than the pinned one', async () => {
    expect(await why(endpoint({ ca: other.ca }))).toMatch(/^its certificate is not trusted \(/);
    expect(receiver.received).toEqual([]);
  });

  test('who shows a certificate of a CA that nobody knows, whatever the environment allows', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    expect(await why(endpoint({ ca: null }))).toMatch(/^its certificate is not trusted \(/);
    expect(receiver.received).toEqual([]);
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });

  test('whose certificate is for another name', async () => {
    const url = new URL(`https://127.0.0.1:${receiver.port}/`);
    expect(await why(endpoint({ url }))).toMatch(/^its certificate is not trusted \(ERR_TLS_CERT_ALTNAME/);
  });

  test('who is down', async () => {
    const made = endpoint();
    await receiver.stop();
    expect(await why(made)).toBe('no connection (ECONNREFUSED)');
    receiver = await TestReceiver.start(authority);
  });

  test('who takes too long', async () => {
    receiver.answer = () => {};
    expect(await why(endpoint({ timeout: 100 }))).toBe('no answer within 0.1 s');
  });

  test('who drops the connection in the middle of what it is sent', async () => {
    const dropping = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.resetAndDestroy());
    });
    await new Promise<void>((resolve) => dropping.listen(0, '127.0.0.1', resolve));
    const { port } = dropping.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const large = { id: 'f00d-2', body: JSON.stringify('x'.repeat(4 * 1024 * 1024)) };
    await expect(endpoint({ url }).post(large, NEVER)).rejects.toThrow(
      /^no connection \((?:ECONNRESET|EPIPE)\)$/,
    );
    dropping.close();
  });

  test('who speaks something else than HTTP', async () => {
    const talking = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => talking.listen(0, '127.0.0.1', resolve));
    const { port } = talking.address() as AddressInfo;
    expect(await why(endpoint({ url: new URL(`http://127.0.0.1:${port}/`) }))).toBe('the answer is not HTTP');
    expect(await why(endpoint({ url: new URL(`https://127.0.0.1:${port}/`) }))).toMatch(/^TLS fails \(/);
    talking.close();
  });

  test('and the reason holds neither address nor secret', async () => {
    const reasons = [
      await why(endpoint({ ca: other.ca })),
      await why(endpoint({ url: new URL('https://localhost:1/hunter2') })),
    ];
    expect(reasons.join()).not.toMatch(/hunter2|localhost|AQEB/);
  });

  test('while the broker stops', async () => {
    receiver.answer = () => {};
    await expect(endpoint().post(LETTER, AbortSignal.abort())).rejects.toThrow('the broker stops');
  });
});

describe('an answer', () => {
  test.each([
    [200, 'taken'],
    [204, 'taken'],
    [301, 'failed'],
    [400, 'refused'],
    [401, 'failed'],
    [404, 'failed'],
    [408, 'failed'],
    [410, 'gone'],
    [413, 'refused'],
    [429, 'unreachable'],
    [500, 'failed'],
    [503, 'unreachable'],
  ])('of HTTP %i means %s', (code, outcome) => {
    expect(sentBy(code).outcome).toBe(outcome);
  });
});
