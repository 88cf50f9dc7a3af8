import { isName } from '../../src/protocol/names.js';
import type { Expression } from './expression.js';
import { constantInteger, constantText, termOf } from './terms.js';

/** What holds a name of the protocol, whatever is asked. */
const NAMES: readonly string[] = ['action', 'door', 'submitter', 'requester.name', 'requester.person'];

/** What the methods of a time come to (cel-spec, "Timezones"), the first and the last of it. */
const PARTS_OF_TIME: Readonly<Record<string, readonly [number, number, string]>> = {
  getMonth: [0, 11, 'January is 0'],
  getDate: [1, 31, 'the first day is 1'],
  getDayOfMonth: [0, 30, 'the first day is 0, and 1 for getDate'],
  getDayOfWeek: [0, 6, 'Sunday is 0'],
  getDayOfYear: [0, 365, 'the first day is 0'],
  getHours: [0, 23, 'midnight is 0'],
  getMinutes: [0, 59, 'the first is 0'],
  getSeconds: [0, 59, 'the first is 0'],
};

/**
 * Says why a value can never be equal to a constant, null where it can or where that is not known. `!=` and `!` would make
 * such a slip true for every ask.
 */
export function neverEqual(value: Expression | undefined, constant: Expression | undefined): string | null {
  const term = termOf(value);
  const text = constantText(constant);
  if (term !== null && text !== null && NAMES.includes(term)) {
    // The person behind an account that is nobody's.
    if (isName(text) || (term === 'requester.person' && text === '')) return null;
    return `${term} is never ${JSON.stringify(text)}: names have a-z 0-9 . _ @ : + - alone`;
  }
  const number = constantInteger(constant);
  if (number === null || value?.exprKind.case !== 'callExpr') return null;
  const { function: name } = value.exprKind.value;
  const part = Object.hasOwn(PARTS_OF_TIME, name) ? PARTS_OF_TIME[name] : undefined;
  if (part === undefined || (number >= part[0] && number <= part[1])) return null;
  return `${name} is never ${number}: it is ${part[0]} to ${part[1]}, ${part[2]}`;
}
