import { sha256Digest } from '../../src/protocol/canonical.js';
import type { Digest } from '../../src/protocol/names.js';
import { pinRule } from '../../src/protocol/rule.js';
import type { Principals } from '../roster/principals.js';
import type { Mistake } from '../yaml/mistake.js';
import { type Path, readYaml, type YamlSource } from '../yaml/yaml-source.js';
import { BadPolicy } from './bad-policy.js';
import { checkConditions } from './check-conditions.js';
import { checkGroup, checkRule, type World } from './check-rule.js';
import { type Condition, ConditionMistake, compileCondition } from './condition.js';
import { MAX_CONDITION_CHARS } from './file-rule.js';
import { matchesWhole, patternMistake } from './pattern.js';
import type { Policy } from './policy.js';
import { MAX_RULES, type PolicyFile } from './policy-file.js';
import { conditionText, ruleOf } from './rule-of.js';
import { type CompiledRule, policyOf } from './rules.js';
import { readPolicyShape, written } from './shape.js';
import { expandTables, type PlacedRule } from './tables.js';

/** A group whose members a command prints. */
export interface CommandGroup {
  readonly name: string;
  /** Absolute path and arguments. */
  readonly command: readonly string[];
  /** How often it is asked, in seconds. */
  readonly every: number;
}

/** A policy file that is good. */
export interface CompiledPolicy {
  readonly policy: Policy;
  readonly rules: readonly CompiledRule[];
  readonly groups: readonly CommandGroup[];
  /** Over {@link text}. */
  readonly digest: Digest;
  readonly text: string;
}

const DEFAULT_EVERY = 300;

/**
 * Reads a policy and refuses whatever could open by mistake. Pure.
 *
 * @param principals whose groups and number of people the file is held against
 * @param file as messages shall name it
 * @throws BadPolicy (Problem `bad-policy`) with every mistake that was found
 */
export function compilePolicy(
  text: string,
  { principals, file }: { readonly principals: Principals; readonly file: string },
): CompiledPolicy {
  const mistakes: Mistake[] = [];
  const source = readYaml(text, mistakes);
  const shape = source === null ? null : readPolicyShape(source, mistakes);
  if (source === null || shape === null) {
    for (const [index, when] of writtenConditions(source)) {
      readCondition(when, ['rules', index, 'when'], source as YamlSource, mistakes);
    }
    throw new BadPolicy(file, mistakes);
  }
  const refuse = (path: Path, message: string): void => {
    mistakes.push({ ...source.at(path), message: `${written(path)}${message}` });
  };
  const groups = groupsOf(shape);
  const world: World = {
    people: [...principals.people],
    declared: new Set(groups.map(({ name }) => name)),
  };
  checkGroups(groups, world, refuse);
  const placed = placedRules(shape);
  checkNumber(placed, refuse);
  checkNames(placed, refuse);
  const rules = placed.map(({ rule: one, path: place, asking }) => {
    const rule = ruleOf(one, shape.defaults ?? {});
    checkRule(rule, one, world, (path, message) => refuse([...place, ...path], message));
    for (const { group, path } of asking) checkGroup(group, world, (message) => refuse(path, message));
    const pattern = rule.ticket === null ? null : patternMistake(rule.ticket);
    if (pattern !== null) refuse([...place, 'ticket'], pattern);
    else if (rule.ticket !== null && matchesWhole(rule.ticket, '')) {
      refuse([...place, 'ticket'], 'an empty ticket matches it too: ask for one character at least');
    }
    const condition = readCondition(conditionText(one), [...place, 'when'], source, mistakes);
    // Those of a table stand in its rows.
    for (const { group, offset } of place[0] === 'rules' ? (condition?.groups ?? []) : []) {
      checkGroup(group, world, (message) =>
        mistakes.push(mistakeIn([...place, 'when'], offset, message, source)),
      );
    }
    return { rule, condition, line: source.at(place).line };
  });
  // A condition that cannot be read would look like one that is always true.
  if (mistakes.length === 0) {
    checkConditions(rules, (index, message) => refuse([...(placed[index]?.path ?? []), 'when'], message));
  }
  if (mistakes.length > 0) throw new BadPolicy(file, mistakes);
  const pinned = rules.map(({ rule, ...rest }) => ({ rule: pinRule(rule), ...rest }));
  const policy = policyOf(
    pinned,
    groups.map(({ name }) => name),
  );
  return { policy, rules: pinned, groups, digest: sha256Digest(text), text };
}

/** Conditions of a file that has other mistakes, so that all are told at once. */
function writtenConditions(source: YamlSource | null): readonly (readonly [number, string])[] {
  const { rules } = (source?.value ?? {}) as { readonly rules?: unknown };
  const written: readonly unknown[] = Array.isArray(rules) ? rules : [];
  return written.flatMap((rule, index) => {
    const when: unknown = Object(rule).when;
    const isRead = typeof when === 'string' && when.length <= MAX_CONDITION_CHARS && when !== 'true';
    return isRead ? [[index, when] as const] : [];
  });
}

const groupsOf = ({ groups = {} }: PolicyFile): readonly CommandGroup[] =>
  Object.entries(groups).map(([name, { command, every = DEFAULT_EVERY }]) => ({ name, command, every }));

function checkGroups(
  groups: readonly CommandGroup[],
  { people }: World,
  refuse: (path: Path, message: string) => void,
): void {
  for (const { name, command } of groups) {
    // Two sources of one name: nobody would know which of them he is counted by (A12).
    if (people.some((person) => person.groups.some((own) => own === name))) {
      refuse(['groups', name], 'the roster has a group of this name: choose another one');
    }
    if (command[0]?.startsWith('/') !== true) {
      refuse(['groups', name, 'command', 0], 'name the program by its absolute path');
    }
  }
}

/** In the order in which they are asked. */
const placedRules = ({ rules, tables }: PolicyFile): readonly PlacedRule[] => [
  ...rules.map((rule, index) => ({ rule, path: ['rules', index], asking: [] })),
  ...expandTables(tables),
];

function checkNumber(placed: readonly PlacedRule[], refuse: (path: Path, message: string) => void): void {
  if (placed.length === 0) refuse(['rules'], 'write at least one rule: without one nothing is allowed');
  if (placed.length > MAX_RULES) {
    refuse(['tables'], `rules and rows are ${placed.length} together: write at most ${MAX_RULES}`);
  }
}

function checkNames(placed: readonly PlacedRule[], refuse: (path: Path, message: string) => void): void {
  for (const [index, { rule, path }] of placed.entries()) {
    const first = placed.findIndex((other) => other.rule.name === rule.name);
    if (first < index) refuse([...path, 'name'], `rule ${first + 1} has this name: choose another one`);
  }
}

function readCondition(
  text: string | null,
  path: Path,
  source: YamlSource,
  mistakes: Mistake[],
): Condition | null {
  try {
    return text === null ? null : compileCondition(text);
  } catch (cause) {
    if (!(cause instanceof ConditionMistake)) throw cause;
    mistakes.push(mistakeIn(path, cause.offset, cause.message, source));
    return null;
  }
}

/** A mistake at a character of a text. */
function mistakeIn(path: Path, offset: number, message: string, source: YamlSource): Mistake {
  const exact = source.within(path, offset);
  const where = exact === null && offset > 0 ? `at character ${offset + 1}: ` : '';
  return { ...(exact ?? source.at(path)), message: `${written(path)}${where}${message}` };
}
