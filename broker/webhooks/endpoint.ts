import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { EpochMs } from '../../src/protocol/time.js';
import { VERSION } from '../../src/version.js';
import type { Receiver } from './configuration.js';
import { signedHeaders } from './signature.js';

/** Most of an answer that is read, in bytes. */
const MAX_ANSWER = 8 * 1024;
/** How long a connection is kept for the next call, in ms. */
const IDLE = 15_000;

/** What somebody answered who was called. */
export interface Answer {
  readonly status: number;
  /** Null where it was cut off, took too long or is longer than {@link MAX_ANSWER}. */
  readonly body: Buffer | null;
}

/** Nobody answered. `message` says why in one line, with nothing of the address or of what was sent. */
export class NoAnswer extends Error {}

export interface Letter {
  /** The same for every try of one message. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/**
 * Calls one receiver: signed, over https that trusts the CA of the receiver alone where it has one, without redirects, proxies
 * or cookies. Nothing of the environment changes that (NODE_TLS_REJECT_UNAUTHORIZED, HTTPS_PROXY); only for a receiver without
 * a CA of its own does NODE_EXTRA_CA_CERTS add to those that Node.js ships.
 */
export class Endpoint {
  readonly #receiver: Receiver;
  readonly #clock: () => EpochMs;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(receiver: Receiver, clock: () => EpochMs) {
    this.#receiver = receiver;
    this.#clock = clock;
    const options = { keepAlive: true, timeout: IDLE };
    this.#agent = receiver.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  get name(): string {
    return this.#receiver.name;
  }

  /** @throws NoAnswer, also after `abort` */
  async post(letter: Letter, abort: AbortSignal): Promise<Answer> {
    const { timeout } = this.#receiver;
    const late = AbortSignal.timeout(timeout);
    const signal = AbortSignal.any([abort, late]);
    try {
      const first = this.#start(letter, signal);
      try {
        return await received(first);
      } catch (error) {
        // It closed an idle connection just as this call took it: nothing was answered, so it is sent once more.
        if (!first.reusedSocket || codeOf(error) !== 'ECONNRESET') throw error;
        return await received(this.#start(letter, signal));
      }
    } catch (cause) {
      const why = late.aborted ? `no answer within ${timeout / 1000} s` : reasonOf(cause);
      throw new NoAnswer(why, { cause });
    }
  }

  /** Ends idle connections; calls under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  #start({ id, body }: Letter, signal: AbortSignal): ClientRequest {
    const { url, ca, secrets } = this.#receiver;
    const timestamp = Math.floor(this.#clock() / 1000);
    const options: RequestOptions = {
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json',
        'user-agent': `countersign/${VERSION}`,
        ...signedHeaders(secrets, { id, timestamp, body }),
      },
    };
    if (url.protocol === 'http:') return httpRequest(url, options).end(body);
    const trust = {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2' as const,
      ...(ca === null ? {} : { ca }),
    };
    return httpsRequest(url, { ...options, ...trust }).end(body);
  }
}

/** Resolves as soon as there is nothing more to read, or nothing more that is wanted. */
function received(request: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    // Without a listener for HTTP 101 the connection is closed, and nothing else is ever told.
    request.on('upgrade', ({ statusCode: status = 0 }: IncomingMessage, socket: Duplex) => {
      socket.destroy();
      resolve({ status, body: null });
    });
    request.on('response', (response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      const chunks: Buffer[] = [];
      let size = 0;
      // What it thinks of the message is known by now, however the connection or the time ends.
      const cutOff = (): void => resolve({ status, body: null });
      request.off('error', reject).on('error', cutOff);
      response.on('error', cutOff);
      response.on('data', (chunk: Buffer) => {
        size += chunk.byteLength;
        if (size <= MAX_ANSWER) {
          chunks.push(chunk);
        } else {
          cutOff();
          response.destroy();
        }
      });
      response.on('end', () => resolve({ status, body: Buffer.concat(chunks) }));
    });
  });
}

function reasonOf(cause: unknown): string {
  const code = codeOf(cause);
  if (code.startsWith('HPE_')) return 'the answer is not HTTP';
  if (code === 'ABORT_ERR') return 'the broker stops';
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) return `its certificate is not trusted (${code})`;
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `TLS fails (${code})`;
  return code === '' ? 'the connection failed' : `no connection (${code})`;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
