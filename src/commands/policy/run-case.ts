import type { CompiledPolicy } from '../../../broker/policy/compile.js';
import { countVotes, explain } from '../../../broker/policy/explanation.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Directory } from '../../../broker/store/store.js';
import type { EpochMs } from '../../protocol/time.js';
import { parseSeconds } from '../duration.js';
import { askOf, UNNAMED } from './ask.js';
import type { PolicyCase } from './cases.js';
import { declaredGroups, type ToldGroups } from './world.js';

/** What cases are run against. */
export interface CaseWorld {
  readonly policy: CompiledPolicy;
  readonly directory: Directory;
  readonly told: ToldGroups;
  /** Where a case does not say. */
  readonly at: EpochMs;
}

/** Runs one case: the differences from what it expects, the first first; none if it holds. Pure. */
export function runCase(one: PolicyCase, { policy, directory, told, at }: CaseWorld): readonly string[] {
  const own = Object.entries(one.groups).map(
    ([group, members]) => [group, { members, failing: null }] as const,
  );
  const principals = new Principals(directory, declaredGroups(policy, new Map([...told, ...own])));
  const { issuer = '', ...claims } = one.ask.verified ?? {};
  const { ask, isEnrolled } = askOf(
    {
      action: one.ask.action,
      resource: one.ask.resource,
      requester: one.ask.requester,
      door: one.ask.door ?? UNNAMED,
      submitter: one.ask.submitter ?? UNNAMED,
      details: one.ask.details ?? {},
      context: one.ask.context ?? {},
      duration: parseSeconds(one.ask.duration ?? '0', 'duration'),
      verified:
        one.ask.verified === undefined
          ? null
          : { issuer, claims: Object.entries(claims).map(([name, value]) => ({ name, value })) },
      now: one.ask.at ?? at,
    },
    principals,
  );
  const { rule, refusals, people } = explain(policy, ask, isEnrolled);
  const { expect } = one;
  const [refusal] = refusals;
  const counted = rule === null ? null : countVotes(rule, one.ask.requester, one.votes, principals);
  const isAllowed = refusal === undefined;
  const said = isAllowed ? 'none' : `${refusal.code}: ${refusal.message}`;
  const differences = [
    expect.refused === undefined && !isAllowed ? `refused: expected none, is ${said}` : null,
    expect.refused !== undefined && expect.refused !== refusal?.code
      ? `refused: expected ${expect.refused}, is ${said}`
      : null,
    difference('rule', expect.rule, rule?.name ?? 'none'),
    difference('satisfied', expect.satisfied, isAllowed && (counted?.satisfied ?? false)),
    difference('missing', expect.missing, counted?.missing ?? []),
    difference('can-sign', sorted(expect['can-sign']), sorted(namesOf(people, true))),
    difference(
      'cannot-sign',
      sorted(expect['cannot-sign']),
      sorted(
        namesOf(people, false)?.filter((name) => expect['cannot-sign']?.some((wanted) => wanted === name)),
      ),
    ),
  ];
  return differences.filter((text) => text !== null);
}

const namesOf = (
  people: readonly { readonly name: string; readonly why: string | null }[],
  able: boolean,
): readonly string[] => people.filter(({ why }) => (why === null) === able).map(({ name }) => name);

const sorted = (names: readonly string[] | undefined): readonly string[] | undefined =>
  names === undefined ? undefined : [...names].sort();

/** Null where nothing was expected, or just that. */
function difference(what: string, expected: unknown, found: unknown): string | null {
  if (expected === undefined || JSON.stringify(expected) === JSON.stringify(found)) return null;
  return `${what}: expected ${inWords(expected)}, is ${inWords(found)}`;
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'nobody' : value.join(', ');
  return String(value);
}
