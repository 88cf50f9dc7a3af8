import * as z from 'zod';
import { parseDocument } from '../../../src/protocol/document.js';
import { subjectOf, type Verdict } from '../../../src/protocol/filter.js';
import {
  type Claim,
  type Digest,
  isClaim,
  isDigest,
  isName,
  isRequestId,
  type Name,
  type RequestId,
} from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import { OUTCOMES, REQUEST_STATES, type RequestState } from '../../../src/protocol/request-view.js';
import { parseStrictJson } from '../../../src/protocol/strict-json.js';
import type { Request } from '../../requests/request.js';

const name = z.custom<Name>(isName, 'not a name');
const claim = z.custom<Claim>(isClaim, 'not a claim');
const epochMs = z.int();
const digestText = z.custom<Digest>(isDigest, 'not a digest');

const voteSchema = z.strictObject({
  approver: name,
  verdict: z.enum(['approve', 'deny']),
  decided: epochMs,
  notAfter: epochMs,
  covers: z.enum(['request', 'scope']).default('request'),
  duration: z.int().default(0),
  uses: z.int().default(1),
  comment: z.string(),
  receipt: z.string(),
});

/**
 * What changes during the life of a request; kept as one JSON text, because nothing of it is queried. The defaults are for
 * rows of before there were grants: each approval was for one document, and opened it once. What approvers said stands only
 * where they said something.
 */
const lifeSchema = z.strictObject({
  answerBy: epochMs,
  claimBy: z.nullable(epochMs),
  votes: z.readonly(z.array(voteSchema)),
  alone: z
    .nullable(z.strictObject({ vote: voteSchema, opensAt: epochMs, opened: z.boolean() }))
    .default(null),
  missing: z.readonly(z.array(z.string())),
  claim: z.nullable(claim),
  redeemedAt: z.nullable(epochMs),
  grant: z.nullable(z.custom<RequestId>(isRequestId, 'not a request id')).default(null),
  uses: z.int().default(0),
  watchedAt: z.nullable(epochMs).default(null),
  report: z.nullable(
    z.strictObject({ claim, outcome: z.enum(OUTCOMES), code: z.nullable(z.string()), at: epochMs }),
  ),
  canary: z.nullable(epochMs).default(null),
  endedAt: z.nullable(epochMs),
  endedBy: z.nullable(z.string()),
  comments: z.readonly(z.array(z.strictObject({ by: name, at: epochMs, text: z.string() }))).default([]),
  escalated: z.nullable(z.strictObject({ by: name, at: epochMs })).default(null),
  askers: z.int(),
  idleSince: z.nullable(epochMs),
});

const rowSchema = z.object({
  id: z.custom<RequestId>(isRequestId, 'not a request id'),
  digest: z.instanceof(Buffer),
  submitter: name,
  scope: z.instanceof(Buffer),
  state: z.enum(REQUEST_STATES),
  submitted_at: epochMs,
  canonical: z.string(),
  vouched: z.nullable(z.string()),
  verified: z.nullable(z.string()),
  rule: z.string(),
  policy: z.instanceof(Buffer),
  life: z.string(),
});

/** A step of the signers files, kept as one JSON text. */
export const rosterStepSchema = z.strictObject({
  serial: z.int().min(1),
  old: digestText,
  next: digestText,
  needed: z.int().min(1),
  signatures: z.readonly(z.array(z.strictObject({ approver: name, validUntil: epochMs, text: z.string() }))),
});

/** A legal hold, kept as one JSON text. */
export const holdSchema = z.strictObject({ name, filter: z.string(), reason: z.string(), since: epochMs });

/** A row of the table `requests` as it is read. */
export type RequestRow = z.input<typeof rowSchema>;

/** The columns of {@link RequestRow}. */
export const REQUEST_COLUMNS = Object.keys(rowSchema.shape).join(', ');

