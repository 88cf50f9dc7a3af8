import type { IncomingMessage } from 'node:http';
import { isBearerToken } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Principal } from '../access/principal.js';
import { hashToken } from '../access/tokens.js';
import type { Principals } from '../roster/principals.js';
import type { Store } from '../store/store.js';

/** How the bytes came in. Set by the listener that accepted the connection, never derived from what the peer sent. */
export type Transport = 'tcp' | 'socket';

/** Three parts with dots between them (RFC 7515 section 7.1), which no token of ours has. */
const JSON_WEB_TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Who is calling: the holder of a bearer token (session, watch token or submitter token), else whoever the transport
 * vouches for. Headers that name a user or an address are never read.
 *
 * @throws Problem `unauthenticated` for a token that is malformed, unknown or ended.
 */
export async function authenticate(
  message: IncomingMessage,
  transport: Transport,
  context: { readonly store: Store; readonly principals: Principals; readonly now: EpochMs },
): Promise<Principal> {
  const { authorization } = message.headers;
  if (authorization === undefined) return transport === 'socket' ? { kind: 'owner' } : { kind: 'anonymous' };
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
  if (token !== undefined && JSON_WEB_TOKEN.test(token)) return { kind: 'unverified', token };
  if (!isBearerToken(token))
    throw new Problem('unauthenticated', 'the Authorization header is not a bearer token');
  const hash = hashToken(token);
  const session = context.store.findSession(hash);
  if (session !== null) {
    if (session.expires <= context.now) throw new Problem('unauthenticated', 'the session has ended');
    const owner = context.principals.signer(session.key, context.now);
    return { kind: 'approver', name: owner.name, session };
  }
  const submitter = context.principals.submitterByToken(hash);
  if (submitter !== null) return { kind: 'submitter', submitter };
  const asker = await context.store.findAsker(hash);
  if (asker !== null) return { kind: 'asker', hash, request: asker.request };
  throw new Problem('unauthenticated', 'the token is unknown or has ended');
}

/** The name under which a principal's calls are counted. */
export function principalKey(principal: Principal, message: IncomingMessage): string {
  switch (principal.kind) {
    case 'anonymous':
    case 'unverified':
      return `address ${message.socket.remoteAddress ?? 'unknown'}`;
    case 'owner':
      return 'owner';
    case 'submitter':
      return `submitter ${principal.submitter.name}`;
    case 'asker':
      return `request ${principal.request}`;
    case 'approver':
      return `approver ${principal.name}`;
  }
}
