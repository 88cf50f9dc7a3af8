import { matches } from '../../../broker/access/submitters.js';
import type { CompiledPolicy } from '../../../broker/policy/compile.js';
import { overlaps, possible } from '../../../broker/policy/implication.js';
import type { CompiledRule } from '../../../broker/policy/rules.js';
import type { Principals } from '../../../broker/roster/principals.js';
import { inWords } from '../../../broker/yaml/duration-words.js';
import type { Quorum } from '../../protocol/quorum.js';
import type { Submitter } from '../../protocol/roster-messages.js';
import type { Rule } from '../../protocol/rule.js';

/** Something that is allowed, and perhaps not meant. */
export interface Warning {
  /** Of the rule. */
  readonly line: number;
  readonly message: string;
}

/** What a good policy may yet do that its author did not mean. Pure. */
export function warningsOn(
  { rules, groups }: Pick<CompiledPolicy, 'rules' | 'groups'>,
  submitters: readonly Submitter[],
  principals: Principals,
): readonly Warning[] {
  const told = new Set(groups.map(({ name }) => name));
  return rules.flatMap((compiled) => {
    const { rule, line } = compiled;
    const quorums = rule.approvals === 'automatic' ? [] : rule.approvals;
    return [
      ...(isUsed(compiled, submitters)
        ? []
        : [`no enrolled submitter may ask for what ${rule.name} is about`]),
      ...early(rule),
      ...(quorums.length === 1 ? quorums : []).flatMap((quorum) =>
        tightness(quorum, rule.name, told, principals),
      ),
    ].map((message) => ({ line, message }));
  });
}

/** Whether some submitter may ask for something that the condition can be true for; true where that cannot be told. */
function isUsed({ condition }: CompiledRule, submitters: readonly Submitter[]): boolean {
  if (condition === null || submitters.length === 0) return true;
  const { expression } = condition;
  return submitters.some(({ name, limits }) => {
    const mayBe = (term: string, patterns: readonly string[]): boolean => {
      const wanted = possible(expression, term);
      return wanted === null || patterns.some((pattern) => overlaps(wanted, patternOf(pattern)));
    };
    const own = possible(expression, 'submitter');
    return (
      mayBe('action', limits.actions) &&
      mayBe('resource', limits.resources) &&
      mayBe('door', limits.doors) &&
      (own === null || own.some(({ kind, text }) => matches([kind === 'exact' ? text : `${text}*`], name)))
    );
  });
}

/** The first of several signatures may be over before the last one is asked for. */
function early({ name, approvals, answerBy, longestValidity }: Rule): readonly string[] {
  const isOfSeveral = approvals !== 'automatic' && approvals.some(({ people }) => people > 1);
  if (!isOfSeveral || answerBy <= longestValidity) return [];
  return [
    `${name} takes answers for ${inWords(answerBy)}, and a signature counts for ${inWords(longestValidity)}: who signs early must sign again; write a longer validity`,
  ];
}

const patternOf = (pattern: string) =>
  pattern.endsWith('*')
    ? ({ kind: 'prefix', text: pattern.slice(0, -1) } as const)
    : ({ kind: 'exact', text: pattern } as const);

/** One person away, and nothing can be approved. */
function tightness(
  { people, groups }: Quorum,
  rule: string,
  told: ReadonlySet<string>,
  principals: Principals,
): readonly string[] {
  const all = [...principals.people];
  const members = (group: string): number =>
    all.filter((person) => principals.isMember(person, group)).length;
  const blocked = 'while one of them is away or asks, nobody can be let in';
  return [
    ...groups
      .filter(({ group, count }) => !told.has(group) && members(group) === count)
      .map(
        ({ group, count }) => `${rule} asks for ${count} of ${group}, which has just ${count}: ${blocked}`,
      ),
    ...(people === all.length
      ? [`${rule} asks for ${people} people, and the roster has just ${people}: ${blocked}`]
      : []),
  ];
}
