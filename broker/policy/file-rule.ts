import * as z from 'zod';
import { MAX_DURATION_SECONDS } from '../../src/protocol/document.js';
import { isName } from '../../src/protocol/names.js';
import { MAX_GROUP_CHARS, MAX_PLACES } from '../../src/protocol/quorum.js';
import { MAX_APPROVERS_REASON } from '../../src/protocol/rule.js';
import { time, wanted } from '../yaml/time-schema.js';

/** Longest condition, in characters. */
export const MAX_CONDITION_CHARS = 4096;
const DAY = 86_400;

const whole = (least: number, most: number, what: string) => {
  const text = `write a whole number from ${least} to ${most}, ${what}`;
  return z.int(wanted(text)).min(least, wanted(text)).max(most, wanted(text));
};

const GROUP_TEXT = 'write the name of a group: a-z 0-9 . _ @ : + -';
export const group = z
  .string(wanted(GROUP_TEXT))
  .min(1, wanted(GROUP_TEXT))
  .max(MAX_GROUP_CHARS, wanted(GROUP_TEXT))
  .regex(/^(?!group:)[a-z0-9._@:+-]+$/, wanted(GROUP_TEXT));
const groups = z
  .array(group, wanted('write a list of groups, such as [oncall, leads]'))
  .min(1, wanted('name a group'))
  .max(16, wanted('name at most 16 groups'));
const shortText = (what: string) =>
  z
    .string(wanted(what))
    .min(1, wanted(what))
    .max(128, wanted(what))
    .regex(/^[^\p{Cc}]*$/u, wanted(what));
const yes = z
  .union([z.boolean(), z.literal('yes'), z.literal('no')], wanted('write yes or no'))
  .transform((written) => written === true || written === 'yes');

const quorum = z
  .record(
    z
      .string()
      .refine((name) => name !== 'any' && isName(name) && name.length <= MAX_GROUP_CHARS, wanted(GROUP_TEXT)),
    whole(1, MAX_PLACES, 'how many must sign'),
    wanted('write { people: 2 }, { GROUP: 1, OTHER: 1 }, { any: [ … ] } or automatic'),
  )
  .refine(
    (counts) => Object.keys(counts).length > 0,
    wanted('say who must sign: { people: 1 } or { GROUP: 1 }'),
  )
  .describe(
    'How many of which groups, all of them; `people` is how many in all (the sum, unless it is more).',
  );

const approvals = z
  .union([
    z.literal('automatic'),
    z.strictObject({
      any: z
        .array(quorum, wanted('write a list of alternatives, such as [ { oncall: 1 }, { security: 1 } ]'))
        .min(1, wanted('write at least one alternative'))
        .max(8, wanted('write at most 8 alternatives'))
        .describe('One of these is enough.'),
    }),
    quorum,
  ])
  .describe(
    'Who must sign: { people: 2 }, { oncall: 1, db: 1 }, { any: [ … ] }, or automatic, which opens no door that asks for signatures.',
  );

export const sharedRequester = z
  .enum(['one-more', 'refuse', 'accept'], wanted('write one-more, refuse or accept'))
  .describe(
    'A requester who is not one person of the roster, such as deploy: one more must sign (one-more), he may not ask (refuse), or he asks as anybody else (accept).',
  );
export const answerBy = time(1, DAY).describe('How long a request waits for an answer.');
export const claimBy = time(1, DAY).describe('How long an approval waits to be used.');
export const validity = time(1, DAY).describe('Longest life of a signature, from signing to first use.');

const CONFIRM_TEXT = 'write { resource: yes }, { reason: 20 } or both';

