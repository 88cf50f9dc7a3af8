import * as z from 'zod';
import { isName, type Name } from './names.js';
import { time } from './request-view.js';

const name = z.custom<Name>(isName, 'is not a name');

/** Least time for which closed requests are kept, in seconds: what went wrong is often looked at weeks later. */
export const LEAST_RETENTION = 30 * 86_400;

/** Longest reason, in UTF-16 units. */
export const MAX_REASON = 500;

/** `POST /v1/holds`: keep the requests that a filter names (filter-text.ts), however old they are. */
export const placeHoldBody = z.strictObject({
  name,
  filter: z.string().min(1).max(1024),
  reason: z.string().min(1).max(MAX_REASON),
});
export type PlaceHoldBody = z.output<typeof placeHoldBody>;

/** A legal hold as it goes on the wire. */
export const holdSchema = z.object({ name, filter: z.string(), reason: z.string(), since: time });
export type Hold = z.output<typeof holdSchema>;

/** `GET /v1/holds`: by name. */
export const holdsReply = z.object({ holds: z.array(holdSchema) });

/** How retention fares, in the status. */
export const retentionSchema = z.object({
  /** How long closed requests are kept, in seconds; null for ever. */
  keep: z.nullable(z.int()),
  /** By how many ms the time by which it goes is behind the clock. */
  behind: z.int(),
  /** The names of the legal holds. */
  holds: z.array(name),
});
