import { BadPolicy } from '../../../broker/policy/bad-policy.js';
import { type CompiledPolicy, compilePolicy } from '../../../broker/policy/compile.js';
import type { Ask } from '../../../broker/policy/policy.js';
import { Principals } from '../../../broker/roster/principals.js';
import { formatMistake } from '../../../broker/yaml/mistake.js';
import { parseDocument } from '../../../src/protocol/document.js';
import type { Submitter } from '../../../src/protocol/roster-messages.js';
import type { JsonObject } from '../../../src/protocol/strict-json.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import type { VerifiedFacts } from '../../../src/protocol/verified-facts.js';
import { name } from '../requests/world.js';

const person = (who: string, ...groups: string[]) => ({
  name: name(who),
  aliases: [name(`${who}@example.com`)],
  groups: groups.map(name),
  keys: [],
});

/** alice, bob and carol are on call; bob and dave look after databases; erin is in no group. */
export const principals = new Principals({
  people: [
    person('alice', 'oncall', 'leads'),
    person('bob', 'oncall', 'db'),
    person('carol', 'oncall'),
    person('dave', 'db'),
    person('erin'),
  ],
  submitters: [],
});

export const compile = (text: string): CompiledPolicy =>
  compilePolicy(text, { principals, file: 'policy.yaml' });

/** A file of these rules, each given as the lines of its mapping without the name. */
export const rules = (...bodies: string[]): string =>
  [
    'version: 1',
    'rules:',
    ...bodies.map((body, index) => `  - name: rule-${index + 1}\n${body.replaceAll(/^/gm, '    ')}`),
    '',
  ].join('\n');

/** What is wrong with a file, as `LINE:COLUMN: MESSAGE`; empty for a good one. */
export function mistakesOf(text: string): readonly string[] {
  try {
    compile(text);
    return [];
  } catch (cause) {
    if (!(cause instanceof BadPolicy)) throw cause;
    return cause.mistakes.map((mistake) => formatMistake('', mistake).slice(1));
  }
}

export interface AskedBy {
  readonly action?: string;
  readonly resource?: string;
  readonly requester?: string;
  readonly submitter?: string;
  readonly details?: JsonObject;
  readonly context?: JsonObject;
  readonly duration?: number;
  readonly verified?: VerifiedFacts | null;
  readonly now?: EpochMs;
  readonly principals?: Principals;
}

/** 2026-03-18 was a Wednesday. */
export const WEDNESDAY = Date.parse('2026-03-18T14:30:00Z');

export const ask = ({
  action = 'ssh.login',
  resource = 'web-1',
  requester = 'erin',
  submitter = 'host:web-1',
  details = {},
  context = {},
  duration = 0,
  verified = null,
  now = WEDNESDAY,
  principals: people = principals,
}: AskedBy): Ask => ({
  bound: parseDocument({
    version: 1,
    action,
    door: 'host:web-1',
    requester,
    resource,
    details,
    context,
    duration,
    nonce: '0'.repeat(32),
  }),
  submitter: { name: name(submitter) } as Submitter,
  verified,
  principals: people,
  now,
});

/** The name of the rule that decides. */
export const decidedBy = (text: string, by: AskedBy): string => compile(text).policy.ruleFor(ask(by)).name;
