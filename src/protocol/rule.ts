import * as z from 'zod';
import { canonicalJson, sha256Digest } from './canonical.js';
import { MAX_DURATION_SECONDS } from './document.js';
import { type Digest, isName } from './names.js';
import { Problem } from './problems.js';
import { MAX_GROUP_CHARS, MAX_PLACES, MAX_QUORUM_GROUPS } from './quorum.js';
import { type JsonObject, parseStrictJson } from './strict-json.js';

const DAY = 86_400;
/** Most characters that a rule can want of an approver: so many fit into a signed comment in every script. */
export const MAX_APPROVERS_REASON = 80;

/** The name of a group, without `group:`. */
export const groupName = z
  .string()
  .max(MAX_GROUP_CHARS)
  .refine((text): boolean => isName(text), 'not the name of a group: a-z 0-9 . _ @ : + -');
const count = z.int().min(1).max(MAX_PLACES);
/** Seconds, at least one. */
const seconds = (longest: number) => z.int().min(1).max(longest);

const quorumSchema = z.strictObject({
  people: count,
  groups: z
    .array(z.strictObject({ group: groupName, count }))
    .max(MAX_QUORUM_GROUPS)
    .refine((groups) => new Set(groups.map(({ group }) => group)).size === groups.length, 'a group twice')
    .readonly(),
});

/** The rule that a request is decided by, in the form in which it is pinned, logged and shown. */
export const ruleSchema = z.strictObject({
  /** As the policy file calls it. */
  name: z.string().min(1).max(128),
  /** For which asks, in CEL; empty for all. */
  when: z.string().max(4096),
  /** One of these must be met; `automatic` needs nobody, and gives no receipt that a door would take. */
  approvals: z.union([z.literal('automatic'), z.array(quorumSchema).min(1).max(8).readonly()]),
  /** A requester who is not one person of the roster: one more must sign, or nobody may ask so, or as any other. */
  sharedRequester: z.enum(['one-more', 'refuse', 'accept']),
  /** Least characters of `context.reason`; null where none is needed. */
  reason: z.nullable(z.int().min(1).max(1000)),
  /** What the whole of `context.ticket` must match (RE2); null where none is needed. */
  ticket: z.nullable(z.string().max(256)),
  /** How long a pending request waits for an answer. */
  answerBy: seconds(DAY),
  /** In which time an approval must be used. */
  claimBy: seconds(DAY),
  /** Longest `not-after` − `decided`. */
  longestValidity: seconds(DAY),
  /** Seconds of work: what an approver is offered first, and the most that may be asked for. */
  work: z.strictObject({
    default: z.int().min(0).max(MAX_DURATION_SECONDS),
    longest: z.int().min(0).max(MAX_DURATION_SECONDS),
  }),
  /** Whether an approval may cover later equal asks, and how many uses at most (0 is any number); null where not. */
  grants: z.nullable(z.strictObject({ uses: z.int().min(0).max(10_000) })),
  /** Whether only touched security keys count. */
  touch: z.boolean(),
  /** Whether an approval must carry the number that the requester sees. */
  number: z.boolean(),
  /** Members of these groups may revoke; null for everybody in the roster. */
  revokers: z.nullable(z.array(groupName).min(1).max(16).readonly()),
  /** Whom to ring, and how long after the ask; null for everybody who could sign, at once. */
  escalation: z.nullable(
    z
      .array(
        z.strictObject({
          after: z.int().min(0).max(DAY),
          groups: z.array(groupName).min(1).max(16).readonly(),
        }),
      )
      .min(1)
      .max(8)
      .readonly(),
  ),
  /** Handed to the notification command; null for none. */
  channel: z.nullable(z.string().min(1).max(128)),
  /** That the requester alone is let in after a delay if nobody says no; null where not. */
  alone: z.nullable(
    z.strictObject({ group: groupName, delay: seconds(DAY), reason: z.int().min(1).max(1000) }),
  ),
  /** What a yes takes of whoever gives it; not there where nothing, so that rules from before it keep their digests. */
  confirm: z.optional(
    z
      .strictObject({
        /** Whether the approver's own program has the resource typed: nobody else can tell. */
        resource: z.boolean(),
        /** Least characters of the comment that is signed; null where none is needed. */
        reason: z.nullable(z.int().min(1).max(MAX_APPROVERS_REASON)),
      })
      .refine(({ resource, reason }) => resource || reason !== null, 'asks for nothing'),
  ),
});

export type Rule = z.output<typeof ruleSchema>;

/** A rule with its canonical text and the digest over that, as a request pins it and approvers sign for it. */
export interface PinnedRule extends Rule {
  readonly text: string;
  readonly digest: Digest;
}

/** Writes a rule down. */
export function pinRule(rule: Rule): PinnedRule {
  const text = canonicalJson(ruleSchema.parse(rule) as JsonObject);
  return { ...rule, text, digest: sha256Digest(text) };
}

/** Few rules are in force, and every decision reads one. */
const read = new Map<string, PinnedRule>();
const MAX_READ = 256;

/**
 * Reads a rule from its pinned text.
 *
 * @throws Problem `policy-changed` for anything that {@link pinRule} of this version does not write
 */
export function parseRule(text: string): PinnedRule {
  const known = read.get(text);
  if (known !== undefined) return known;
  const rule = parseAnew(text);
  if (read.size >= MAX_READ) read.clear();
  read.set(text, rule);
  return rule;
}

/** A rule to be shown, from its pinned text; null where that is of another version, which then is shown itself. */
export function knownRule(text: string): PinnedRule | null {
  try {
    return parseRule(text);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function parseAnew(text: string): PinnedRule {
  try {
    const pinned = pinRule(ruleSchema.parse(parseStrictJson(text)));
    if (pinned.text === text) return pinned;
  } catch (cause) {
    throw unknown(cause);
  }
  throw unknown(undefined);
}

/** What draws nothing: control and format characters, fillers, and the empty braille cell. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** How many characters the comment of a yes is short of; blanks around it are no reason, nor is what nobody sees. */
export const lackOfReason = ({ confirm }: Rule, comment: string): number =>
  Math.max(0, (confirm?.reason ?? 0) - [...comment.replace(UNSEEN, '').trim()].length);

const unknown = (cause: unknown): Problem =>
  new Problem('policy-changed', 'the request was made under a rule that this version does not know', {
    hint: 'ask again',
    cause,
  });
