import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { parseAddress } from '../../src/client/address.js';
import { HttpClient, type HttpClientOptions } from '../../src/client/http-client.js';

/** An HTTP server on a free port that answers as the test says, and a client for it. Both end with the test. */
export async function serve(listener: RequestListener, options: HttpClientOptions = {}) {
  const server = createServer(listener);
  return { server, ...(await listen(server, options)) };
}

/** The same with raw bytes: whatever connects is sent `bytes`. */
export async function serveBytes(bytes: string, options: HttpClientOptions = {}) {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes));
  });
  return listen(server as Server, options);
}

async function listen(server: Server, options: HttpClientOptions) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new HttpClient(parseAddress(address), options);
  onTestFinished(() => {
    client.close();
    server.closeAllConnections?.();
    server.close();
  });
  return { address, client };
}

/** Answers every call with one JSON value. */
export function answering(value: unknown, status = 200): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
}
