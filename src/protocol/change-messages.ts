import * as z from 'zod';
import { submitReply } from './messages.js';
import type { Name } from './names.js';
import { rosterReply, submittersReply } from './roster-messages.js';

/** Actions that the broker alone asks for: it is their door, and what they change is its own. */
export const ROSTER_CHANGE = 'roster.change' as Name;
export const POLICY_CHANGE = 'policy.change' as Name;

/** The submitter of those requests. Nobody can be enrolled under it. */
export const BROKER_SUBMITTER = 'countersign' as Name;
/** Whoever may open the broker's socket, as the requester of a change: no person, so that one more must sign. */
export const OWNER = 'owner' as Name;

export const isChangeAction = (action: Name): boolean => action === ROSTER_CHANGE || action === POLICY_CHANGE;

/** Stands beside a change in its body: for the reader, like `context.reason` of any request. */
export const changeReason = z.optional(z.string().min(1).max(1000));

/** What a change answers: the list after it, or the request that it has become. */
export const rosterChangeReply = z.union([rosterReply, submitReply]);
export const submittersChangeReply = z.union([submittersReply, submitReply]);
