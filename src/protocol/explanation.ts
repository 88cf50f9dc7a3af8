import * as z from 'zod';
import { isName, isRequestId, type Name, type RequestId } from './names.js';
import { time } from './request-view.js';
import { groupName } from './rule.js';
import type { JsonValue } from './strict-json.js';

const name = z.custom<Name>(isName, 'not a name');

/** A part of a condition: whether it was true, and what it looked at, in words of at most {@link MAX_LOOKED_CHARS}. */
const judgedPartSchema = z.object({
  text: z.string(),
  /** Null where it comes to no answer; `failure` says why. */
  holds: z.nullable(z.boolean()),
  failure: z.nullable(z.string()),
  looked: z.array(z.string()),
});

export const MAX_LOOKED_CHARS = 300;

/** What a condition looked at, in words: `resource is "web-1"`. */
export function lookedWords(values: Readonly<Record<string, JsonValue | undefined>>): readonly string[] {
  return Object.entries(values).map(([what, value]) =>
    value === undefined ? `${what} is not there` : `${what} is ${JSON.stringify(value)}`,
  );
}

/** `GET /v1/requests/{id}/explanation`: how a request came under its rule, and who could sign it. */
export const explanationReply = z.object({
  id: z.custom<RequestId>(isRequestId, 'not a request id'),
  /** When it was asked: as of then conditions are judged. */
  asked: time,
  /** The policy in force now, as messages name it; null where there is none. */
  file: z.nullable(z.string()),
  /** Its rules in order, up to the one that decides. */
  tried: z.array(
    z.object({
      name: z.string(),
      line: z.int().min(0),
      outcome: z.enum(['decides', 'passed-over', 'no-answer']),
      parts: z.array(judgedPartSchema),
    }),
  ),
  /** The rule that the request was made under, by its pinned text. */
  rule: z.string(),
  /** Whether the policy in force now leads to just that rule. */
  isInForce: z.boolean(),
  /** Whether the requester is not one person of the roster. */
  isShared: z.boolean(),
  people: z.array(
    z.object({
      name,
      /** Groups of the rule that this person is in. */
      groups: z.array(groupName),
      signed: z.nullable(z.enum(['approve', 'deny'])),
      /** Why this person could not sign; null where that could be. */
      why: z.nullable(z.string()),
    }),
  ),
  /** What is asked for still, in words. */
  missing: z.array(z.string()),
  /** Whether all who could sign are enough together. */
  satisfiable: z.boolean(),
});
export type ExplanationReply = z.output<typeof explanationReply>;
