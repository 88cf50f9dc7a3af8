import * as z from 'zod';
import { isName, isRequestId, type Name, type RequestId } from './names.js';
import { time } from './request-view.js';

const name = z.custom<Name>(isName, 'not a name');

/** Where something goes when it leaves the broker, and how that fares. */
export const sinkStandingSchema = z.object({
  /** `command`, or `webhook:NAME`. */
  sink: z.string(),
  /** Whether it stands in the configuration; what waits for one that does not, waits for ever. */
  configured: z.boolean(),
  /** Events that it has not taken, without those that were given up. What was not looked at yet counts, wanted or not. */
  waiting: z.int().min(0),
  /** Dead letters: given up, until somebody has them sent again or drops them. */
  dead: z.int().min(0),
  /** Why the last try failed, which is made again; null where it did not, or was given up. */
  failing: z.nullable(z.string()),
});
export type SinkStanding = z.output<typeof sinkStandingSchema>;

/** An event that a receiver has not taken, and that is not sent any more. */
export const deadLetterSchema = z.object({
  sink: z.string(),
  /** Number of the event. */
  event: z.int().min(1),
  kind: z.string(),
  /** When the event was written. */
  at: time,
  request: z.nullable(z.custom<RequestId>(isRequestId, 'not a request id')),
  /** What that request asks for; null where the event is about none. */
  about: z.nullable(z.object({ requester: name, action: z.string(), resource: z.string() })),
  attempts: z.int().min(1),
  /** When it was given up. */
  dead: time,
  /** Why. */
  error: z.string(),
});
export type DeadLetter = z.output<typeof deadLetterSchema>;

/** `GET /v1/outbox?sink=&after=&limit=`: all sinks, and one page of dead letters, those of one sink after the other, the oldest first. */
export const outboxReply = z.object({
  sinks: z.array(sinkStandingSchema),
  letters: z.array(deadLetterSchema),
  /** What to give as `after` for the next page; null at the end. */
  next: z.nullable(z.string()),
});
export type OutboxReply = z.output<typeof outboxReply>;

const sink = z.string().min(1).max(200);
const event = z.int().min(1);
const all = z.literal(true);

/**
 * `POST /v1/outbox/retries`: `event` is sent again at once, or `all` dead letters of the sink are; those wait behind them
 * that were held back.
 */
export const retryBody = z.union([z.strictObject({ sink, event }), z.strictObject({ sink, all })]);
/**
 * `POST /v1/outbox/drops`: the receiver is never sent `event`, or any of `all` dead letters; what was held back goes on.
 * `forget` is for a sink that is not configured any more: all that waits for it goes, and its place in the log.
 */
export const dropBody = z.union([
  z.strictObject({ sink, event }),
  z.strictObject({ sink, all }),
  z.strictObject({ sink, forget: all }),
]);
/** How many messages that was. */
export const outboxChangeReply = z.object({ letters: z.int().min(0) });
export type OutboxChangeReply = z.output<typeof outboxChangeReply>;
