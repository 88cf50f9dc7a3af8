import type { parse } from '@bufbuild/cel';
import { nearest } from '../../src/protocol/nearest.js';
import { isTimeZone } from '../../src/protocol/zoned-time.js';
import { TIME_METHODS } from './condition-time.js';
import { neverEqual } from './never-equal.js';
import { patternMistake } from './pattern.js';
import { constantText, termOf } from './terms.js';

/** A node of the syntax tree (cel-spec, `cel.expr.Expr`). */
export type Expression = NonNullable<ReturnType<typeof parse>['expr']>;
type Call = Extract<Expression['exprKind'], { case: 'callExpr' }>['value'];
type Comprehension = Extract<Expression['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** What an expression is; `dyn` where only an ask can tell. */
type Type =
  | 'bool'
  | 'int'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'null'
  | 'dyn'
  | { readonly list: Type }
  | { readonly map: Type }
  | { readonly fields: Readonly<Record<string, Type>> };

/** What a condition may look at. */
const VARIABLE_TYPES = {
  action: 'string',
  resource: 'string',
  door: 'string',
  requester: { fields: { name: 'string', person: 'string', groups: { list: 'string' } } },
  submitter: 'string',
  verified: { map: 'string' },
  details: { map: 'dyn' },
  context: { map: 'dyn' },
  duration: 'int',
  time: 'timestamp',
} as const satisfies Record<string, Type>;

export type VariableName = keyof typeof VARIABLE_TYPES;
const VARIABLE_NAMES = Object.keys(VARIABLE_TYPES) as readonly VariableName[];

const MACROS: Readonly<Record<string, string>> = {
  has: 'has(details.KEY)',
  exists: 'LIST.exists(x, CONDITION)',
  exists_one: 'LIST.exists_one(x, CONDITION)',
  all: 'LIST.all(x, CONDITION)',
  map: 'LIST.map(x, VALUE)',
  filter: 'LIST.filter(x, CONDITION)',
};
const TEXT_METHODS = ['startsWith', 'endsWith', 'contains', 'matches'] as const;
const METHODS = [...TEXT_METHODS, 'size', ...TIME_METHODS];
const CONVERSIONS: Readonly<Record<string, readonly Type[]>> = {
  size: ['string', 'bytes', { list: 'dyn' }, { map: 'dyn' }],
  int: ['int', 'double', 'string', 'timestamp'],
  double: ['int', 'double', 'string'],
  string: ['int', 'double', 'string', 'bool', 'timestamp', 'duration'],
  timestamp: ['string'],
  duration: ['string'],
};

/** Something that the expression cannot mean, at the node with this id. */
export class TypeMistake extends Error {
  readonly id: string;

  constructor(message: string, at: Expression | undefined) {
    super(message);
    this.name = 'TypeMistake';
    this.id = String(at?.id ?? 0n);
  }
}

/**
 * Checks names, functions and types of a condition, as far as they do not depend on the ask. The library has no such check
 * for calls, and finds at the first ask what is wrong.
 *
 * @throws TypeMistake
 */
export function checkTypes(expression: Expression, noted: Noted): void {
  const type = new Checker(noted).typeOf(expression, new Map());
  if (!fits(type, 'bool')) {
    throw new TypeMistake(`a condition is true or false, and this is ${inWords(type)}`, expression);
  }
}

/** Told of what a condition looks at. */
export interface Noted {
  variable(name: VariableName): void;
  /** A group that somebody is asked to be in, or not. */
  group(name: string, at: Expression): void;
}

type Scope = ReadonlyMap<string, Type>;

class Checker {
  readonly #noted: Noted;
  /** What `x` is called in `requester.groups.exists(x, …)`. */
  #groupVariable: string | null = null;

  constructor(noted: Noted) {
    this.#noted = noted;
  }

  typeOf(expression: Expression | undefined, scope: Scope): Type {
    const kind = expression?.exprKind;
    switch (kind?.case) {
      case 'constExpr':
        return constantType(expression, kind.value.constantKind.case);
      case 'identExpr':
        return this.#variable(kind.value.name, expression, scope);
      case 'selectExpr': {
        const operand = this.typeOf(kind.value.operand, scope);
        const type = this.#field(operand, kind.value.field, expression);
        if (!kind.value.testOnly) return type;
        // It would be true for everybody, also for an account that is no person.
        if (typeof operand === 'object' && 'fields' in operand) {
          const { field } = kind.value;
          throw new TypeMistake(
            `${field} is always there, and may be empty: write size(requester.${field}) > 0`,
            expression,
          );
        }
        return 'bool';
      }
      case 'callExpr':
        return this.#call(kind.value, expression as Expression, scope);
      case 'listExpr':
        return { list: common(kind.value.elements.map((element) => this.typeOf(element, scope))) };
      case 'structExpr':
        if (kind.value.messageName !== '') {
          throw new TypeMistake(`there is no type ${kind.value.messageName}`, expression);
        }
        for (const { keyKind } of kind.value.entries) {
          if (keyKind.case === 'mapKey') this.typeOf(keyKind.value, scope);
        }
        return { map: common(kind.value.entries.map(({ value }) => this.typeOf(value, scope))) };
      case 'comprehensionExpr':
        return this.#comprehension(kind.value, expression, scope);
      default:
        throw new TypeMistake('there is something missing', expression);
    }
  }

  #variable(name: string, at: Expression | undefined, scope: Scope): Type {
    const local = scope.get(name);
    if (local !== undefined) return local;
    const known = VARIABLE_NAMES.find((variable) => variable === name);
    if (known === undefined) {
      const near = nearest(name, VARIABLE_NAMES);
      throw new TypeMistake(
        `there is no variable ${name}: ${near === null ? `there are ${VARIABLE_NAMES.join(', ')}` : `did you mean ${near}?`}`,
        at,
      );
    }
    this.#noted.variable(known);
    return VARIABLE_TYPES[known];
  }

  #field(operand: Type, field: string, at: Expression | undefined): Type {
    if (operand === 'dyn') return 'dyn';
    if (typeof operand === 'object' && 'map' in operand) return operand.map;
    if (typeof operand === 'object' && 'fields' in operand) {
      const type = Object.hasOwn(operand.fields, field) ? operand.fields[field] : undefined;
      if (type !== undefined) return type;
      throw new TypeMistake(
        `there is no ${field} here: there are ${Object.keys(operand.fields).join(', ')}`,
        at,
      );
    }
    const call = METHODS.includes(field) ? `: write ${field}(…)` : '';
    throw new TypeMistake(`${inWords(operand)} has no ${field}${call}`, at);
  }

  #call({ function: name, target, args }: Call, at: Expression, scope: Scope): Type {
    if (Object.hasOwn(MACROS, name)) throw new TypeMistake(`write ${MACROS[name]}`, at);
    if (target !== undefined) return this.#method(name, target, args, at, scope);
    const types = args.map((arg) => this.typeOf(arg, scope));
    const [first = 'dyn', second = 'dyn'] = types;
    const all = (wanted: Type): void => {
      for (const [index, type] of types.entries()) this.#expect(type, wanted, args[index]);
    };
    switch (name) {
      case '_&&_':
      case '_||_':
      case '!_':
      case '@not_strictly_false':
        all('bool');
        return 'bool';
      case '_?_:_':
        this.#expect(first, 'bool', args[0]);
        return common(types.slice(1));
      case '_==_':
      case '_!=_':
        if (!isComparable(first, second)) {
          throw new TypeMistake(`${inWords(first)} is never ${inWords(second)}`, at);
        }
        this.#compared(args[0], args[1]);
        this.#compared(args[1], args[0]);
        return 'bool';
      case '_<_':
      case '_<=_':
      case '_>_':
      case '_>=_':
        if (!isOrdered(first) || !isOrdered(second) || !isComparable(first, second)) {
          throw new TypeMistake(`${inWords(first)} and ${inWords(second)} have no order`, at);
        }
        return 'bool';
      case '@in':
        if (args[1]?.exprKind.case === 'listExpr') {
          for (const element of args[1].exprKind.value.elements) this.#compared(args[0], element);
        } else if (termOf(args[1]) === 'requester.groups') this.#grouped(args[0]);
        return this.#membership(first, second, at);
      case '_[_]':
        return this.#element(first, second, at);
      case '_+_':
      case '_-_':
      case '_*_':
      case '_/_':
      case '_%_':
      case '-_':
        return arithmetic(name, types, at);
    }
    const takes = Object.hasOwn(CONVERSIONS, name) ? CONVERSIONS[name] : undefined;
    if (takes === undefined) {
      const near = nearest(name, [...Object.keys(CONVERSIONS), ...Object.keys(MACROS)]);
      throw new TypeMistake(
        `there is no function ${name}${near === null ? '' : `: did you mean ${near}?`}`,
        at,
      );
    }
    if (args.length !== 1) throw new TypeMistake(`${name} takes one value`, at);
    if (!takes.some((type) => fits(first, type))) {
      throw new TypeMistake(`${name} does not take ${inWords(first)}`, at);
    }
    return name === 'size' ? 'int' : (name as Type);
  }

  /** What can never be equal is a slip, and its opposite is true for everything. */
  #compared(value: Expression | undefined, constant: Expression | undefined): void {
    if (this.#groupVariable !== null && termOf(value) === this.#groupVariable) this.#grouped(constant);
    const mistake = neverEqual(value, constant);
    if (mistake !== null) throw new TypeMistake(mistake, constant);
  }

  #grouped(group: Expression | undefined): void {
    const name = constantText(group);
    if (group !== undefined && name !== null) this.#noted.group(name, group);
  }

  #method(name: string, target: Expression, args: Expression[], at: Expression, scope: Scope): Type {
    const own = this.typeOf(target, scope);
    const types = args.map((arg) => this.typeOf(arg, scope));
    if (TEXT_METHODS.some((method) => method === name)) {
      if (args.length !== 1) throw new TypeMistake(`write ${name}("TEXT")`, at);
      this.#expect(own, 'string', target);
      this.#expect(types[0] ?? 'dyn', 'string', args[0]);
      if (name === 'matches') checkPattern(args[0], scope.size > 0);
      return 'bool';
    }
    if (TIME_METHODS.includes(name)) {
      this.#expect(own, 'timestamp', target);
      const zone = constantText(args[0]);
      if (args.length > 1 || (args.length === 1 && (zone === null || !isTimeZone(zone)))) {
        throw new TypeMistake(`name a time zone, such as ${name}("Europe/Vienna")`, args[0] ?? at);
      }
      return 'int';
    }
    if (name === 'size' && args.length === 0) {
      if (CONVERSIONS.size?.some((type) => fits(own, type))) return 'int';
      throw new TypeMistake(`${inWords(own)} has no size`, at);
    }
    const near = nearest(name, METHODS);
    throw new TypeMistake(
      `there is no method ${name}: ${near === null ? `there are ${METHODS.join(', ')}` : `did you mean ${near}?`}`,
      at,
    );
  }

  #membership(element: Type, container: Type, at: Expression): Type {
    if (container === 'dyn') return 'bool';
    const inner =
      typeof container !== 'object' || 'fields' in container
        ? null
        : 'list' in container
          ? container.list
          : 'string';
    if (inner === null) throw new TypeMistake(`nothing is in ${inWords(container)}: write in ["A", "B"]`, at);
    if (isComparable(element, inner)) return 'bool';
    throw new TypeMistake(`${inWords(element)} is never in a list of ${inWords(inner)}`, at);
  }

  #element(operand: Type, index: Type, at: Expression): Type {
    if (operand === 'dyn') return 'dyn';
    if (typeof operand === 'object' && 'list' in operand && fits(index, 'int')) return operand.list;
    if (typeof operand === 'object' && 'map' in operand && fits(index, 'string')) return operand.map;
    if (typeof operand === 'object' && 'fields' in operand)
      throw new TypeMistake('write a dot and the name', at);
    throw new TypeMistake(`${inWords(operand)} has no element of that kind`, at);
  }

  #comprehension(fold: Comprehension, at: Expression | undefined, scope: Scope): Type {
    // Nested ones take time that grows with the square of what the requester wrote.
    if (scope.size > 0) throw new TypeMistake('no exists, all, map or filter inside another one', at);
    const { iterVar } = fold;
    if (VARIABLE_NAMES.some((name) => name === iterVar)) {
      throw new TypeMistake(`${iterVar} is a variable already: call it x`, at);
    }
    const range = this.typeOf(fold.iterRange, scope);
    const isWalkable = range === 'dyn' || (typeof range === 'object' && !('fields' in range));
    if (!isWalkable) throw new TypeMistake(`${inWords(range)} is not a list`, at);
    const element: Type =
      typeof range !== 'object' ? 'dyn' : 'list' in range ? range.list : 'map' in range ? 'string' : 'dyn';
    const inner = new Map([
      [iterVar, element],
      [fold.accuVar, this.typeOf(fold.accuInit, scope)],
    ]);
    this.#groupVariable = termOf(fold.iterRange) === 'requester.groups' ? iterVar : null;
    this.#expect(this.typeOf(fold.loopCondition, inner), 'bool', at);
    this.typeOf(fold.loopStep, inner);
    this.#groupVariable = null;
    return this.typeOf(fold.result, inner);
  }

  #expect(type: Type, wanted: Type, at: Expression | undefined): void {
    if (!fits(type, wanted))
      throw new TypeMistake(`${inWords(wanted)} is needed here, and this is ${inWords(type)}`, at);
  }
}

