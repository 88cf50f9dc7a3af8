import { sha256Digest } from '../../src/protocol/canonical.js';
import type { Digest } from '../../src/protocol/names.js';
import { pinRule } from '../../src/protocol/rule.js';
import type { Principals } from '../roster/principals.js';
import { BadPolicy, type Mistake } from './bad-policy.js';
import { checkConditions } from './check-conditions.js';
import { checkRule, type World } from './check-rule.js';
import { type Condition, ConditionMistake, compileCondition } from './condition.js';
import { patternMistake } from './pattern.js';
import type { Policy } from './policy.js';
import type { PolicyFile } from './policy-file.js';
import { conditionText, ruleOf } from './rule-of.js';
import { type CompiledRule, policyOf } from './rules.js';
import { readShape, written } from './shape.js';
import { type Path, readYaml, type YamlSource } from './yaml-source.js';

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
  const shape = source === null ? null : readShape(source, mistakes);
  if (source === null || shape === null) throw new BadPolicy(file, mistakes);
  const refuse = (path: Path, message: string): void => {
    mistakes.push({ ...source.at(path), message: `${written(path)}${message}` });
  };
  const groups = groupsOf(shape);
  const world: World = {
    people: [...principals.people],
    declared: new Set(groups.map(({ name }) => name)),
  };
  checkGroups(groups, world, refuse);
  checkNames(shape, refuse);
  const rules = shape.rules.map((one, index) => {
    const rule = ruleOf(one, shape.defaults ?? {});
    checkRule(rule, one, world, (path, message) => refuse(['rules', index, ...path], message));
    const pattern = rule.ticket === null ? null : patternMistake(rule.ticket);
    if (pattern !== null) refuse(['rules', index, 'ticket'], pattern);
    const condition = readCondition(conditionText(one), ['rules', index, 'when'], source, mistakes);
    return { rule, condition, line: source.at(['rules', index]).line };
  });
  // A condition that cannot be read would look like one that is always true.
  if (mistakes.length === 0) {
    checkConditions(rules, (index, message) => refuse(['rules', index, 'when'], message));
  }
  if (mistakes.length > 0) throw new BadPolicy(file, mistakes);
  const pinned = rules.map(({ rule, ...rest }) => ({ rule: pinRule(rule), ...rest }));
  const policy = policyOf(
    pinned,
    groups.map(({ name }) => name),
  );
  return { policy, rules: pinned, groups, digest: sha256Digest(text), text };
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

function checkNames({ rules }: PolicyFile, refuse: (path: Path, message: string) => void): void {
  for (const [index, { name }] of rules.entries()) {
    const first = rules.findIndex((other) => other.name === name);
    if (first < index)
      refuse(['rules', index, 'name'], `rule ${first + 1} has this name: choose another one`);
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
    const exact = source.within(path, cause.offset);
    const where = exact === null && cause.offset > 0 ? `at character ${cause.offset + 1}: ` : '';
    mistakes.push({ ...(exact ?? source.at(path)), message: `${written(path)}${where}${cause.message}` });
    return null;
  }
}
