import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseDocument, type RequestDocument } from '../../src/protocol/document.js';
import { formatTextReply, type TextReply } from '../../src/protocol/text-reply.js';
import { formatTime } from '../../src/protocol/time.js';

/** The fingerprint of a broker whose key nobody needs. */
export const FINGERPRINT = `SHA256:${createHash('sha256').update('broker').digest('base64').slice(0, 43)}`;

/** What a door sent with a submit. */
export interface Ask {
  readonly document: RequestDocument;
  readonly digest: string;
  readonly scope: string;
  /** As the door wrote it. */
  readonly canonical: string;
  readonly statement: string;
  readonly claim: string;
}

/** One call, in the order of arrival. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

/** What to answer; undefined where the answer comes later, or not at all. */
export type Respond = (ask: Ask, response: ServerResponse, call: Call) => string | Buffer | undefined;

const ID = '01J00000000000000000000000';
const WATCH = 'w'.repeat(43);

/** The text of a reply; `receipts` come after its head as they are. */
export function reply(state: TextReply['state'], more: Partial<TextReply> = {}, receipts = ''): string {
  const nothing = { code: null, answerBy: null, claimBy: null, hint: null, receipts: [] };
  return (
    formatTextReply({
      state,
      id: ID as TextReply['id'],
      watch: WATCH as TextReply['watch'],
      ...nothing,
      ...more,
    }) + receipts
  );
}

/** A broker of a few lines that says what the test tells it to, and remembers every call. */
export class FakeBroker {
  readonly calls: Call[] = [];
  readonly asks: Ask[] = [];
  onSubmit: Respond = () => reply('pending');
  /** By default nobody decides, and the reply comes when the wait is over. */
  onRedeem: Respond = (_, response, { headers }) => {
    const seconds = Number(/^wait=(\d+)$/.exec(String(headers.prefer))?.[1]);
    setTimeout(() => response.end(reply('pending')), 1000 * seconds).unref();
    return undefined;
  };
  onReport: Respond = () => reply('pending');
  /** By default what was opened stands, and the reply comes when the wait is over. */
  onStanding: Respond = () => undefined;
  /** What it says of itself. */
  about = { fingerprint: FINGERPRINT, clock: formatTime(Date.now()) };
  readonly #server: Server;
  #heard: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port = 0): Promise<FakeBroker> {
    const server = createServer();
    const broker = new FakeBroker(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => broker.#answer(request, response, Buffer.concat(chunks).toString()));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The ask that came last. */
  get ask(): Ask {
    const ask = this.asks.at(-1);
    if (ask === undefined) throw new Error('nobody has asked');
    return ask;
  }

  /** The calls of one verb: the end of their path. */
  of(verb: 'requests' | 'redeem' | 'reports' | 'standing'): Call[] {
    return this.calls.filter(({ path }) => path.endsWith(`/${verb}`));
  }

  /** Resolves once there is such a call. */
  async hears(is: (call: Call) => boolean): Promise<void> {
    while (!this.calls.some(is)) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse, text: string): void {
    const path = request.url ?? '';
    const body = text === '' ? {} : JSON.parse(text);
    const call = { method: request.method ?? '', path, headers: request.headers, body };
    this.calls.push(call);
    if (path === '/v1/requests') this.asks.push(readAsk(text, body));
    for (const wake of this.#heard.splice(0)) wake();
    if (path === '/v1/broker') {
      response.end(JSON.stringify({ name: 'fake', ...this.about, key: '', version: '0' }));
      return;
    }
    const answer = this.#respond(path)(this.ask, response, call);
    if (answer !== undefined) response.end(answer);
  }

  #respond(path: string): Respond {
    if (path === '/v1/requests') return this.onSubmit;
    if (path.endsWith('/standing')) return this.onStanding;
    return path.endsWith('/redeem') ? this.onRedeem : this.onReport;
  }
}

function readAsk(text: string, body: { document: never; statement: string; claim: string }): Ask {
  const { document, digest, scope } = parseDocument(body.document);
  const canonical = text.slice(text.indexOf('"document":') + 11, text.indexOf(',"signers":'));
  return { ...body, document, digest, scope, canonical };
}
