import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Claim, type Digest, isRequestId, type Nonce, type RequestId } from './names.js';
import { time } from './request-view.js';

/**
 * A canary is a request that nobody needs: whoever approves it did not read it. It looks like any other until its submitter
 * reveals the secret behind its nonce. The nonce is bound to the secret when it is asked, so that no real request can be called a
 * canary afterwards, and no canary a real request.
 */
export type CanarySecret = string & { readonly __canarySecret: never };

const HEX_256 = /^[0-9a-f]{64}$/;
export const isCanarySecret = (text: unknown): text is CanarySecret =>
  typeof text === 'string' && HEX_256.test(text);

/** The secret of an ask, from its claim, which the asker keeps for himself: there is nothing else to keep. */
export const canarySecret = (claim: Claim): CanarySecret =>
  sha256(`countersign-canary-secret 1\n${claim}\n`) as CanarySecret;

/** The nonce of a canary: the first 128 bits of SHA-256 over its secret and its scope. */
export const canaryNonce = (secret: CanarySecret, scope: Digest): Nonce =>
  sha256(`countersign-canary 1\n${secret}\n${scope}\n`).slice(0, 32) as Nonce;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** How long canaries count for their approvers, in days. */
export const CANARY_DAYS = 90;

const requestId = z.custom<RequestId>(isRequestId, 'not a request id');

/** `GET /v1/canaries`: how the signed-in approver decided on those of the last {@link CANARY_DAYS} days. */
export const canariesReply = z.object({
  /** Denied. */
  caught: z.int().min(0),
  /** Approved, newest first, at most ten of them. */
  missed: z.array(z.object({ id: requestId, revealed: time })),
  /** How many were approved. */
  missedCount: z.int().min(0),
  /** Older ones were not looked for; null where all of those days were. */
  searchedTo: z.nullable(time),
});
export type CanariesReply = z.output<typeof canariesReply>;
