import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet, type RequestOptions } from 'node:https';
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWTHeaderParameters } from 'jose';
import * as z from 'zod';
import { discoveryAddress, isKeyAddress } from '../../src/protocol/issuer.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** How fetched keys are kept, in ms. */
const FRESH = 10 * 60_000;
/** Least time between two fetches for a key that is unknown, or after one that failed. */
const COOLDOWN = 30_000;
const MAX_BYTES = 256 * 1024;

export interface KeySource {
  readonly issuer: string;
  /** PEM certificates that are trusted instead of the system's; null for those. */
  readonly ca: string | null;
  readonly clock: () => EpochMs;
  /** Longest time for one document, in ms. */
  readonly timeout: number;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

const configuration = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(256) });

/**
 * The public keys of one issuer, found through its discovery document (OpenID Connect Discovery 1.0), kept for ten
 * minutes and fetched anew for a key id that is not among them. However many tokens arrive, one fetch runs at a time.
 */
export class IssuerKeys {
  readonly #source: KeySource;
  #keys: KeySet | null = null;
  #fetchedAt: EpochMs = Number.NEGATIVE_INFINITY;
  #failure: { readonly problem: Problem; readonly at: EpochMs } | null = null;
  #fetching: Promise<KeySet> | null = null;

  constructor(source: KeySource) {
    this.#source = source;
  }

  /**
   * The key that a token names, for `jwtVerify`.
   *
   * @throws Problem `issuer-unreachable`; JOSEError where no key, or more than one, fits
   */
  readonly find = async (
    header: JWTHeaderParameters,
    token: FlattenedJWSInput,
  ): Promise<Awaited<ReturnType<KeySet>>> => {
    const keys = await this.#current();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.#isWithin(this.#fetchedAt, COOLDOWN))
        throw error;
      const rotated = await this.#fetch();
      return rotated(header, token);
    }
  };

  async #current(): Promise<KeySet> {
    if (this.#keys !== null && this.#isWithin(this.#fetchedAt, FRESH)) return this.#keys;
    return this.#fetch();
  }

  /** A clock that was set back makes nothing fresh. */
  #isWithin(at: EpochMs, length: number): boolean {
    const age = this.#source.clock() - at;
    return age >= 0 && age < length;
  }

  #fetch(): Promise<KeySet> {
    if (this.#failure !== null && this.#isWithin(this.#failure.at, COOLDOWN)) throw this.#failure.problem;
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<KeySet> {
    const { issuer, clock } = this.#source;
    try {
      const found = configuration.parse(await this.#read(discoveryAddress(issuer)));
      if (found.issuer !== issuer) throw new TypeError('its configuration names another issuer');
      if (!isKeyAddress(found.jwks_uri)) throw new TypeError('its keys are not behind https');
      const { keys } = keySet.parse(await this.#read(found.jwks_uri));
      const fetched = createLocalJWKSet({ keys: keys as { kty: string }[] });
      this.#keys = fetched;
      this.#fetchedAt = clock();
      this.#failure = null;
      return fetched;
    } catch (cause) {
      const problem = new Problem('issuer-unreachable', `no keys of ${issuer}: ${reason(cause)}`, { cause });
      this.#failure = { problem, at: clock() };
      throw problem;
    }
  }

  async #read(address: string): Promise<unknown> {
    const { ca, timeout } = this.#source;
    const url = new URL(address);
    const options: RequestOptions = {
      agent: false,
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(timeout),
      ...(ca === null ? {} : { ca }),
    };
    const body = await new Promise<string>((resolve, reject) => {
      const answered = (response: IncomingMessage): void => {
        // Redirects are not followed: they would lead to an address that nobody enrolled.
        if (response.statusCode !== 200) {
          response.destroy();
          reject(new TypeError(`it answers with HTTP ${response.statusCode}`));
          return;
        }
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > MAX_BYTES) response.destroy(new TypeError(`it sends more than ${MAX_BYTES / 1024} KiB`));
          else chunks.push(chunk);
        });
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      };
      const request =
        url.protocol === 'https:' ? httpsGet(url, options, answered) : httpGet(url, options, answered);
      request.on('error', reject);
    });
    return JSON.parse(body);
  }
}

function reason(cause: unknown): string {
  if (cause instanceof z.ZodError || cause instanceof SyntaxError) return 'it does not send what it should';
  if (cause instanceof TypeError) return cause.message;
  const code = (cause as { readonly code?: unknown }).code;
  if ((cause as Error).name === 'TimeoutError' || code === 'ABORT_ERR') return 'it does not answer in time';
  return typeof code === 'string' ? code : 'the connection fails';
}
