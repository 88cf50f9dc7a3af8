import * as z from 'zod';
import { isName, isRequestId, type Name, type RequestId } from './names.js';
import { reportSchema, time } from './request-view.js';

/** How far back it is looked at most, in days. */
export const BACKGROUND_DAYS = 30;
/** Most asks that are looked at, the newest. */
export const BACKGROUND_ASKS = 200;
/** Most decisions on the same scope that are told. */
export const EARLIER_DECISIONS = 5;
/** Longest address that is told, in UTF-16 units. */
export const MAX_ADDRESS_CHARS = 256;

/** Longest IANA name of a time zone that is taken, in characters. */
const MAX_ZONE_CHARS = 64;

/**
 * How the look back ended: after all of the days, after so many asks, because a search must end at some point, or where nothing
 * older is kept.
 */
export const REACHES = ['days', 'asks', 'search', 'kept'] as const;

const name = z.custom<Name>(isName, 'not a name');
const count = z.int().min(0);

/**
 * Something that is unusual about an ask. What was approved by somebody else, and not taken back or refused by the door, is what
 * counts as usual: nobody makes himself usual by asking.
 */
const unusual = z.discriminatedUnion('code', [
  /** The requester is somebody's name nearly: one that looks the same, or is one character away. */
  z.object({ code: z.literal('look-alike'), requester: name, name, by: z.enum(['looks', 'one-away']) }),
  /** So many asks were denied in the 24 hours before. */
  z.object({ code: z.literal('denied'), asks: z.int().min(1) }),
  /** Nothing of the requester was approved: everything is a first time. */
  z.object({ code: z.literal('nothing-approved') }),
  /** The address is what the submitter wrote; `signed` tells whether it signed for that. */
  z.object({
    code: z.literal('new-address'),
    address: z.string().max(MAX_ADDRESS_CHARS),
    submitter: name,
    signed: z.boolean(),
  }),
  /** No approved ask came within an hour of this time of day. */
  z.object({
    code: z.literal('new-hour'),
    at: z.string().regex(/^\d\d:\d\d$/),
    zone: z.string().max(MAX_ZONE_CHARS),
  }),
  z.object({ code: z.literal('new-submitter'), submitter: name }),
  z.object({ code: z.literal('new-resource') }),
]);
export type Unusual = z.output<typeof unusual>;

const earlier = z.object({
  request: z.custom<RequestId>(isRequestId, 'not a request id'),
  approver: name,
  verdict: z.enum(['approve', 'deny']),
  decided: time,
  /** What the door said that it did; null where it said nothing. */
  report: z.nullable(reportSchema),
});
export type EarlierDecision = z.output<typeof earlier>;

/**
 * Wire form of what came before an ask, times as text: `GET /v1/requests/{id}/background`. It is the word of the broker, to be
 * read and nothing else: no decision of the broker or of a door hangs on it.
 */
export const backgroundSchema = z.object({
  /** Whether the requester is somebody in the roster; then all names of that person were looked for. */
  isPerson: z.boolean(),
  /** All asks from then on were looked at. */
  since: time,
  reach: z.enum(REACHES),
  /** How many asks were looked at, and how many of them count as usual. */
  asks: count,
  approved: count,
  /** On the same scope, the newest first. */
  earlier: z.array(earlier).max(EARLIER_DECISIONS).readonly(),
  /** The gravest first. */
  unusual: z.array(unusual).max(16).readonly(),
});
export type Background = z.output<typeof backgroundSchema>;

/** Whether a text can be the IANA name of a time zone that is known here. */
export function isZone(text: string): boolean {
  if (text.length > MAX_ZONE_CHARS || !/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