/**
 * Reads a row. The document is parsed from its stored text again, so that a row whose text and digest have come apart
 * is never shown to anybody.
 *
 * @throws Problem `storage-failed` if the row is damaged
 */
export function requestFromRow(row: RequestRow): Request {
  try {
    const { id, digest, submitter, scope, state, submitted_at, canonical, life, ...texts } =
      rowSchema.parse(row);
    const { vouched, verified, rule, policy } = texts;
    const bound = parseDocument(parseStrictJson(canonical));
    if (bound.canonical !== canonical) throw new TypeError('the document is not canonical');
    if (bound.digest !== digestOf(digest)) throw new TypeError('the document has another digest');
    if (bound.scope !== digestOf(scope)) throw new TypeError('the document has another scope');
    return {
      ...bound,
      id,
      submitter,
      vouched,
      verified,
      rule,
      policy: digestOf(policy),
      submittedAt: submitted_at,
      state,
      ...lifeSchema.parse(JSON.parse(life)),
    };
  } catch (cause) {
    throw damaged(row.id, cause);
  }
}

const damaged = (id: unknown, cause: unknown): Problem =>
  new Problem('storage-failed', `the stored request ${JSON.stringify(id)} is damaged`, {
    hint: 'restore the database from a back-up',
    cause,
  });

const erasedLifeSchema = z.strictObject({ end: z.enum(REQUEST_STATES), endedAt: z.nullable(epochMs) });

/**
 * How an erased request ended, which is all that its column `life` still tells; null for every other row.
 *
 * @throws Problem `storage-failed` if the row is damaged
 */
export function endOfErased({ id, state, life }: RequestRow): RequestState | null {
  if ((state as string) !== 'erased') return null;
  try {
    return erasedLifeSchema.parse(JSON.parse(life)).end;
  } catch (cause) {
    throw damaged(id, cause);
  }
}

/** Writes the column `life`. */
export function lifeOf(request: Request): string {
  const { answerBy, claimBy, votes, alone, missing, claim, redeemedAt, report, endedAt, endedBy } = request;
  const { grant, uses, watchedAt, canary, comments, escalated, askers, idleSince } = request;
  return JSON.stringify({
    answerBy,
    claimBy,
    votes,
    alone,
    missing,
    claim,
    redeemedAt,
    grant,
    uses,
    watchedAt,
    report,
    canary,
    endedAt,
    endedBy,
    ...(comments.length === 0 ? {} : { comments }),
    ...(escalated === null ? {} : { escalated }),
    askers,
    idleSince,
  } satisfies z.input<typeof lifeSchema>);
}

/** A row of the table `request_search`. */
export interface SearchRow {
  readonly id: RequestId;
  readonly state: string;
  readonly outcome: string;
  readonly requester: string;
  readonly submitter: string;
  readonly action: string;
  readonly resource: string;
  readonly door: string;
  readonly approved: string;
  readonly denied: string;
  readonly reason: string;
}

/** What a request is searched by. */
export function searchRowOf(request: Request): SearchRow {
  const { votes, outcome, reason, ...subject } = subjectOf(request);
  const voters = (verdict: Verdict): string =>
    votes
      .filter((vote) => vote.verdict === verdict)
      .map(({ approver }, index) => (index === 0 ? ` ${approver} ` : `${approver} `))
      .join('');
  return {
    ...subject,
    outcome: outcome ?? '',
    reason: reason ?? '',
    approved: voters('approve'),
    denied: voters('deny'),
  };
}

const HEX_256 = /^[0-9a-f]{64}$/;

/** The 32 bytes of a SHA-256 in lower-case hex. */
export function bytesOf(hex: string): Buffer {
  if (!HEX_256.test(hex)) throw new TypeError('not 64 lower-case hex digits');
  return Buffer.from(hex, 'hex');
}

export const digestBytes = (digest: Digest): Buffer => bytesOf(digest.slice('sha256:'.length));

export const digestOf = (bytes: Buffer): Digest => `sha256:${bytes.toString('hex')}` as Digest;
