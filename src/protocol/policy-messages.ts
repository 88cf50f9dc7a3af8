import * as z from 'zod';
import { type Digest, isDigest, isName, type Name } from './names.js';
import { time } from './request-view.js';
import { groupName } from './rule.js';

const digest = z.custom<Digest>(isDigest, 'not a digest');
const name = z.custom<Name>(isName, 'not a name');

/** A policy file that is not in force: something is wrong with it, or others must agree. The one before it decides. */
export const refusedPolicySchema = z.object({
  file: z.string(),
  /** When it was found. */
  since: time,
  /** Whether it is good, and others are asked to approve it. */
  waiting: z.boolean().default(false),
  /** `FILE:LINE:COLUMN: MESSAGE`, each in one line. */
  mistakes: z.array(z.string()).min(1),
});
export type RefusedPolicy = z.output<typeof refusedPolicySchema>;

/** A group that a command tells. */
export const commandGroupSchema = z.object({
  name: z.string(),
  /** Path of the program, and its arguments. */
  command: z.array(z.string()),
  /** Nobody where the last good answer is too old. */
  members: z.array(name),
  /** Of them, who is nobody of the roster. */
  unknown: z.array(name),
  /** When it last gave a good answer; null for never. */
  answered: z.nullable(time),
  /** Why the last try failed; null where it did not. */
  failing: z.nullable(z.string()),
});
export type CommandGroupState = z.output<typeof commandGroupSchema>;

/** How a policy file fares, as `GET /v1/status` tells it. */
export const policyStandingSchema = z.object({
  file: z.string(),
  /** Of the text that is in force. */
  digest,
  loaded: time,
  rules: z.int(),
  groups: z.array(commandGroupSchema),
  refused: z.nullable(refusedPolicySchema),
});
export type PolicyStanding = z.output<typeof policyStandingSchema>;

/** `GET /v1/policy` */
export const policyReply = z.object({
  /** Null where there is no policy file, and any other person may approve anything. */
  policy: z.nullable(policyStandingSchema.extend({ text: z.string() })),
  /** The rules in force, in the order in which they are asked, by their pinned texts, with their lines in the file (0 for none). */
  order: z.array(z.object({ line: z.int().min(0), rule: z.string() })).default([]),
  /** Every group that the roster or the policy knows, who says so, and who is in it now. */
  groups: z.array(z.object({ name: groupName, source: z.string(), members: z.array(name) })).default([]),
});
export type PolicyReply = z.output<typeof policyReply>;
