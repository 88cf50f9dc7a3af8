import { type Expression, TypeMistake } from './expression.js';
import { common, fits, inWords, isComparable, type Type } from './value-type.js';

/**
 * What `in` comes to.
 *
 * @throws TypeMistake
 */
export function membershipType(element: Type, container: Type, at: Expression): Type {
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

/**
 * What `x[…]` comes to.
 *
 * @throws TypeMistake
 */
export function elementType(operand: Type, index: Type, at: Expression): Type {
  if (operand === 'dyn') return 'dyn';
  if (typeof operand === 'object' && 'list' in operand && fits(index, 'int')) return operand.list;
  if (typeof operand === 'object' && 'map' in operand && fits(index, 'string')) return operand.map;
  if (typeof operand === 'object' && 'fields' in operand)
    throw new TypeMistake('write a dot and the name', at);
  throw new TypeMistake(`${inWords(operand)} has no element of that kind`, at);
}

/**
 * What `+ - * / %` and a sign come to.
 *
 * @throws TypeMistake
 */
export function arithmeticType(name: string, types: readonly Type[], at: Expression): Type {
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
