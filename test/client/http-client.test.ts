import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { parseAddress } from '../../src/client/address.js';
import { HttpClient, toProblem } from '../../src/client/http-client.js';
import type { BearerToken } from '../../src/protocol/names.js';
import { PROBLEMS } from '../../src/protocol/problems.js';
import { temporaryDirectory } from '../ssh/openssh.js';
import { answering, serve, serveBytes } from './small-server.js';

const anything = z.unknown();
const get = { method: 'GET', path: '/v1/broker' } as const;
const rejection = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ name: 'Problem', code, message: expect.stringMatching(message) });

describe('a call', () => {
  test('sends method, path, body, bearer and Prefer, and parses the reply', async () => {
    const { client } = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        answering({
          line: `${method} ${url}`,
          body,
          authorization: headers.authorization,
          prefer: headers.prefer,
          accept: headers.accept,
        })(request, response);
      });
    });
    const reply = await client.call(anything, {
      method: 'POST',
      path: '/v1/requests/X/redeem?a=1',
      body: { claim: 'ü' },
      token: 't0ken' as BearerToken,
      wait: 5,
    });
    expect(reply).toEqual({
      line: 'POST /v1/requests/X/redeem?a=1',
      body: '{"claim":"ü"}',
      authorization: 'Bearer t0ken',
      prefer: 'wait=5',
      accept: 'application/json',
    });
  });

  test('keeps the path of the base URL', async () => {
    const { address } = await serve((request, response) => answering(request.url)(request, response));
    const client = new HttpClient(parseAddress(`${address}/approvals/`));
    onTestFinished(() => client.close());
    expect(await client.call(anything, get)).toBe('/approvals/v1/broker');
  });

  test('goes through a Unix socket, whatever characters its path has', async () => {
    const path = join(temporaryDirectory(), 'a b:c?d#e.sock');
    const server = createServer(answering('here'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const client = new HttpClient(parseAddress(path));
    onTestFinished(() => {
      client.close();
      server.close();
    });
    expect(await client.call(anything, get)).toBe('here');
  });

  test('is sent once more when the broker ends the idle connection just then', async () => {
    const connections = new Set<unknown>();
    const { client } = await serve((request, response) => {
      if (connections.has(request.socket)) request.socket.resetAndDestroy();
      else answering(connections.add(request.socket).size)(request, response);
    });
    expect(await client.call(anything, get)).toBe(1);
    expect(await client.call(anything, get)).toBe(2);
  });

  test('on a new connection that fails is not sent again', async () => {
    let calls = 0;
    const { client } = await serve((request) => {
      calls += 1;
      request.socket.resetAndDestroy();
    });
    await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-unreachable'));
    expect(calls).toBe(1);
  });

  test('accepts an empty reply', async () => {
    const { client } = await serve((_request, response) => void response.writeHead(204).end());
    expect(await client.call(anything, get)).toBeNull();
  });
});

describe('a hostile reply', () => {
  test.each(Object.keys(PROBLEMS))('with the problem %s becomes that problem', async (code) => {
    const { client } = await serve(answering({ code, detail: 'what', hint: 'do' }, 400));
    await expect(client.call(anything, get)).rejects.toEqual(rejection(code, /^what$/));
  });

  test.each([['no-such-code'], ['__proto__'], ['toString'], [7], [null]])(
    'with the unknown problem code %j is none of a broker',
    async (code) => {
      const { client } = await serve(answering({ code, detail: 'what' }, 500));
      await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-reply', /status 500/));
    },
  );

  test('cannot fill the screen through the texts of a problem', () => {
    const problem = toProblem(403, { code: 'denied', detail: 'x'.repeat(1e6), hint: 'y'.repeat(1e6) });
    expect(problem.message.length + problem.hint.length).toBe(4000);
  });

  test('larger than the limit is cut off, also without a length and with a false one', async () => {
    const { client } = await serve(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const send = (): void => {
          while (response.write(' '.repeat(65536)));
        };
        response.on('drain', send);
        response.on('error', () => {});
        send();
      },
      { maxReplyBytes: 100_000 },
    );
    await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-reply', /larger than 100000/));
  });

  test('that is a redirect is not followed', async () => {
    const other = await serve(answering('elsewhere'));
    const { client } = await serve((_request, response) => {
      response.writeHead(302, { location: `${other.address}/v1/broker` }).end();
    });
    await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-reply', /redirects/));
  });

  test.each([
    ['HTML', 'text/html', '<html>'],
    ['no type', '', '{}'],
    ['a type that only begins like JSON', 'application/jsonp', '{}'],
    ['broken JSON', 'application/json', '{"a":'],
    ['invalid UTF-8', 'application/json', Buffer.from([0x22, 0xff, 0x22])],
    ['compressed bytes', 'application/json', gzipSync('{}')],
    ['nothing', 'application/json', ''],
  ])('that is %s is none of a broker', async (_what, type, body) => {
    const { client } = await serve((_request, response) => {
      response.writeHead(200, type === '' ? {} : { 'content-type': type }).end(body);
    });
    await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-reply'));
  });

  test('of another shape than the route has is none of a broker', async () => {
    const { client } = await serve(answering({ name: 5 }));
    await expect(client.call(z.object({ name: z.string() }), get)).rejects.toEqual(rejection('broker-reply'));
  });

  test('that is not HTTP is none of a broker', async () => {
    const { client } = await serveBytes('SSH-2.0-OpenSSH_9.2\r\n');
    await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-reply', /not HTTP/));
  });

  test('that is cut short is a failed connection', async () => {
    const { client } = await serveBytes(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a"',
    );
    await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-unreachable'));
  });
});

describe('no reply', () => {
  test('within the timeout says so', async () => {
    const { client } = await serve(() => {}, { timeout: 50 });
    await expect(client.call(anything, get)).rejects.toEqual(
      rejection('broker-unreachable', /does not answer in time/),
    );
  });

  test('that drips beyond the timeout says so', async () => {
    const { client } = await serve(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(drip));
      },
      { timeout: 100 },
    );
    await expect(client.call(anything, get)).rejects.toEqual(rejection('broker-unreachable', /in time/));
  });

  test('from a port where nobody listens says so', async () => {
    const { client, server } = await serve(answering(1));
    await new Promise((resolve) => server.close(resolve));
    await expect(client.call(anything, get)).rejects.toEqual(
      rejection('broker-unreachable', /nobody listens/),
    );
  });

  test('from a socket that is not there says so', async () => {
    const client = new HttpClient(parseAddress(join(temporaryDirectory(), 'broker.sock')));
    await expect(client.call(anything, get)).rejects.toEqual(
      rejection('broker-unreachable', /nobody listens/),
    );
  });

  test('because the caller gave up throws his own reason', async () => {
    const { client } = await serve(() => {});
    const giveUp = new AbortController();
    const call = client.call(anything, { ...get, signal: giveUp.signal });
    giveUp.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(client.call(anything, { ...get, signal: giveUp.signal })).rejects.toThrow('enough');
  });
});
