import * as z from 'zod';
import { ATTENTIONS } from './attention.js';
import type { BoundDocument } from './document.js';
import { parseDocument } from './document.js';
import {
  type BearerToken,
  type Claim,
  type Digest,
  type Fingerprint,
  isBearerToken,
  isClaim,
  isDigest,
  isFingerprint,
  isName,
  isRequestId,
  type Name,
  type RequestId,
} from './names.js';
import { Problem, type ProblemCode } from './problems.js';
import { MAX_SIGNED_TEXT_BYTES, parseSignedText, type SignedText } from './receipt.js';
import { OUTCOMES, REPORT_CODE, requestStatusSchema, requestViewSchema, time } from './request-view.js';
import { isJsonObject, type JsonValue } from './strict-json.js';
import { isCommentText, MAX_COMMENT_TEXT_BYTES } from './talk.js';

const name = z.custom<Name>(isName, 'not a name');
const claim = z.custom<Claim>(isClaim, 'not 32 lower-case hex digits');
const fingerprint = z.custom<Fingerprint>(isFingerprint, 'not a fingerprint');
const token = z.custom<BearerToken>(isBearerToken, 'not a token');
const digest = z.custom<Digest>(isDigest, 'not a digest');

/** `POST /v1/requests`, parsed. */
export interface SubmitBody {
  readonly bound: BoundDocument;
  /** Absent where the submitter authenticates by token or socket. */
  readonly statement: SignedText | null;
  /** With a claim, the receipts come at once if the request is already approved. */
  readonly claim: Claim | null;
  /** SHA-256 of the bytes of the signers file that the door checks receipts with; null where it does not say. */
  readonly signers: Digest | null;
}

/** @throws Problem `malformed-request`, `malformed-document`, `malformed-receipt`, `claim-needed` */
export function parseSubmitBody(body: JsonValue): SubmitBody {
  if (!isJsonObject(body)) throw new Problem('malformed-request', 'the body is not a JSON object');
  for (const key of Object.keys(body)) {
    if (!['document', 'statement', 'claim', 'signers'].includes(key)) {
      throw new Problem('malformed-request', `the body has an unknown field ${JSON.stringify(key)}`);
    }
  }
  const { statement, claim: offered, signers } = body;
  if (statement !== undefined && typeof statement !== 'string') {
    throw new Problem('malformed-receipt', 'statement is not a text');
  }
  if (offered !== undefined && !isClaim(offered)) {
    throw new Problem('claim-needed', 'claim is not 32 lower-case hex digits');
  }
  if (signers !== undefined && !isDigest(signers)) {
    throw new Problem('malformed-request', 'signers is not sha256: and 64 lower-case hex digits');
  }
  return {
    bound: parseDocument(body.document),
    statement: statement === undefined ? null : parseSignedText(statement),
    claim: offered ?? null,
    signers: signers ?? null,
  };
}

/** `POST /v1/requests/{id}/redeem` */
export const redeemBody = z.strictObject({ claim });
/** `POST /v1/requests/{id}/reports` */
export const reportBody = z.strictObject({
  claim,
  outcome: z.enum(OUTCOMES),
  code: z.optional(z.string().regex(REPORT_CODE)),
});
/** `POST /v1/requests/{id}/decisions` */
export const decisionBody = z.strictObject({ receipt: z.string() });
/** `POST /v1/requests/{id}/revocations` and `POST /v1/sessions` */
export const signedBody = z.strictObject({ statement: z.string() });
/** `POST /v1/requests/{id}/comments` */
export const commentBody = z.strictObject({
  text: z.string().refine(isCommentText, `not 1 to ${MAX_COMMENT_TEXT_BYTES} bytes of text`),
});
/** `POST /v1/requests/{id}/escalations` */
export const escalationBody = z.strictObject({});
/** `POST /v1/sessions/challenge`: the public key that will sign. */
export const challengeBody = z.strictObject({ key: z.string().max(4096) });

/** Longest time for which a former key of the broker stays good, in seconds: a year. */
export const MAX_OVERLAP = 366 * 86_400;
/** `POST /v1/broker/key`: for how many seconds the present key stays good. */
export const rotateKeyBody = z.strictObject({ overlap: z.int().min(0).max(MAX_OVERLAP) });

/** @throws Problem `malformed-request`, or the given code, naming the first field that is wrong. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  body: JsonValue,
  code: ProblemCode = 'malformed-request',
): z.output<Schema> {
  const result = z.safeParse(schema, body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.') || 'the body';
  throw new Problem(code, `${where}: ${issue?.message ?? 'malformed'}`);
}

// Replies

/** `GET /v1/broker` */
export const brokerReply = z.object({
  name: z.string(),
  fingerprint,
  /** The broker's public key: TYPE BASE64. */
  key: z.string(),
  version: z.string(),
  clock: time,
  /** Signed handovers from former keys that are still good, oldest first, each leading to the next. */
  handovers: z.array(z.string().max(MAX_SIGNED_TEXT_BYTES)).max(64).default([]),
});
export type BrokerReply = z.output<typeof brokerReply>;

/** `POST /v1/requests`, and `POST …/redeem` in JSON. */
export const submitReply = z.object({
  id: z.custom<RequestId>(isRequestId, 'not a request id'),
  digest,
  watch: z.nullable(token),
  status: requestStatusSchema,
  answerBy: time,
  /** Who is looking at it; null once it is no longer pending. */
  attention: z.nullable(z.enum(ATTENTIONS)).default(null),
  /** Filled once this claim has redeemed. */
  receipts: z.array(z.string()),
});
export type SubmitReply = z.output<typeof submitReply>;

/** `GET /v1/requests` */
export const listReply = z.object({
  requests: z.array(requestViewSchema),
  /** The `cursor` with which the list goes on; null once everything has been looked through. */
  next: z.nullable(z.custom<RequestId>(isRequestId, 'not a request id')),
  /** Everything that was asked later has been looked at; null where all has. */
  searchedTo: z.nullable(time).default(null),
});
export type ListReply = z.output<typeof listReply>;

/** `POST /v1/sessions/challenge` */
export const challengeReply = z.object({
  approver: name,
  broker: fingerprint,
  challenge: z.string(),
  expires: time,
});
export type ChallengeReply = z.output<typeof challengeReply>;

/** `POST /v1/sessions` */
export const sessionReply = z.object({ token, approver: name, expires: time });
export type SessionReply = z.output<typeof sessionReply>;
