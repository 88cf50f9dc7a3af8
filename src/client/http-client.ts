import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type * as z from 'zod';
import type { BearerToken, OidcToken } from '../protocol/names.js';
import { PROBLEMS, Problem, type ProblemCode } from '../protocol/problems.js';
import { decodeReply } from '../protocol/request-view.js';
import { type BrokerAddress, basePath, formatAddress } from './address.js';

export interface HttpClientOptions {
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string | undefined;
  /** Longest time for one reply, in ms, beside the seconds that a call allows the broker to wait. */
  readonly timeout?: number;
  /** Largest reply, in bytes. */
  readonly maxReplyBytes?: number;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Begins with `/v1/`; query included. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly token?: BearerToken | OidcToken | undefined;
  /** Seconds for which the broker may hold back its answer (`Prefer: wait`, RFC 7240). */
  readonly wait?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Calls a broker as somebody who is signed in there. */
export type CallAs = <Schema extends z.ZodType>(
  schema: Schema,
  call: Omit<HttpCall, 'token'>,
) => Promise<z.output<Schema>>;

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

const DEFAULTS = { timeout: 10_000, maxReplyBytes: 32 * 1024 * 1024 } as const;
const GATEWAY_ERRORS: readonly number[] = [502, 503, 504];
/** Longest text that is taken over from a problem document. */
const MAX_PROBLEM_TEXT = 2000;

/** Talks to one broker over HTTP, HTTPS or its Unix socket. Every byte of a reply is taken for hostile. */
export class HttpClient {
  readonly address: BrokerAddress;
  readonly ca: string | undefined;
  readonly #timeout: number;
  readonly #maxReplyBytes: number;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(address: BrokerAddress, options: HttpClientOptions = {}) {
    this.address = address;
    this.ca = options.ca;
    this.#timeout = options.timeout ?? DEFAULTS.timeout;
    this.#maxReplyBytes = options.maxReplyBytes ?? DEFAULTS.maxReplyBytes;
    this.#agent = isHttps(address) ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /**
   * Makes one call and parses its reply. Redirects are not followed.
   *
   * @throws Problem the one that the broker answered with; `broker-unreachable`; `broker-reply` for everything that is
   * not an answer of a broker. The reason of `signal` where that was aborted.
   */
  async call<Schema extends z.ZodType>(schema: Schema, call: HttpCall): Promise<z.output<Schema>> {
    const reply = await this.#exchange(call);
    // A proxy speaks for a broker that is away or slow: it is worth another try, like a broken connection.
    if (GATEWAY_ERRORS.includes(reply.status) && !isJson(reply)) {
      throw this.#unreachable(`a gateway answers with HTTP ${reply.status}`, undefined);
    }
    const value = parseJson(reply);
    if (reply.status >= 200 && reply.status < 300) return decodeReply(schema, value);
    throw toProblem(reply.status, value);
  }

