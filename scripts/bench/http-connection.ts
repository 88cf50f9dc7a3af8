import { connect, type Socket } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/**
 * One keep-alive connection that carries one call at a time. It does far less than node:http, so that the load costs
 * the machine little beside the server that is measured.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #answer: { resolve(reply: Reply): void; reject(error: Error): void } | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', (error) => this.#answer?.reject(error));
    socket.on('close', () => this.#answer?.reject(new Error('the server closed the connection')));
  }

  static open(address: string): Promise<HttpConnection> {
    const { hostname, port } = new URL(address);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new HttpConnection(socket)));
      socket.once('error', reject);
    });
  }

  /** Sends what {@link httpCall} made. */
  call(bytes: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) throw new Error('the server closed the connection');
      if (this.#answer !== null) throw new Error('the connection carries another call');
      this.#answer = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#answer = null;
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    const end = headEnd + 4 + length;
    if (this.#received.length < end) return;
    const reply = {
      status: Number(head.slice(9, 12)),
      body: this.#received.toString('utf8', headEnd + 4, end),
    };
    this.#received = this.#received.subarray(end);
    const answer = this.#answer;
    this.#answer = null;
    answer?.resolve(reply);
  }
}

/** A server has room for so many connections that it has not accepted yet. */
const OPENED_AT_ONCE = 200;

/** Opens connections for as long as `use` takes. */
export async function withConnections<Result>(
  address: string,
  count: number,
  use: (connections: readonly HttpConnection[]) => Promise<Result>,
): Promise<Result> {
  const connections: HttpConnection[] = [];
  try {
    while (connections.length < count) {
      const length = Math.min(OPENED_AT_ONCE, count - connections.length);
      connections.push(...(await Promise.all(Array.from({ length }, () => HttpConnection.open(address)))));
    }
    return await use(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** The bytes of one call, made before the clock runs. */
export function httpCall(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  {
    body,
    headers = {},
  }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body);
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...(body === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`);
}

/** @throws Error if the reply is not a success */
export function succeeded(reply: Reply): Reply {
  if (reply.status < 300) return reply;
  throw new Error(`the server answered ${reply.status}: ${reply.body}`);
}

/** The JSON of a reply that must be a success. */
// biome-ignore lint/suspicious/noExplicitAny: whoever made the call knows what the reply holds
export const jsonOf = (reply: Reply): any => JSON.parse(succeeded(reply).body);
