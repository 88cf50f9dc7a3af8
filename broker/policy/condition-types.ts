import { nearest } from '../../src/protocol/nearest.js';
import { isTimeZone } from '../../src/protocol/zoned-time.js';
import { TIME_METHODS } from './condition-time.js';
import { type Call, type Comprehension, type Expression, TypeMistake } from './expression.js';
import { neverEqual } from './never-equal.js';
import { arithmeticType, elementType, membershipType } from './operator-types.js';
import { patternMistake } from './pattern.js';
import { constantText, termOf } from './terms.js';
import { common, fits, inWords, isComparable, isOrdered, type Type } from './value-type.js';
import {
  CONVERSIONS,
  MACROS,
  METHODS,
  TEXT_METHODS,
  VARIABLE_NAMES,
  VARIABLE_TYPES,
  type VariableName,
} from './vocabulary.js';

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
        return membershipType(first, second, at);
      case '_[_]':
        return elementType(first, second, at);
      case '_+_':
      case '_-_':
      case '_*_':
      case '_/_':
      case '_%_':
      case '-_':
        return arithmeticType(name, types, at);
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
