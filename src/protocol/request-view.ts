import * as z from 'zod';
import { parseDocument, type RequestDocument } from './document.js';
import { type Digest, isDigest, isName, isRequestId, type Name, type RequestId } from './names.js';
import { Problem } from './problems.js';
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.js';
import type { Comment, Escalated } from './talk.js';
import { type EpochMs, formatTime, parseTime } from './time.js';

/** Where a request stands in its life. `active` is a grant in use. */
export const REQUEST_STATES = [
  'pending',
  'approved',
  'active',
  'redeemed',
  'denied',
  'expired',
  'cancelled',
  'lapsed',
  'revoked',
] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** States in which something can still happen. */
export const isLive = (state: RequestState): state is 'pending' | 'approved' | 'active' =>
  state === 'pending' || state === 'approved' || state === 'active';

/** What a door says that it did. `observed` is a door that watches without enforcing: never a success. */
export const OUTCOMES = ['opened', 'refused', 'observed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A short machine word that a door gives as the reason of its report. */
export const REPORT_CODE = /^[a-z0-9-]{1,64}$/;

/** One counted decision. */
export interface VoteView {
  readonly approver: Name;
  readonly verdict: 'approve' | 'deny';
  readonly decided: EpochMs;
  readonly notAfter: EpochMs;
  /** `scope` for a lasting grant. */
  readonly covers: 'request' | 'scope';
  /** Seconds of work, from first use. */
  readonly duration: number;
  /** 0 is any number. */
  readonly uses: number;
  readonly comment: string;
  /** Statement and armor, as they were signed; empty for an asker whose claim has not redeemed. */
  readonly receipt: string;
}

export interface ReportView {
  readonly outcome: Outcome;
  readonly code: string | null;
  readonly at: EpochMs;
}

/** The requester's own yes, which opens once nobody has said no for a while. */
export interface LoneApprovalView {
  readonly vote: VoteView;
  readonly opensAt: EpochMs;
  readonly opened: boolean;
}

/** What changes during the life of a request. */
export interface RequestStatus {
  readonly state: RequestState;
  /** Set once approved: first use must lie before it. */
  readonly claimBy: EpochMs | null;
  /** How many askers are attached. */
  readonly waiting: number;
  readonly votes: readonly VoteView[];
  /** That the requester lets himself in alone (break-glass); null where not. */
  readonly alone: LoneApprovalView | null;
  /** What the rule still asks for, in words; empty once approved. */
  readonly missing: readonly string[];
  readonly redeemedAt: EpochMs | null;
  /** The lasting grant under which it was approved, by its id; the votes are then those of the grant. */
  readonly grant: RequestId | null;
  /** How often a lasting grant was used. */
  readonly uses: number;
  /** Since when a door watches what it opened, to end it once it is revoked; null where none said so. */
  readonly watchedAt: EpochMs | null;
  readonly report: ReportView | null;
  /** When its submitter revealed that it was a canary; null for every real request. */
  readonly canary: EpochMs | null;
  readonly endedAt: EpochMs | null;
  /** Why it ended, for a reader; null while live. */
  readonly endedBy: string | null;
}

/** What approvers said and did about a request among themselves. No asker is told of it. */
export interface RequestTalk {
  /** In the order in which they were said. */
  readonly comments: readonly Comment[];
  /** Null where nobody did. */
  readonly escalated: Escalated | null;
}

/**
 * Whether a door has claimed what its requester signed alone, and has not said yet what it did: its own delay may not be over,
 * so a revocation can still stop it.
 */
export const opensAloneLater = ({
  state,
  alone,
  report,
}: {
  readonly state: RequestState;
  readonly alone: Pick<LoneApprovalView, 'opened'> | null;
  readonly report: object | null;
}): boolean => state === 'redeemed' && alone?.opened === true && report === null;

/** Whether a revocation ends anything of it: what may still be used, or what its door ends (A27). */
export const isRevocable = (view: RequestView): boolean =>
  view.state === 'approved' ||
  view.state === 'active' ||
  (view.state === 'redeemed' &&
    (view.watchedAt !== null || view.report?.code === 'watched' || opensAloneLater(view)));

/** A request as approvers see it. Digests are claims of the broker: recompute them from what is shown. */
export interface RequestView extends RequestStatus, RequestTalk {
  readonly id: RequestId;
  readonly digest: Digest;
  readonly scope: Digest;
  readonly document: RequestDocument;
  readonly submitter: Name;
  /** The submit statement and its armor, null where the submitter cannot sign. */
  readonly vouched: string | null;
  /** What the broker itself verified about the ask, as text (verified-facts.ts); null for nothing. */
  readonly verified: string | null;
  /** The rule in force for this request, and its digest. */
  readonly rule: string;
  readonly policy: Digest;
  readonly submittedAt: EpochMs;
  readonly answerBy: EpochMs;
  /** Who is being rung for it so far; null where everybody but its requester is. */
  readonly ring: readonly Name[] | null;
}

const name = z.custom<Name>(isName, 'not a name');
const digest = z.custom<Digest>(isDigest, 'not a digest');
/** Wire form of a time: text outside, milliseconds inside. */
export const time = z.codec(
  z.custom<string>((text) => parseTime(text) !== null, 'not a time'),
  z.number(),
  {
    decode: (text) => parseTime(text) ?? Number.NaN,
    encode: formatTime,
  },
);

const document = z.codec(
  z.custom<JsonObject>((value) => isJsonObject(value as JsonValue)),
  z.custom<RequestDocument>(),
  {
    decode: (value, context) => {
      try {
        return parseDocument(value).document;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        context.issues.push({ code: 'custom', message: error.message, input: value });
        return z.NEVER;
      }
    },
    encode: ({ ...value }): JsonObject => value,
  },
);

const vote = z.object({
  approver: name,
  verdict: z.enum(['approve', 'deny']),
  decided: time,
  notAfter: time,
  covers: z.enum(['request', 'scope']).default('request'),
  duration: z.int().min(0).default(0),
  uses: z.int().min(0).default(1),
  comment: z.string(),
  receipt: z.string(),
});

export const reportSchema = z.object({
  outcome: z.enum(OUTCOMES),
  code: z.nullable(z.string().regex(REPORT_CODE)),
  at: time,
});

const status = {
  state: z.enum(REQUEST_STATES),
  claimBy: z.nullable(time),
  waiting: z.int().min(0),
  votes: z.array(vote),
  alone: z.nullable(z.object({ vote, opensAt: time, opened: z.boolean() })).default(null),
  missing: z.array(z.string()),
  redeemedAt: z.nullable(time),
  grant: z.nullable(z.custom<RequestId>(isRequestId, 'not a request id')).default(null),
  uses: z.int().min(0).default(0),
  watchedAt: z.nullable(time).default(null),
  report: z.nullable(reportSchema),
  canary: z.nullable(time).default(null),
  endedAt: z.nullable(time),
  endedBy: z.nullable(z.string()),
};

/** Absent where nothing was said, which is so for nearly all. */
const talk = {
  comments: z
    .array(z.object({ by: name, at: time, text: z.string() }))
    .readonly()
    .default([]),
  escalated: z.nullable(z.object({ by: name, at: time })).default(null),
};

/** Wire form of {@link RequestStatus}: times as text. `z.encode` writes it, `z.decode` reads it. */
export const requestStatusSchema = z.object(status);

/** The same with what only approvers are told. */
export const talkedStatusSchema = z.object({ ...status, ...talk });

/** Wire form of {@link RequestView}. The reader parses the document again and trusts no digest. */
export const requestViewSchema = z.object({
  id: z.custom<RequestId>(isRequestId, 'not a request id'),
  digest,
  scope: digest,
  document,
  submitter: name,
  vouched: z.nullable(z.string()),
  verified: z.nullable(z.string()),
  rule: z.string(),
  policy: digest,
  submittedAt: time,
  answerBy: time,
  ring: z.nullable(z.array(name).readonly()).default(null),
  ...status,
  ...talk,
});

/** @throws Problem `broker-reply` */
export function decodeReply<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = z.safeDecode(schema, value as z.input<Schema>);
  if (result.success) return result.data;
  throw new Problem('broker-reply', `the reply of the broker is malformed: ${z.prettifyError(result.error)}`);
}
