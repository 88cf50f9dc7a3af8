import { type CelInput, type CelValue, celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { timeMethods } from './condition-time.js';
import { checkTypes } from './condition-types.js';
import { type Expression, TypeMistake } from './expression.js';
import type { VariableName } from './vocabulary.js';

/** What a condition may look at, by name, in the types of CEL. */
export type { VariableName };
export type Facts = { readonly [Name in VariableName]: CelInput };

/** A condition of a rule, read once. */
export interface Condition {
  readonly text: string;
  readonly expression: Expression;
  /** Variables that it looks at. */
  readonly reads: ReadonlySet<VariableName>;
  /** Groups that it asks the requester to be in, or not, and where each stands, in characters from 0. */
  readonly groups: readonly { readonly group: string; readonly offset: number }[];
  /** @throws ConditionFailure where it cannot be told, which is never a no. */
  readonly holds: (facts: Facts) => boolean;
}

/** A condition that cannot be loaded. */
export class ConditionMistake extends Error {
  /** Where in the text, in characters from 0. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'ConditionMistake';
    this.offset = offset;
  }
}

/** A condition that came to no answer for one ask. */
export class ConditionFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConditionFailure';
  }
}

const environment = celEnv({ funcs: timeMethods });

/** @throws ConditionMistake */
export function compileCondition(text: string): Condition {
  const { expression, positions } = parsed(text);
  const reads = new Set<VariableName>();
  const groups: Condition['groups'][number][] = [];
  try {
    checkTypes(expression, {
      variable: (name) => reads.add(name),
      group: (group, at) => groups.push({ group, offset: positions[String(at.id)] ?? 0 }),
    });
  } catch (cause) {
    if (cause instanceof TypeMistake) throw new ConditionMistake(cause.message, positions[cause.id] ?? 0);
    if (cause instanceof RangeError) throw new ConditionMistake('it is nested too deeply', 0);
    throw cause;
  }
  const evaluate = plan(environment, expression);
  return { text, expression, reads, groups, holds: (facts) => answer(evaluate(facts)) };
}

function parsed(text: string): { expression: Expression; positions: Readonly<Record<string, number>> } {
  try {
    const { expr, sourceInfo } = parse(text);
    if (expr !== undefined) return { expression: expr, positions: sourceInfo?.positions ?? {} };
  } catch (cause) {
    if (cause instanceof RangeError) throw new ConditionMistake('it is nested too deeply', 0);
    const { rawMessage, location } = cause as {
      rawMessage?: string;
      location?: { start: { offset: number } };
    };
    const why = (rawMessage ?? (cause as Error).message).replaceAll('\n', ' ');
    throw new ConditionMistake(`this is not CEL: ${why}`, location?.start.offset ?? 0);
  }
  throw new ConditionMistake('write a condition, or remove the key', 0);
}

function answer(value: CelValue | Error | unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (isCelError(value)) throw new ConditionFailure(value.message);
  throw new ConditionFailure('it is neither true nor false');
}