  /** Ends idle connections; calls under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  async #exchange(call: HttpCall): Promise<Reply> {
    const timeout = AbortSignal.timeout(this.#timeout + (call.wait ?? 0) * 1000);
    const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
    signal.throwIfAborted();
    try {
      return await this.#send(call, signal);
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof Problem) throw error;
      if (timeout.aborted) throw this.#unreachable('it does not answer in time', error);
      throw this.#networkProblem(error);
    }
  }

  async #send(call: HttpCall, signal: AbortSignal): Promise<Reply> {
    const first = this.#start(call, signal);
    try {
      return await this.#receive(first);
    } catch (error) {
      // The broker closed an idle connection just as this call took it: nothing was answered, so it is sent once more.
      if (!first.reusedSocket || errorCode(error) !== 'ECONNRESET') throw error;
      return this.#receive(this.#start(call, signal));
    }
  }

  #start({ method, path, body, token, wait }: HttpCall, signal: AbortSignal): ClientRequest {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      signal,
      headers: {
        accept: 'application/json',
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': payload.byteLength }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(wait === undefined ? {} : { prefer: `wait=${wait}` }),
      },
    };
    const { address } = this;
    if (address.kind === 'socket') {
      return httpRequest({ ...options, socketPath: address.path, host: 'localhost', path }).end(payload);
    }
    const url = new URL(basePath(address.url) + path, address.url.origin);
    if (!isHttps(address)) return httpRequest(url, options).end(payload);
    return httpsRequest(url, { ...options, ...(this.ca === undefined ? {} : { ca: this.ca }) }).end(payload);
  }

  #receive(request: ClientRequest): Promise<Reply> {
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > this.#maxReplyBytes) {
            response.destroy(
              new Problem('broker-reply', `the reply is larger than ${this.#maxReplyBytes} bytes`),
            );
          } else chunks.push(chunk);
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? '',
            body: Buffer.concat(chunks),
          }),
        );
      });
    });
  }

  #networkProblem(error: unknown): Problem {
    const code = errorCode(error);
    if (code.startsWith('HPE_')) {
      return new Problem('broker-reply', 'the reply is not HTTP', { cause: error });
    }
    if (code === 'ENOENT' || code === 'ECONNREFUSED') {
      return this.#unreachable(
        'nobody listens there',
        error,
        'start one: countersign up, or countersign serve',
      );
    }
    if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
      return this.#unreachable(
        `its certificate is not trusted (${code})`,
        error,
        'give its CA with --ca FILE',
      );
    }
    return this.#unreachable(code === '' ? 'the connection failed' : code, error);
  }

  #unreachable(why: string, cause: unknown, hint?: string): Problem {
    const message = `cannot reach the broker at ${formatAddress(this.address)}: ${why}`;
    return new Problem('broker-unreachable', message, { cause, ...(hint === undefined ? {} : { hint }) });
  }
}

/** With these a connection fails before anything is sent over it. */
const NOT_SENT =
  /^(?:ECONNREFUSED|ENOENT|EACCES|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$|CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/;

/** Whether the broker may have done what a call asked for, though the call failed: it was on its way, and no answer came. */
export function mayHaveArrived(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  if (error.code === 'broker-reply') return true;
  return error.code === 'broker-unreachable' && !NOT_SENT.test(errorCode(error.cause));
}

/**
 * Reads a problem document (RFC 9457) of a broker. Its texts are untrusted.
 *
 * @returns the problem that was reported, or `broker-reply` where it is none of ours
 */
export function toProblem(status: number, value: unknown): Problem {
  const { code, detail, hint } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (!isProblemCode(code))
    return new Problem('broker-reply', `the broker answered with HTTP status ${status}`);
  const text = (given: unknown): string | undefined =>
    typeof given === 'string' && given !== '' ? given.slice(0, MAX_PROBLEM_TEXT) : undefined;
  const advice = text(hint);
  return new Problem(
    code,
    text(detail) ?? code.replaceAll('-', ' '),
    advice === undefined ? {} : { hint: advice },
  );
}

const isProblemCode = (code: unknown): code is ProblemCode =>
  typeof code === 'string' && Object.hasOwn(PROBLEMS, code);

const isJson = ({ contentType }: Reply): boolean =>
  /^application\/(?:problem\+)?json(?:;|$)/i.test(contentType);

function parseJson(reply: Reply): unknown {
  const { status, body } = reply;
  if (status === 204) return null;
  if (status >= 300 && status < 400)
    throw new Problem('broker-reply', 'the broker redirects; redirects are not followed');
  if (!isJson(reply)) {
    throw new Problem('broker-reply', `the reply (HTTP status ${status}) is not JSON`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new Problem('broker-reply', 'the reply is not valid JSON', { cause });
  }
}

const isHttps = (address: BrokerAddress): boolean =>
  address.kind === 'url' && address.url.protocol === 'https:';

const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
