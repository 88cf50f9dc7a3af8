import { createHash } from 'node:crypto';
import type { BearerToken } from '../../src/protocol/names.js';
import type { TokenHash } from '../store/store.js';

export type RandomBytes = (count: number) => Buffer;

/** 256 random bits in base64url. */
export function randomToken(random: RandomBytes): BearerToken {
  return random(32).toString('base64url') as BearerToken;
}

/**
 * What is kept of a token. A plain SHA-256 is enough for 256 random bits, and looking a token up by its hash leaks
 * nothing through time.
 */
export function hashToken(token: BearerToken): TokenHash {
  return createHash('sha256').update(token).digest('hex');
}
