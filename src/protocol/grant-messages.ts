import * as z from 'zod';
import { isRequestId, type RequestId } from './names.js';
import { type RequestView, requestViewSchema, time } from './request-view.js';
import type { EpochMs } from './time.js';

/** Most watched requests that are told at once, the newest. */
export const MOST_WATCHED = 200;

const requestId = z.custom<RequestId>(isRequestId, 'not a request id');

/**
 * Wire form of what no request tells by itself, times as text: `GET /v1/grants`. The lasting grants themselves are live
 * requests, and stand in every list of those.
 */
export const grantsReply = z.object({
  /** When grants in force were last used; one that never was is left out. */
  uses: z.array(z.object({ id: requestId, at: time })).readonly(),
  /** What doors watch just now, to end it once it is revoked; the newest first. */
  watched: z.array(requestViewSchema).max(MOST_WATCHED).readonly(),
  /** How many older ones they watch beside these. */
  more: z.int().min(0),
});

/** {@link grantsReply}, read. */
export interface GrantsReply {
  readonly uses: readonly { readonly id: RequestId; readonly at: EpochMs }[];
  readonly watched: readonly RequestView[];
  readonly more: number;
}
