import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { type BoundDocument, parseDocument } from '../../../src/protocol/document.js';
import type { Fingerprint } from '../../../src/protocol/names.js';
import { isJsonObject, type JsonObject, parseStrictJson } from '../../../src/protocol/strict-json.js';
import { formatTime } from '../../../src/protocol/time.js';
import { makeSoftwareKey } from '../../ssh/software-keys.js';

/** What `run` asked for: what an honest broker would know of it, and no more. */
export interface JsonAsk {
  readonly bound: BoundDocument;
  readonly id: string;
  readonly watch: string;
}

/** A JSON value; bytes as they are; or whatever a function does to the connection. */
export type JsonReply = object | Buffer | ((response: ServerResponse) => void);

/** What the broker answers; the defaults leave a request pending, then say that it is approved by nobody. */
export interface JsonConduct {
  readonly submit?: (ask: JsonAsk) => JsonReply | Promise<JsonReply>;
  readonly redeem?: (ask: JsonAsk) => JsonReply | Promise<JsonReply>;
  readonly read?: (ask: JsonAsk) => JsonReply | Promise<JsonReply>;
}

/** A broker in enemy hands that speaks JSON: it holds the key that is pinned, and says what its conduct tells it. */
export class EvilJsonBroker {
  readonly key = makeSoftwareKey('ssh-ed25519');
  readonly fingerprint =
    `SHA256:${createHash('sha256').update(this.key.blob).digest('base64').slice(0, 43)}` as Fingerprint;
  readonly asks: JsonAsk[] = [];
  /** Bodies of the reports. */
  readonly told: JsonObject[] = [];
  conduct: JsonConduct = {};
  readonly #server: Server = createServer((request, response) => {
    response.on('error', () => {});
    this.#answer(request, response).catch(() => response.destroy());
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return this;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    this.#server.closeAllConnections();
    await closed;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The last one. */
  get ask(): JsonAsk {
    const ask = this.asks.at(-1);
    if (ask === undefined) throw new Error('nothing has been asked for');
    return ask;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readText(request);
    if (request.url === '/v1/broker') {
      const clock = formatTime(Date.now());
      const { fingerprint, key } = this;
      return send(response, { name: 'evil', fingerprint, key: key.line, version: '0', clock, handovers: [] });
    }
    const route = /^\/v1\/requests(?:\/([0-9A-Z]{26})(\/redeem|\/reports)?)?$/.exec(request.url ?? '');
    if (route === null) throw new Error(`${request.method} ${request.url}`);
    const [, id, verb] = route;
    const value = body === '' ? {} : parseStrictJson(body);
    if (!isJsonObject(value)) throw new Error(body);
    if (id === undefined) {
      const bound = parseDocument(value.document);
      const former = this.asks.find((known) => known.bound.digest === bound.digest);
      const made = { bound, id: newRequestId(), watch: randomBytes(32).toString('base64url') };
      this.asks.push(former ?? made);
      return send(response, await (this.conduct.submit ?? ((ask) => answer(ask, 'pending')))(this.ask));
    }
    const ask = this.asks.find((known) => known.id === id);
    if (ask === undefined) throw new Error(`unknown ${id}`);
    if (verb === '/redeem')
      return send(response, await (this.conduct.redeem ?? ((known) => approved(known)))(ask));
    if (verb === undefined)
      return send(response, await (this.conduct.read ?? ((known) => answer(known, 'pending')))(ask));
    this.told.push(value);
    send(response, answer(ask, 'redeemed'));
  }
}

/** A reply in its right form. */
export function answer(
  { id, watch, bound }: JsonAsk,
  state: string,
  receipts: readonly string[] = [],
  status: object = {},
) {
  return {
    id,
    digest: bound.digest,
    watch,
    status: {
      state,
      claimBy: null,
      waiting: 1,
      votes: [],
      missing: [],
      redeemedAt: null,
      report: null,
      endedAt: null,
      endedBy: null,
      ...status,
    },
    answerBy: formatTime(Date.now() + 300_000),
    attention: null,
    receipts,
  };
}

export const approved = (ask: JsonAsk, ...receipts: string[]) => answer(ask, 'redeemed', receipts);

function send(response: ServerResponse, reply: JsonReply): void {
  if (typeof reply === 'function') {
    reply(response);
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
  response.end(Buffer.isBuffer(reply) ? reply : JSON.stringify(reply));
}

function newRequestId(): string {
  const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  return `01${Array.from(randomBytes(24), (byte) => base32[byte % 32]).join('')}`;
}
