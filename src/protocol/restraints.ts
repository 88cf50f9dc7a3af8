import * as z from 'zod';
import { isName, isRequestId, type Name, type RequestId } from './names.js';
import { time } from './request-view.js';

/**
 * With what the signed comment of a deny begins that calls the request a fraud. It is reserved: clients write it only
 * where a person has said so, and refuse it in any other comment.
 */
export const FRAUD = 'fraud:';

/** The comment of a decision that calls the request a fraud. */
export const fraudComment = (comment: string): string => (comment === '' ? FRAUD : `${FRAUD} ${comment}`);

/** Whether a signed comment begins with the reserved word, in any case. */
export const isFraudComment = (comment: string): boolean =>
  comment.trimStart().toLowerCase().startsWith(FRAUD);

const name = z.custom<Name>(isName, 'not a name');

/** Nothing is asked in the name of this requester until an approver lifts it. */
export const lockSchema = z.object({
  /** A person of the roster, with all aliases, or an account that is nobody's. */
  requester: name,
  since: time,
  /** Who called which request a fraud. */
  by: name,
  request: z.custom<RequestId>(isRequestId, 'not a request id'),
  comment: z.string(),
});
export type LockView = z.output<typeof lockSchema>;

/** This requester may not ask for this resource for a while, after so many denials. */
export const muteSchema = z.object({ requester: name, resource: z.string(), until: time });
export type MuteView = z.output<typeof muteSchema>;

/** `GET /v1/locks`, and what consoles are told at each change. */
export const restraintsSchema = z.object({ locks: z.array(lockSchema), mutes: z.array(muteSchema) });
export type RestraintsView = z.output<typeof restraintsSchema>;

export const NO_RESTRAINTS_VIEW: RestraintsView = { locks: [], mutes: [] };
