import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueCertificate } from '../../../broker/tls/private-ca.js';

/** One call, as it came in. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Reply = (response: ServerResponse, received: Received) => void;

/** Answers with a status and nothing more. */
export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Reply =>
  (response) =>
    response.writeHead(code, headers).end();

/** Answers with JSON. */
export const json =
  (value: unknown): Reply =>
  (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));

/** A certificate for localhost, and the CA that vouches for it. */
export interface Authority {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A real receiver of webhooks over HTTPS, or over HTTP without an authority, that answers as the test says. */
export class TestReceiver {
  readonly received: Received[] = [];
  answer: Reply = status(204);
  readonly #server: ReturnType<typeof createHttpServer>;

  private constructor(authority: Authority | null) {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const chunks: Buffer[] = [];
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const received = {
          method: request.method ?? '',
          path: request.url ?? '',
          headers: request.headers as Record<string, string>,
          body: Buffer.concat(chunks).toString(),
        };
        this.received.push(received);
        this.answer(response, received);
      });
    };
    this.#server = authority === null ? createHttpServer(listener) : createHttpsServer(authority, listener);
  }

  static async start(authority: Authority | null, port = 0): Promise<TestReceiver> {
    const receiver = new TestReceiver(authority);
    await new Promise<void>((resolve) => receiver.#server.listen(port, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As a server does with connections that were idle for long. */
  dropConnections(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A new private CA, and a certificate of it for the given name. */
export async function makeAuthority(name = 'localhost'): Promise<Authority> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-receiver-'));
  try {
    const issued = await issueCertificate(directory, { required: [name], also: [] }, Date.now());
    const { ca, certificate: cert, key } = issued;
    return { ca: readFileSync(ca, 'utf8'), cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
