import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { parseAddress } from '../../src/client/address.js';
import { HttpClient } from '../../src/client/http-client.js';
import type { StreamEnding } from '../../src/client/stream-client.js';
import { webSocketStream } from '../../src/client/websocket.js';
import type { BearerToken } from '../../src/protocol/names.js';
import { temporaryDirectory } from '../ssh/openssh.js';

const token = 't0ken' as BearerToken;

/** A WebSocket server; `address` is where the client goes. */
async function streaming(
  greet: (socket: WebSocket, url: string, authorization: string) => void,
  path?: string,
) {
  const server = createServer();
  new WebSocketServer({ server }).on('connection', (socket, request) => {
    socket.on('error', () => {});
    greet(socket, request.url ?? '', request.headers.authorization ?? '');
  });
  return listening(server, path);
}

async function listening(server: Server, path?: string): Promise<HttpClient> {
  await new Promise<void>((resolve) =>
    path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve),
  );
  const address = path ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new HttpClient(parseAddress(address));
}

/** Opens the stream and returns its first message or its end. */
function first(client: HttpClient, position: { epoch: string; seq: number } | null = null) {
  return new Promise<string | StreamEnding>((resolve) => {
    const socket = webSocketStream(client)(position, token, { message: resolve, closed: resolve });
    onTestFinished(() => socket.close());
  });
}

describe('the stream', () => {
  test('is asked for with the bearer, and from a position', async () => {
    const client = await streaming((socket, url, authorization) => socket.send(`${url} ${authorization}`));
    expect(await first(client)).toBe('/v1/stream?presence=1 Bearer t0ken');
    expect(await first(client, { epoch: 'a&b', seq: 7 })).toBe(
      '/v1/stream?after=7&epoch=a%26b&presence=1 Bearer t0ken',
    );
  });

  test('goes through a Unix socket, whatever characters its path has', async () => {
    const path = join(temporaryDirectory(), 'a b:c?d#e.sock');
    const client = await streaming((socket, url) => socket.send(url), path);
    expect(await first(client)).toBe('/v1/stream?presence=1');
  });

  test.each([1000, 1012, 4401, 4403])('that the broker closes with %d ends with that code', async (code) => {
    const client = await streaming((socket) => socket.close(code, 'because'));
    expect(await first(client)).toEqual({ code, reason: 'because' });
  });

  test('that breaks off ends with a reason', async () => {
    const client = await streaming((socket) => socket.terminate());
    expect(await first(client)).toEqual({ code: 1006, reason: 'the connection ended' });
  });

  test('with a message larger than the limit ends', async () => {
    const client = await streaming((socket) => socket.send('x'.repeat(65 * 1024 * 1024)));
    expect(await first(client)).toEqual({ code: 1006, reason: 'Max payload size exceeded' });
  });

  test('with a binary message ends', async () => {
    const client = await streaming((socket) => socket.send(Buffer.from('{}')));
    expect(await first(client)).toMatchObject({ code: 1003 });
  });
});

describe('an upgrade that is refused', () => {
  async function refusedWith(status: number, body: string, headers: Record<string, string> = {}) {
    const server = createServer();
    server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      const head = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)) });
      const lines = head.map(([name, value]) => `${name}: ${value}`).join('\r\n');
      socket.end(`HTTP/1.1 ${status} No\r\n${lines}\r\nconnection: close\r\n\r\n${body}`);
    });
    return first(await listening(server));
  }

  test('ends with the HTTP status and the words of the broker', async () => {
    const problem = { code: 'too-many-connections', detail: 'too many consoles are open' };
    expect(await refusedWith(503, JSON.stringify(problem))).toEqual({
      code: 503,
      reason: 'too many consoles are open',
    });
  });

  test('in another way than a broker does ends with the HTTP status', async () => {
    const expected = { code: 502, reason: 'the broker answered with HTTP status 502' };
    expect(await refusedWith(502, '<html>')).toEqual(expected);
    expect(await refusedWith(502, 'x'.repeat(1e6))).toEqual(expected);
  });

  test('by a redirect is not followed', async () => {
    const other = await streaming((socket) => socket.send('elsewhere'));
    if (other.address.kind !== 'url') throw new Error('not a URL');
    const location = `${other.address.url.origin}/v1/stream`;
    expect(await refusedWith(302, '', { location })).toMatchObject({ code: 302 });
  });

  test('because nobody listens ends with the reason', async () => {
    const client = new HttpClient(parseAddress(join(temporaryDirectory(), 'broker.sock')));
    expect(await first(client)).toMatchObject({ code: 1006, reason: expect.stringContaining('ENOENT') });
  });
});

test('after close no handler is called, whatever still comes', async () => {
  const heard: unknown[] = [];
  let greeted: (socket: WebSocket) => void = () => {};
  const connected = new Promise<WebSocket>((resolve) => {
    greeted = resolve;
  });
  const client = await streaming((socket) => greeted(socket));
  const stream = webSocketStream(client)(null, token, {
    message: (text) => heard.push(text),
    closed: (ending) => heard.push(ending),
  });
  const socket = await connected;
  const ended = new Promise((resolve) => socket.once('close', resolve));
  stream.close();
  socket.send('late');
  await ended;
  expect(heard).toEqual([]);
});
