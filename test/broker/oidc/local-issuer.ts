import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

export const CI_CLAIMS = {
  sub: 'repo:acme/shop:environment:production',
  repository: 'acme/shop',
  environment: 'production',
  ref: 'refs/heads/main',
  sha: '4f2a91c0d7e84b5a9c31f6d2e8b07a1594c3d6ef',
  run_id: '8123456789',
  run_attempt: '1',
  actor: 'alice',
} as const;

export type SigningKey = Awaited<ReturnType<typeof makeKey>>;

/** A key pair with its id, and the public half as it stands in a key set. */
export async function makeKey(alg: 'RS256' | 'ES256', kid: string) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return { alg, kid, privateKey, publicKey, jwk };
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An OpenID provider on a free port of this machine, whose every document a test can replace. */
export class LocalIssuer {
  readonly issuer: string;
  /** Published in this order. */
  keys: SigningKey[];
  /** What is fetched, by path. */
  readonly fetched: string[] = [];
  /** Takes the place of a document. */
  readonly instead = new Map<string, Handler>();

  private constructor(server: Server, scheme: string, keys: SigningKey[]) {
    this.issuer = `${scheme}://localhost:${(server.address() as AddressInfo).port}/oidc`;
    this.keys = keys;
  }

  static async start(tls: { cert: string; key: string } | null = null): Promise<LocalIssuer> {
    let issuer: LocalIssuer | null = null;
    const handler: Handler = (request, response) => issuer?.answer(request, response);
    const server = tls === null ? createServer(handler) : (createTlsServer(tls, handler) as Server);
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    issuer = new LocalIssuer(server, tls === null ? 'http' : 'https', [await makeKey('RS256', 'first')]);
    return issuer;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').replace('/oidc', '');
    this.fetched.push(path);
    const replaced = this.instead.get(path);
    if (replaced !== undefined) replaced(request, response);
    else if (path === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: this.issuer, jwks_uri: `${this.issuer}/keys` }));
    } else if (path === '/keys') response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
    else response.writeHead(404).end();
  }

  /** A token as this issuer makes it for a job, but for what is changed; `undefined` leaves a claim out. */
  async token(
    now: number,
    { claims = {}, key = this.keys[0], header = {} }: TokenChange = {},
  ): Promise<string> {
    if (key === undefined) throw new Error('no key');
    const seconds = Math.floor(now / 1000);
    const payload: JWTPayload = {
      iss: this.issuer,
      aud: 'countersign',
      iat: seconds,
      nbf: seconds,
      exp: seconds + 300,
      jti: 'c0ffee',
      ...CI_CLAIMS,
      ...claims,
    };
    const { alg, kid, privateKey } = key;
    return new SignJWT(payload).setProtectedHeader({ alg, kid, typ: 'JWT', ...header }).sign(privateKey, {
      crit: { exp: true },
    });
  }
}

export interface TokenChange {
  readonly claims?: Record<string, unknown>;
  readonly key?: SigningKey | undefined;
  readonly header?: Record<string, string>;
}
