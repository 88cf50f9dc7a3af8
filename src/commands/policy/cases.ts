import * as z from 'zod';
import { BadPolicy } from '../../../broker/policy/bad-policy.js';
import type { Mistake } from '../../../broker/yaml/mistake.js';
import { readYaml } from '../../../broker/yaml/yaml-source.js';
import { isName, type Name } from '../../protocol/names.js';
import { PROBLEMS, type ProblemCode } from '../../protocol/problems.js';
import type { JsonObject } from '../../protocol/strict-json.js';
import { parseTime } from '../../protocol/time.js';

const name = z.custom<Name>(isName, 'write a name: a-z 0-9 . _ @ : + -');
const names = z.array(name);
const object = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'write a mapping',
);
const at = z.string().transform((text, context) => {
  const time = parseTime(text);
  if (time !== null) return time;
  context.issues.push({ code: 'custom', message: 'write a time like 2026-01-31T23:00:00Z', input: text });
  return z.NEVER;
});
const members = z.record(z.string(), names);
const code = z.custom<ProblemCode>(
  (value) => typeof value === 'string' && Object.hasOwn(PROBLEMS, value),
  'write the code of an error, such as no-rule or rule-unmet',
);

const ask = z.strictObject({
  action: name,
  resource: z.string(),
  requester: name,
  door: z.optional(name),
  submitter: z.optional(name),
  details: z.optional(object),
  context: z.optional(object),
  duration: z.optional(z.string().regex(/^\d{1,8}[smhd]$/, 'write a time like 90s, 15m, 2h or 1d')),
  verified: z.optional(z.record(z.string(), z.string())),
  at: z.optional(at),
});

const expectation = z
  .strictObject({
    rule: z.optional(z.string()),
    refused: z.optional(code),
    satisfied: z.optional(z.boolean()),
    missing: z.optional(z.array(z.string())),
    'can-sign': z.optional(names),
    'cannot-sign': z.optional(names),
  })
  .refine((expected) => Object.keys(expected).length > 0, 'expect something: rule, refused, satisfied, …');

const casesSchema = z.strictObject({
  version: z.literal(1, 'write version: 1'),
  policy: z.optional(z.string().min(1)),
  roster: z.optional(
    z.record(name, z.nullable(z.strictObject({ groups: names.default([]), aliases: names.default([]) }))),
  ),
  groups: members.default({}),
  at: z.optional(at),
  cases: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        ask,
        votes: names.default([]),
        groups: members.default({}),
        expect: expectation,
      }),
    )
    .min(1, 'write at least one case'),
});

/** A file of cases, as `policy test` runs it. */
export interface CasesFile extends z.output<typeof casesSchema> {
  /** Line of each case. */
  readonly lines: readonly number[];
}
export type PolicyCase = CasesFile['cases'][number];

/** @throws BadPolicy with every mistake, in the order of lines */
export function parseCases(text: string, file: string): CasesFile {
  const mistakes: Mistake[] = [];
  const source = readYaml(text, mistakes);
  const parsed = source === null ? null : casesSchema.safeParse(source.value);
  if (source === null || parsed === null) throw new BadPolicy(file, mistakes);
  if (parsed.success) {
    const lines = parsed.data.cases.map((_, index) => source.at(['cases', index]).line);
    return { ...parsed.data, lines };
  }
  const found = parsed.error.issues.map((issue): Mistake => {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const place = keys.length === 0 ? source.at(issue.path) : source.atKey([...issue.path, keys[0] ?? '']);
    const path = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
    return {
      ...place,
      message: `${path}${keys.length === 0 ? issue.message : `there is no key ${keys.join(', ')}`}`,
    };
  });
  throw new BadPolicy(file, found);
}
