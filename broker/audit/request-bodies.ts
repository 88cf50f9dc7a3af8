import * as z from 'zod';
import {
  type Digest,
  isDigest,
  isName,
  isRequestId,
  type Name,
  type RequestId,
} from '../../src/protocol/names.js';
import { time } from '../../src/protocol/request-view.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';

const name = z.custom<Name>(isName, 'not a name');
const digest = z.custom<Digest>(isDigest, 'not a digest');
const id = z.custom<RequestId>(isRequestId, 'not a request id');
/** Group, and who says that somebody is in it. */
const groups = z.record(z.string(), z.string());
const about = { id, digest };

/** What verification reads of the bodies of entries. Entries of older versions lack what is optional. */
export const BODIES = {
  submitted: z.object({
    ...about,
    scope: digest,
    submitter: name,
    rule: z.string(),
    policy: digest,
    verified: z.optional(z.string()),
    document: z.custom<JsonObject>((value) => typeof value === 'object'),
    answerBy: time,
  }),
  voted: z.object({ ...about, approver: name, receipt: z.string(), groups: z.optional(groups) }),
  alone: z.object({
    ...about,
    approver: name,
    receipt: z.string(),
    opensAt: time,
    groups: z.optional(groups),
  }),
  approved: z.object({
    ...about,
    automatic: z.optional(z.literal(true)),
    alone: z.optional(z.literal(true)),
    grant: z.optional(id),
    counted: z.optional(z.record(z.string(), groups)),
  }),
  denied: z.object({ ...about, receipt: z.optional(z.string()), because: z.string() }),
  revoked: z.object({
    ...about,
    statement: z.optional(z.string()),
    because: z.string(),
    groups: z.optional(groups),
  }),
  reviewed: z.object({ ...about, approver: name, statement: z.string() }),
  canary: z.object({ ...about, statement: z.string() }),
  reconsidered: z.object({ ...about, dropped: z.array(name) }),
  commented: z.object({ ...about, approver: name, text: z.string() }),
  escalated: z.object({ ...about, approver: name }),
  about: z.object(about),
  locked: z.object({ requester: name, asked: name, by: name, request: id, comment: z.string() }),
  unlocked: z.object({ requester: name, approver: name, statement: z.string() }),
} as const;

export type SubmittedBody = z.output<typeof BODIES.submitted>;
export type ApprovedBody = z.output<typeof BODIES.approved>;
