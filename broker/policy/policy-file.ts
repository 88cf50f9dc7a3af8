import * as z from 'zod';
import { time, wanted } from '../yaml/time-schema.js';
import { answerBy, claimBy, fileRule, group, sharedRequester, validity } from './file-rule.js';
import { fileTable } from './tables.js';

/** Most rules of a file. */
export const MAX_RULES = 256;
/** Words of `approvals` that are no groups. */
export const RESERVED_GROUPS = ['people', 'any'] as const;

/** The policy file, as it is written. Its JSON Schema is published for editors. */
export const policyFileSchema = z.strictObject(
  {
    version: z.literal(1, wanted('write version: 1')).describe('Of this form: 1.'),
    groups: z.optional(
      z
        .record(
          group.refine(
            (name) => !RESERVED_GROUPS.some((word) => word === name),
            wanted('people and any are not names of groups'),
          ),
          z.strictObject(
            {
              command: z
                .array(
                  z
                    .string()
                    .min(1, wanted('write words that are not empty'))
                    .max(4096, wanted('that word is too long')),
                  wanted('write a list: the absolute path of a program, then its arguments'),
                )
                .min(1, wanted('name a program'))
                .max(64, wanted('give at most 63 arguments'))
                .describe('Prints the members, one NAME or alias a line. Run without a shell.'),
              every: z.optional(time(10, 86_400).describe('How often it is run. Default 5m.')),
            },
            wanted('write { command: [/path/of/program, ARGUMENT], every: 5m }'),
          ),
        )
        .refine((declared) => Object.keys(declared).length <= 64, wanted('declare at most 64 groups'))
        .describe('Groups that a command knows, beside those of the roster.'),
    ),
    defaults: z.optional(
      z
        .strictObject({
          'answer-by': z.optional(answerBy),
          'claim-by': z.optional(claimBy),
          validity: z.optional(validity),
          'shared-requester': z.optional(sharedRequester),
        })
        .describe('For rules that do not say it themselves.'),
    ),
    rules: z
      .array(fileRule, wanted('write a list of rules'))
      .max(MAX_RULES, wanted(`write at most ${MAX_RULES} rules`))
      .default([])
      .describe('The first one whose condition is true decides. An ask that none matches is refused.'),
    tables: z
      .array(fileTable, wanted('write a list of tables'))
      .max(32, wanted('write at most 32 tables'))
      .default([])
      .describe('Group × role × resource, for what no rule decides: each row is a rule.'),
  },
  wanted('write version: 1, then rules:'),
);

export type PolicyFile = z.output<typeof policyFileSchema>;

/** For editors: what a file may hold, without what only the roster and the other rules can tell. */
export function policyJsonSchema(): object {
  return {
    title: 'Countersign policy',
    ...z.toJSONSchema(policyFileSchema, { io: 'input', target: 'draft-7' }),
  };
}