function checkPattern(at: Expression | undefined, isInLoop: boolean): void {
  const pattern = constantText(at);
  if (pattern === null) {
    throw new TypeMistake('the pattern of matches is a text of the policy, not a value of the ask', at);
  }
  // Each call compiles the pattern, and the requester decides how long a list is.
  if (isInLoop) {
    throw new TypeMistake(
      'no matches inside exists, all, map or filter: use startsWith, endsWith or contains',
      at,
    );
  }
  const mistake = patternMistake(pattern);
  if (mistake !== null) throw new TypeMistake(mistake, at);
}

function constantType(at: Expression | undefined, kind: string | undefined): Type {
  switch (kind) {
    case 'boolValue':
      return 'bool';
    case 'int64Value':
      return 'int';
    case 'doubleValue':
      return 'double';
    case 'stringValue':
      return 'string';
    case 'bytesValue':
      return 'bytes';
    case 'nullValue':
      return 'null';
    default:
      throw new TypeMistake('write a text, a whole number, true or false', at);
  }
}

function arithmetic(name: string, types: readonly Type[], at: Expression): Type {
  const [first = 'dyn', second = first] = types;
  if (first === 'dyn' || second === 'dyn') return 'dyn';
  const both = typeof first === 'string' && first === second ? first : null;
  if (both === 'int' || both === 'double') return both;
  if (name === '_+_' && both === 'string') return both;
  if (
    name === '_+_' &&
    typeof first === 'object' &&
    typeof second === 'object' &&
    'list' in first &&
    'list' in second
  ) {
    return { list: common([first.list, second.list]) };
  }
  if (first === 'timestamp' && second === 'duration' && (name === '_+_' || name === '_-_'))
    return 'timestamp';
  if (both === 'timestamp' && name === '_-_') return 'duration';
  throw new TypeMistake(`${inWords(first)} and ${inWords(second)} do not go together here`, at);
}

function fits(type: Type, wanted: Type): boolean {
  if (type === 'dyn' || wanted === 'dyn') return true;
  if (typeof type === 'string' || typeof wanted === 'string') return type === wanted;
  return ('list' in type && 'list' in wanted) || ('map' in type && 'map' in wanted);
}

const isNumber = (type: Type): boolean => type === 'int' || type === 'double';

const isComparable = (a: Type, b: Type): boolean => fits(a, b) || (isNumber(a) && isNumber(b));

const isOrdered = (type: Type): boolean =>
  typeof type === 'string' && !['bool', 'null', 'bytes'].includes(type);

function common(types: readonly Type[]): Type {
  const [first = 'dyn', ...others] = types;
  return typeof first === 'string' && others.every((other) => other === first) ? first : 'dyn';
}

function inWords(type: Type): string {
  if (typeof type === 'object') return 'list' in type ? 'a list' : 'a map';
  const words: Readonly<Record<string, string>> = {
    bool: 'true or false',
    int: 'a whole number',
    double: 'a number',
    string: 'a text',
    bytes: 'bytes',
    timestamp: 'a time',
    duration: 'a span of time',
    null: 'null',
    dyn: 'a value of the ask',
  };
  return words[type] ?? type;
}
