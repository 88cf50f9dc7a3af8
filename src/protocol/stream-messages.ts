import * as z from 'zod';
import { signedHeadSchema } from './audit-head.js';
import { outdatedDoorSchema } from './door-messages.js';
import { isName, isRequestId, type Name, type RequestId } from './names.js';
import { sinkStandingSchema } from './outbox-messages.js';
import { refusedPolicySchema } from './policy-messages.js';
import { decodeReply, requestViewSchema, talkedStatusSchema } from './request-view.js';
import { restorationSchema } from './restoration.js';
import { restraintsSchema } from './restraints.js';
import { openReviewSchema } from './review.js';
import { parseStrictJson } from './strict-json.js';

/** What the event log records about a request. */
export const REQUEST_EVENTS = [
  'request.submitted',
  'request.voted',
  'request.reconsidered',
  'request.alone',
  'request.approved',
  'request.denied',
  'request.expired',
  'request.cancelled',
  'request.lapsed',
  'request.revoked',
  'request.used',
  'request.redeemed',
  'request.watched',
  'request.reported',
  'request.reviewed',
  'request.commented',
  'request.escalated',
  'request.canary',
] as const;
export type RequestEventKind = (typeof REQUEST_EVENTS)[number];

const seq = z.int().min(0);
const name = z.custom<Name>(isName, 'not a name');
const id = z.custom<RequestId>(isRequestId, 'not a request id');

/** Who has a request open. */
const readersSchema = z.object({ id, names: z.array(name) });
export interface Readers {
  readonly id: RequestId;
  readonly names: readonly Name[];
}

/**
 * What the broker sends on `GET /v1/stream`. `epoch` names one life of one database: a `seq` means something only
 * within it. A console that reconnects gives both and gets `resumed` and the events that it missed; where the broker
 * no longer has them, a new `snapshot`.
 */
export const streamMessageSchema = z.discriminatedUnion('type', [
  /** All live requests and the newest ended ones, as of `seq`. */
  z.object({
    type: z.literal('snapshot'),
    epoch: z.string(),
    seq,
    requests: z.array(requestViewSchema),
    restoration: z.nullable(restorationSchema).default(null),
  }),
  /** The events after the given `seq`, repeated here, follow; `waiting` gives the askers of every live request, `rings` who is rung. */
  z.object({
    type: z.literal('resumed'),
    epoch: z.string(),
    seq,
    waiting: z.record(z.string(), z.int()),
    rings: z.record(z.string(), z.array(name)).default({}),
  }),
  z.object({ type: z.literal('submitted'), seq, request: requestViewSchema }),
  z.object({
    type: z.literal('changed'),
    seq,
    kind: z.enum(REQUEST_EVENTS),
    id,
    status: talkedStatusSchema,
  }),
  /** An event that changes no request (roster, submitters): only its number matters, and `restoration` where it changed. */
  z.object({
    type: z.literal('other'),
    seq,
    restoration: z.optional(z.nullable(restorationSchema)),
  }),
  /** Askers came or went. Not part of the log, so without a number. */
  z.object({ type: z.literal('waiting'), id, waiting: z.int().min(0) }),
  /** What was opened by its requester alone and not reviewed yet; at the beginning, and when that changes. */
  z.object({ type: z.literal('reviews'), open: z.array(openReviewSchema) }),
  /** Other people are rung for a pending request than before. */
  z.object({ type: z.literal('ringing'), id, ring: z.array(name) }),
  /** Who is locked or muted; at the beginning, and when that changes. A mute ends by its time. */
  restraintsSchema.extend({ type: z.literal('restraints') }),
  /** The doors whose signers file is not what the roster exports; at the beginning, and when that changes. */
  z.object({ type: z.literal('doors'), outdated: z.array(outdatedDoorSchema) }),
  /** How the policy file fares, where there is one; at the beginning, and when that changes. */
  z.object({
    type: z.literal('policy'),
    refused: z.nullable(refusedPolicySchema),
    /** Groups whose command failed at its last run. */
    failing: z.array(z.string()),
  }),
  /** How what leaves the broker fares, where anything does; at the beginning, and when that changes, at most once a second. */
  z.object({ type: z.literal('outbox'), sinks: z.array(sinkStandingSchema) }),
  /**
   * Who reads what, for a console that asked for it with `presence=1`: at the beginning, and when that changes, at most once
   * a second. Only requests whose readers changed; without names where nobody reads any more. Not part of the log.
   */
  z.object({ type: z.literal('reading'), requests: z.array(readersSchema) }),
  /** A head of the log; when one was signed, and the newest one at the beginning. */
  signedHeadSchema.extend({ type: z.literal('head') }),
  /** Once a second: the number of the newest event and the broker's clock, in ms since 1970. */
  z.object({ type: z.literal('heartbeat'), seq, clock: z.int() }),
]);

export type StreamMessage = z.output<typeof streamMessageSchema>;

/** @throws Problem `broker-reply` */
export const decodeStreamMessage = (value: unknown): StreamMessage => decodeReply(streamMessageSchema, value);

/** All that a console says on the stream: which request it has open, null for none. */
const consoleMessageSchema = z.strictObject({ type: z.literal('reading'), id: z.nullable(id) });
export type ConsoleMessage = Readonly<z.output<typeof consoleMessageSchema>>;

export const encodeConsoleMessage = (message: ConsoleMessage): string => JSON.stringify(message);

/** Reads what a console says; null for anything else than exactly that. */
export function parseConsoleMessage(text: Uint8Array): ConsoleMessage | null {
  try {
    return consoleMessageSchema.parse(parseStrictJson(text));
  } catch {
    return null;
  }
}
