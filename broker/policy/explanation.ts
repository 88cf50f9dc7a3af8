import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Person } from '../../src/protocol/roster-messages.js';
import type { PinnedRule } from '../../src/protocol/rule.js';
import type { JsonObject, JsonValue } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { checkLimits } from '../access/submitters.js';
import type { Vote } from '../requests/request.js';
import type { Principals } from '../roster/principals.js';
import type { CompiledPolicy } from './compile.js';
import type { VariableName } from './condition.js';
import { judgeParts } from './condition-parts.js';
import { factsOf } from './facts.js';
import type { Ask } from './policy.js';
import { checkApprover, type Evaluation, evaluate } from './quorum.js';

/** A part of a condition, and what it looked at. */
export interface JudgedPart {
  readonly text: string;
  /** Null where it comes to no answer; `failure` says why. */
  readonly holds: boolean | null;
  readonly failure: string | null;
  /** By how it is written, such as `requester.groups`; undefined for what is not there. */
  readonly values: Readonly<Record<string, JsonValue | undefined>>;
}

/** A rule that was tried. */
export interface TriedRule {
  readonly name: string;
  readonly line: number;
  readonly outcome: 'decides' | 'passed-over' | 'no-answer';
  readonly parts: readonly JudgedPart[];
}

/** Whether somebody could sign. */
export interface Standing {
  readonly name: Name;
  /** Those of the rule that he is in. */
  readonly groups: readonly string[];
  /** Null where he could. */
  readonly why: string | null;
}

export interface Explanation {
  /** In order, up to the one that decides. */
  readonly tried: readonly TriedRule[];
  readonly rule: PinnedRule | null;
  /** Line of the rule in the file. */
  readonly line: number | null;
  /** Whether the requester is not one person of the roster. */
  readonly isShared: boolean;
  /** What the broker would answer in place of taking the ask. */
  readonly refusals: readonly Problem[];
  readonly people: readonly Standing[];
  /** What is asked for, in words, while nobody has signed. */
  readonly missing: readonly string[];
  /** Whether all who could sign are enough together. */
  readonly satisfiable: boolean;
}

/**
 * Says what a policy does with an ask, and why. Pure.
 *
 * @param isEnrolled whether the submitter of the ask is a real one, whose limits count
 */
export function explain(policy: CompiledPolicy, ask: Ask, isEnrolled: boolean): Explanation {
  const declared = policy.groups.map(({ name }) => name);
  const tried: TriedRule[] = [];
  const about = {
    tried,
    isShared: ask.principals.personBehind(ask.bound.document.requester) === null,
    refusals: refusalsOf(policy, ask, isEnrolled),
  };
  for (const compiled of policy.rules) {
    const judged = tryRule(compiled, ask, declared);
    tried.push(judged);
    if (judged.outcome === 'passed-over') continue;
    const decides = judged.outcome === 'decides' ? compiled : null;
    return {
      ...about,
      rule: decides?.rule ?? null,
      line: decides?.line ?? null,
      ...(decides === null ? NOBODY : whoCouldSign(decides.rule, ask)),
    };
  }
  return { ...about, rule: null, line: null, ...NOBODY };
}

const NOBODY = { people: [], missing: [], satisfiable: false } as const;

/** What these votes amount to. */
export function countVotes(
  rule: PinnedRule,
  requester: Name,
  approvers: readonly Name[],
  principals: Principals,
): Evaluation {
  const votes = approvers.map((approver) => ({ approver, verdict: 'approve' }) as Vote);
  return evaluate(rule, requester, votes, principals);
}

/** Judges one rule alone. */
export function tryRule(
  { rule, condition, line }: CompiledPolicy['rules'][number],
  ask: Ask,
  declared: readonly string[],
) {
  const facts = factsOf(ask, declared);
  const parts = condition === null ? [] : judgeParts(condition.text, facts);
  const judged = parts.map(({ text, holds, failure, reads }) => ({
    text,
    holds,
    failure,
    values: valuesOf(text, reads, ask, facts.requester as ReadonlyMap<string, JsonValue>),
  }));
  // As `&&` has it: one no is a no, whatever else has no answer.
  const isPassed = parts.some(({ holds }) => holds === false);
  const outcome = isPassed
    ? 'passed-over'
    : parts.some(({ holds }) => holds === null)
      ? 'no-answer'
      : 'decides';
  return { name: rule.name, line, outcome, parts: judged } as const;
}

