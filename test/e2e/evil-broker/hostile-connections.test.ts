import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { expectShut } from './door.js';
import { type Ask, approved, type EvilBroker, type Reply } from './evil-broker.js';
import { peakMemory } from './memory.js';
import { receipt } from './people.js';
import { onMachine } from './stage.js';

onMachine('A door whose broker abuses the connection', (stage) => {
  /** Logs in at a fresh door that gets this as its answer. */
  async function answerWith(make: (ask: Ask, broker: EvilBroker) => Reply, config = {}) {
    const { door, broker } = await stage.door({ config });
    broker.conduct = { redeem: (ask) => make(ask, broker) };
    const end = await door.login();
    return { door, broker, end };
  }

  test('A52 a body of 1 GB, sent or announced, and headers without end neither fill memory nor open', async () => {
    const floods: [string, (response: ServerResponse) => { sent: () => number }][] = [
      ['a body without length', (response) => flood(response, 'HTTP/1.1 200 OK\r\n\r\n', 'A'.repeat(64_000))],
      [
        'a body of a length',
        (response) =>
          flood(response, 'HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n', 'A'.repeat(64_000)),
      ],
      [
        'chunks',
        (response) =>
          flood(
            response,
            'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
            `f\r\n${'A'.repeat(15)}\r\n`.repeat(3000),
          ),
      ],
      [
        'headers',
        (response) => flood(response, 'HTTP/1.1 200 OK\r\n', `X: ${'A'.repeat(1000)}\r\n`.repeat(60)),
      ],
      ['one header', (response) => flood(response, 'HTTP/1.1 200 OK\r\nX: ', 'A'.repeat(64_000))],
      ['interim replies', (response) => flood(response, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000))],
      ['lines', (response) => flood(response, 'HTTP/1.1 200 OK\r\n\r\n', '\n'.repeat(64_000))],
    ];
    await eachOf(
      floods,
      ([name]) => name,
      async ([, open]) => {
        const { door, broker } = await stage.door({ config: { wait: '3' } });
        let flooded: { sent: () => number } | undefined;
        broker.conduct = {
          redeem: () => (response) => {
            flooded = open(response);
          },
        };
        const running = door.start();
        const [end, memory] = await Promise.all([running.end, peakMemory(await running.pid)]);
        expectShut(end, /^(bad-reply|unreachable|waiting)$/);
        expect(door.uses).toBe(0);
        // What the sockets hold, and no more.
        expect(flooded?.sent()).toBeLessThan(32 * 2 ** 20);
        expect(memory).toBeLessThan(64 * 2 ** 20);
      },
      3,
    );
  });

  test('A52 a reply that comes a byte at a time ends with the wait', async () => {
    const { door, end } = await answerWith(
      (ask, broker) => (response) => {
        const bytes = Buffer.from(approved(ask, receipt(broker, ask)));
        response.writeHead(200, { 'content-length': bytes.length });
        let at = 0;
        const drip = setInterval(() => {
          if (at === bytes.length || response.destroyed) clearInterval(drip);
          else response.write(bytes.subarray(at, ++at));
        }, 50);
      },
      { wait: '2' },
    );
    expectShut(end, /^(unreachable|waiting)$/);
    expect(door.uses).toBe(0);
  });

  test('A52 redirects, other encodings and protocols lead nowhere', async () => {
    const target = await stage.broker();
    const body = (ask: Ask, broker: EvilBroker): string => approved(ask, receipt(broker, ask));
    const raw = (head: string) => (ask: Ask, broker: EvilBroker) => (response: ServerResponse) => {
      response.socket?.end(head.replace('BODY', body(ask, broker)));
    };
    const replies: [string, string | RegExp, (ask: Ask, broker: EvilBroker) => Reply][] = [
      ...[
        'http://127.0.0.1:9/',
        `${target.address}/v1/requests`,
        'file:///etc/passwd',
        'scp://127.0.0.1/x',
      ].map((location): [string, string, () => Reply] => [
        `302 to ${location}`,
        'bad-reply',
        () => (response) => response.writeHead(302, { location, connection: 'close' }).end(),
      ]),
      [
        'gzip',
        'bad-reply',
        () => (response) =>
          response
            .writeHead(200, { 'content-encoding': 'gzip', connection: 'close' })
            .end(Buffer.from('H4sIAAAAAAAAAwMAAAAAAAAAAAA=', 'base64')),
      ],
      ['HTTP/0.9', /^(unreachable|waiting)$/, raw('BODY')],
      ['HTTP/9', /^(unreachable|waiting)$/, raw('HTTP/9.9 200 OK\r\n\r\nBODY')],
      [
        'a status that is no number',
        /^(unreachable|waiting)$/,
        raw(`HTTP/1.1 x[$(touch ${stage.marker})]\r\n\r\nBODY`),
      ],
      ['a NUL in a header', /^(unreachable|waiting)$/, raw('HTTP/1.1 200 OK\r\nX: \0\r\n\r\nBODY')],
      ['an empty reply', /^(unreachable|waiting)$/, raw('')],
      [
        'a chunk of no size',
        'unreachable',
        raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nBODY'),
      ],
    ];
    await eachOf(
      replies,
      ([name]) => name,
      async ([, code, make]) => {
        const { door, end } = await answerWith(make, { wait: '2' });
        expectShut(end, code);
        expect(door.uses).toBe(0);
      },
    );
    expect(target.asks).toEqual([]);
    expect(target.nonsense).toEqual([]);
  });
});

/** Sends the head, then the same piece until a gigabyte has gone out or nobody listens any more. */
function flood(response: ServerResponse, head: string, piece: string): { sent: () => number } {
  const { socket } = response;
  if (socket === null) throw new Error('no connection');
  socket.on('error', () => {});
  const pour = (): void => {
    while (!socket.destroyed && socket.bytesWritten < 2 ** 30 && socket.write(piece));
  };
  socket.on('drain', pour);
  socket.write(head);
  pour();
  return { sent: () => socket.bytesWritten };
}