/** One rule, as it is written. */
export const fileRule = z.strictObject(
  {
    name: shortText('name the rule, in at most 128 characters').describe(
      'Once in a file; shown to approvers.',
    ),
    when: z.optional(
      z
        .union(
          [z.string().max(MAX_CONDITION_CHARS), z.boolean()],
          wanted('write a condition in CEL, such as action == "ssh.login"'),
        )
        .describe('For which asks, in CEL. The first rule that is true decides. Absent: for all.'),
    ),
    approvals,
    'shared-requester': z.optional(sharedRequester),
    reason: z.optional(
      whole(1, 1000, 'the least characters of context.reason').describe('Least characters of the reason.'),
    ),
    ticket: z.optional(
      z
        .string(wanted('write a pattern, such as "INC-[0-9]+"'))
        .min(1, wanted('write a pattern, such as "INC-[0-9]+"'))
        .max(256, wanted('write a pattern of at most 256 characters'))
        .describe('Pattern (RE2) that the whole of context.ticket must match.'),
    ),
    'answer-by': z.optional(answerBy),
    'claim-by': z.optional(claimBy),
    validity: z.optional(validity),
    work: z.optional(
      z
        .strictObject(
          {
            default: z.optional(time(0, MAX_DURATION_SECONDS).describe('What an approver is offered first.')),
            longest: time(1, MAX_DURATION_SECONDS).describe('The most that may be asked for.'),
          },
          wanted('write { longest: 1h } or { default: 1h, longest: 4h }'),
        )
        .describe('Time of work, from first use. Absent: none may be asked for.'),
    ),
    grants: z.optional(
      z
        .union([
          z.boolean(),
          z.literal('yes'),
          z.literal('no'),
          z.strictObject(
            { uses: whole(1, 10_000, 'how often one approval may be used').describe('How often at most.') },
            wanted('write yes, no or { uses: 3 }'),
          ),
        ])
        .describe(
          'Whether an approval may cover later equal asks: yes (any number within the time of work) or { uses: 3 }.',
        ),
    ),
    touch: z.optional(yes.describe('Only touched security keys count.')),
    number: z.optional(
      yes.describe('Approvers type the number that the requester sees: for run, gate and CI, never for PAM.'),
    ),
    revoke: z.optional(groups.describe('Who may take an approval back. Absent: everybody of the roster.')),
    escalation: z.optional(
      z
        .array(
          z.strictObject(
            {
              after: time(0, DAY).describe('How long after the ask.'),
              ring: groups.describe('Everybody in these groups.'),
            },
            wanted('write { after: 5m, ring: [leads] }'),
          ),
          wanted(
            'write a list of steps, such as [ { after: 0s, ring: [oncall] }, { after: 5m, ring: [leads] } ]',
          ),
        )
        .min(1, wanted('write at least one step'))
        .max(8, wanted('write at most 8 steps'))
        .describe('Whom to ring, and when. Absent: everybody who could sign, at once.'),
    ),
    channel: z.optional(
      shortText('write the name of a channel, in at most 128 characters').describe(
        'Handed to the notification command.',
      ),
    ),
    alone: z.optional(
      z
        .strictObject(
          {
            group: group.describe('Who may.'),
            delay: time(1, DAY).describe('How long everybody has to say no.'),
            reason: whole(1, 1000, 'the least characters of the reason').describe(
              'Least characters of the reason.',
            ),
          },
          wanted('write { group: sre, delay: 15m, reason: 40 }'),
        )
        .describe('The requester alone is let in after a delay if nobody says no.'),
    ),
    confirm: z.optional(
      z
        .strictObject(
          {
            resource: z.optional(yes.describe('Type the resource: asked by the program that signs.')),
            reason: z.optional(
              whole(1, MAX_APPROVERS_REASON, "the least characters of the approver's comment").describe(
                'Least characters of the comment that is signed.',
              ),
            ),
          },
          wanted(CONFIRM_TEXT),
        )
        .refine(({ resource, reason }) => resource === true || reason !== undefined, wanted(CONFIRM_TEXT))
        .describe('What an approver does to say yes, beside pressing a key.'),
    ),
  },
  wanted('write a rule: name, when, approvals and what else it asks for'),
);

export type FileRule = z.output<typeof fileRule>;
export type FileApprovals = FileRule['approvals'];