/** What a part looks at: of objects the keys that it names, else all of it. */
function valuesOf(
  text: string,
  reads: ReadonlySet<VariableName>,
  { bound: { document }, submitter, verified, now }: Ask,
  requester: ReadonlyMap<string, JsonValue>,
): JudgedPart['values'] {
  const { action, resource, door, duration, details, context } = document;
  const claims = Object.fromEntries((verified?.claims ?? []).map(({ name, value }) => [name, value]));
  const all: Readonly<Record<VariableName, JsonValue>> = {
    action,
    resource,
    door,
    duration,
    details,
    context,
    submitter: submitter.name,
    time: formatTime(now),
    requester: Object.fromEntries(requester),
    verified: verified === null ? {} : { ...claims, issuer: verified.issuer },
  };
  return Object.fromEntries([...reads].flatMap((name) => namedParts(name, all[name], text)));
}

function namedParts(
  name: string,
  value: JsonValue,
  text: string,
): readonly (readonly [string, JsonValue | undefined])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, value]];
  const object = value as JsonObject;
  const keys = [...text.matchAll(new RegExp(`\\b${name}\\.([A-Za-z_][A-Za-z0-9_]*)`, 'g'))].map(
    ([, key = '']) => key,
  );
  if (keys.length === 0) return [[name, value]];
  return [...new Set(keys)].map((key) => [
    `${name}.${key}`,
    Object.hasOwn(object, key) ? object[key] : undefined,
  ]);
}

function refusalsOf({ policy }: CompiledPolicy, ask: Ask, isEnrolled: boolean): readonly Problem[] {
  const attempts = [
    () => policy.ruleFor(ask),
    ...(isEnrolled ? [() => checkLimits(ask.submitter, ask.bound)] : []),
  ];
  return attempts.flatMap((attempt) => {
    try {
      attempt();
      return [];
    } catch (error) {
      if (error instanceof Problem) return [error];
      throw error;
    }
  });
}

/** Who could sign under a rule now, and whether all of them are enough. */
export function whoCouldSign(
  rule: PinnedRule,
  { bound, principals, now }: Ask,
): Pick<Explanation, 'people' | 'missing' | 'satisfiable'> {
  const { requester } = bound.document;
  if (rule.approvals === 'automatic') return { people: [], missing: [], satisfiable: true };
  const named = new Set(rule.approvals.flatMap(({ groups }) => groups.map(({ group }) => group)));
  const people = [...principals.people].map((person) => ({
    name: person.name,
    groups: [...named].filter((group) => principals.isMember(person, group)),
    why: objectionTo(person, rule, requester, principals, now),
  }));
  const able = people.filter(({ why }) => why === null).map(({ name }) => name);
  return {
    people,
    missing: countVotes(rule, requester, [], principals).missing,
    satisfiable: countVotes(rule, requester, able, principals).satisfied,
  };
}

function objectionTo(
  person: Person,
  rule: PinnedRule,
  requester: Name,
  principals: Principals,
  now: EpochMs,
): string | null {
  try {
    checkApprover(rule, requester, person.name, principals);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.code === 'self-approval' ? 'is the requester' : 'is in none of the groups that must sign';
  }
  return keyObjection(person, rule, now);
}

/** A roster that somebody wrote for a test has no keys, and then nothing is asked of them. */
function keyObjection({ keys }: Person, { touch }: PinnedRule, now: EpochMs): string | null {
  if (keys.length === 0) return null;
  const valid = keys.filter(
    ({ validAfter, validBefore }) =>
      (validAfter === null || now >= validAfter) && (validBefore === null || now < validBefore),
  );
  if (valid.length === 0) return 'has no key that is valid at this time';
  if (!touch || valid.some(({ key }) => parsePublicKeyLine(key).type.startsWith('sk-'))) return null;
  return 'has no security key, and the rule asks for a touch';
}
