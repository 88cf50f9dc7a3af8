import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import type { BoundDocument } from '../../../src/protocol/document.js';
import { parseSubmitBody } from '../../../src/protocol/messages.js';
import type { BearerToken, Fingerprint, RequestId } from '../../../src/protocol/names.js';
import { parseSignedText, type SignedText } from '../../../src/protocol/receipt.js';
import { parseStrictJson } from '../../../src/protocol/strict-json.js';
import { formatTextReply, type ReplyState, type TextReply } from '../../../src/protocol/text-reply.js';
import { makeSoftwareKey } from '../../ssh/software-keys.js';

/** What a door asked for: what an honest broker would know of it, and no more. */
export interface Ask {
  readonly bound: BoundDocument;
  readonly statement: SignedText;
  readonly claim: string;
  readonly id: RequestId;
  readonly watch: BearerToken;
  /** How often the same document has been submitted, this time included. */
  readonly times: number;
}

/** Bytes of a 200 reply; or whatever a function does to the connection. */
export type Reply = string | Buffer | ((response: ServerResponse) => void);

/** What the broker answers; the defaults leave a request pending, then say that it is approved by nobody. */
export interface Conduct {
  readonly submit?: (ask: Ask) => Reply | Promise<Reply>;
  readonly redeem?: (ask: Ask) => Reply | Promise<Reply>;
  readonly report?: (ask: Ask) => Reply | Promise<Reply>;
  /** Which signers files may follow the one of which the digest is given. */
  readonly signed?: (from: string, after: number) => Reply | Promise<Reply>;
}

/** A report of a door, or a detach. */
export interface Told {
  readonly verb: 'report' | 'detach';
  readonly ask: Ask;
  readonly body: string;
}

/**
 * A broker in enemy hands: it holds the fingerprint that the door pins, so whatever the door asks of it comes here. It says
 * what its conduct tells it, and keeps what it was told.
 */
export class EvilBroker {
  readonly fingerprint: Fingerprint;
  readonly asks: Ask[] = [];
  readonly told: Told[] = [];
  /** Requests that are no part of the protocol, or malformed: what hostile names must not bring about. */
  readonly nonsense: string[] = [];
  conduct: Conduct;
  readonly key = makeSoftwareKey('ssh-ed25519');
  readonly #server: Server;

  private constructor(conduct: Conduct) {
    this.conduct = conduct;
    this.fingerprint =
      `SHA256:${createHash('sha256').update(this.key.blob).digest('base64').slice(0, 43)}` as Fingerprint;
    this.#server = createServer(this.handle);
  }

  static async start(conduct: Conduct = {}): Promise<EvilBroker> {
    const broker = new EvilBroker(conduct);
    await new Promise<void>((resolve) => {
      broker.#server.listen(0, '127.0.0.1', resolve);
    });
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The last one. */
  get ask(): Ask {
    const ask = this.asks.at(-1);
    if (ask === undefined) throw new Error('the door has asked for nothing');
    return ask;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    this.#server.closeAllConnections();
    await closed;
  }

  /** Serves any server, also one that speaks TLS. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      this.nonsense.push(String(error));
      response.destroy();
    });
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const body = await readText(request);
    const follow = /^\/v1\/roster\/signed\?from=(sha256:[0-9a-f]{64})&after=(\d+)$/.exec(request.url ?? '');
    if (follow !== null && this.conduct.signed !== undefined)
      return send(response, await this.conduct.signed(follow[1] ?? '', Number(follow[2])));
    const route = /^\/v1\/requests(?:\/([0-9A-Z]{26})(\/redeem|\/reports)?)?$/.exec(request.url ?? '');
    if (route === null) throw new Error(`${request.method} ${request.url}`);
    const [, id, verb = ''] = route;
    if (id === undefined) return send(response, await this.#submit(body));
    // Several runs may wait for one request, each with a token of its own.
    const ask = this.asks.find(
      (known) => known.id === id && request.headers.authorization === `Bearer ${known.watch}`,
    );
    if (ask === undefined)
      throw new Error(`${request.method} ${request.url} with ${request.headers.authorization}`);
    if (verb === '/redeem') {
      if (body !== `{"claim":"${ask.claim}"}`) throw new Error(`redeem with ${body}`);
      return send(response, await (this.conduct.redeem ?? ((known) => approved(known)))(ask));
    }
    this.told.push({ verb: verb === '/reports' ? 'report' : 'detach', ask, body });
    send(response, await (this.conduct.report ?? ((known) => reply('approved', known)))(ask));
  }

  async #submit(body: string): Promise<Reply> {
    const { bound, statement, claim } = parseSubmitBody(parseStrictJson(body));
    if (statement === null || claim === null) throw new Error('submitted without statement or claim');
    const former = this.asks.findLast((known) => known.bound.digest === bound.digest);
    const ask: Ask = {
      bound,
      statement: parseSignedText(statement.statement + statement.armor),
      claim,
      id: former?.id ?? newRequestId(),
      watch: randomBytes(32).toString('base64url') as BearerToken,
      times: (former?.times ?? 0) + 1,
    };
    this.asks.push(ask);
    return await (this.conduct.submit ?? ((known) => reply('pending', known)))(ask);
  }
}

/** A reply in its right form, with any receipts. */
export function reply(
  state: ReplyState,
  ask: Pick<Ask, 'id' | 'watch'> | null,
  receipts: readonly string[] = [],
  change: Partial<TextReply> = {},
): string {
  const head = formatTextReply({
    state,
    id: ask?.id ?? null,
    watch: ask?.watch ?? null,
    code: null,
    answerBy: null,
    claimBy: null,
    hint: null,
    receipts: [],
    ...change,
  });
  return head + receipts.join('');
}

export const approved = (ask: Ask, ...receipts: string[]): string => reply('approved', ask, receipts);

function send(response: ServerResponse, reply: Reply): void {
  if (typeof reply === 'function') {
    reply(response);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' });
  response.end(reply);
}

function newRequestId(): RequestId {
  const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  return `01${Array.from(randomBytes(24), (byte) => base32[byte % 32]).join('')}` as RequestId;
}
