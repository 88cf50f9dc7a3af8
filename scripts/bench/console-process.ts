// Consoles that read everything and show nothing, apart from the process that measures:
//   console-process.ts COMPILED ADDRESS COUNT TOKEN
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { beMeasured } from './measured-process.ts';

const [, , , address = '', count = '', token = ''] = process.argv;
const { hostname, port } = new URL(address);
let received = 0;
const consoles = await Promise.all(Array.from({ length: Number(count) }, attach));
await firstPictures();
beMeasured({}, () => {
  for (const socket of consoles) socket.destroy();
});

/** Resolves once the first bytes of the stream have come. */
function attach(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    socket.once('data', (bytes) => {
      if (bytes.toString('latin1', 9, 12) === '101') resolve(socket);
      else reject(new Error(bytes.toString()));
    });
    const head = [
      'GET /v1/stream HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      `Authorization: Bearer ${token}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
  });
}

/** Resolves when hardly more than heartbeats come: all standing requests have been received. */
async function firstPictures(): Promise<void> {
  for (let before = -1; received - before > 500 * consoles.length; await pause(300)) before = received;
}
