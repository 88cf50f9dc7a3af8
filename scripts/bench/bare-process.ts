// The bare program that the broker is held against: bare-process.ts COMPILED FILE PUBLIC-KEY
// It does the necessary work and nothing else: HTTP, one Ed25519 verification a submit, rows that are committed in
// groups with synchronous=FULL, long-polling waiters, shared buffers to WebSocket consoles. It checks nothing else.
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Database from 'better-sqlite3';
import { type WebSocket, WebSocketServer } from 'ws';
import { beMeasured } from './measured-process.ts';

const [, , , file = '', publicKey = ''] = process.argv;
const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });

const database = new Database(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.exec('CREATE TABLE bare (n INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL) STRICT');
const insert = database.prepare('INSERT INTO bare (id, body) VALUES (?, ?)');
let queued: { readonly id: string; readonly body: string; readonly committed: () => void }[] = [];
const commitRows = database.transaction((rows: typeof queued) => {
  for (const { id, body } of rows) insert.run(id, body);
}).immediate;

/** Resolves once the row is durable; rows of one turn share a commit. */
function write(id: string, body: string): Promise<void> {
  return new Promise((committed) => {
    if (queued.push({ id, body, committed }) > 1) return;
    setImmediate(() => {
      const rows = queued;
      queued = [];
      commitRows(rows);
      for (const row of rows) row.committed();
    });
  });
}

const waiters = new Map<string, (receipt: string) => void>();
const consoles = new Set<WebSocket>();

async function submit(body: string): Promise<object> {
  const { document, statement, signature } = JSON.parse(body);
  if (!verify(null, Buffer.from(statement), key, Buffer.from(signature, 'base64'))) {
    throw new Error('the signature does not fit');
  }
  const id = randomUUID();
  await write(id, JSON.stringify(document) + statement + signature);
  announce({ type: 'submitted', id, document });
  return { id };
}

/** Waits for the decision, and records its use before it is told. */
async function redeem(id: string, body: string): Promise<object> {
  const { claim } = JSON.parse(body);
  const receipt = await new Promise<string>((decided) => waiters.set(id, decided));
  waiters.delete(id);
  await write(`${id} use`, claim);
  announce({ type: 'redeemed', id });
  return { id, receipts: [receipt] };
}

async function decide(id: string, body: string): Promise<object> {
  const { receipt } = JSON.parse(body);
  await write(`${id} decision`, receipt);
  waiters.get(id)?.(receipt);
  announce({ type: 'approved', id, receipt });
  return { id };
}

/** Two turns later, when whoever was set free has been answered. */
function announce(message: object): void {
  if (consoles.size === 0) return;
  setImmediate(() => setImmediate(broadcast, Buffer.from(JSON.stringify(message))));
}

function broadcast(bytes: Buffer): void {
  for (const socket of consoles) socket.send(bytes, { binary: false });
}

function answer(path: string, body: string): object | Promise<object> {
  const [, verb, id = ''] = path.split('/');
  switch (verb) {
    case 'submits':
      return submit(body);
    case 'redeem':
      return redeem(id, body);
    case 'decisions':
      return decide(id, body);
    default:
      return { waiters: waiters.size, consoles: consoles.size };
  }
}

const server = createServer(
  { keepAliveTimeout: 600_000 },
  (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const reply = JSON.stringify(await answer(request.url ?? '', Buffer.concat(chunks).toString()));
      response.setHeader('content-type', 'application/json');
      response.end(reply);
    });
  },
);
const streams = new WebSocketServer({ noServer: true, perMessageDeflate: false });
server.on('upgrade', (request, socket, head) => {
  streams.handleUpgrade(request, socket, head, (stream) => void consoles.add(stream));
});
const heartbeat = setInterval(() => announce({ type: 'heartbeat', clock: Date.now() }), 1000);
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

const { port } = server.address() as AddressInfo;
beMeasured({ address: `http://127.0.0.1:${port}` }, () => {
  clearInterval(heartbeat);
  server.close();
  server.closeAllConnections();
  for (const socket of consoles) socket.terminate();
  database.close();
});
