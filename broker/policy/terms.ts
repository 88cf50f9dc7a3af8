import type { Expression } from './expression.js';

/** How a variable or a field of one is written, such as `action` and `verified.issuer`. */
export type Term = string;

/** The variable or field that a node is, null if it is anything else. */
export function termOf(expression: Expression | undefined): Term | null {
  const kind = expression?.exprKind;
  if (kind?.case === 'identExpr') return kind.value.name;
  if (kind?.case === 'selectExpr' && !kind.value.testOnly) {
    const operand = termOf(kind.value.operand);
    return operand === null ? null : `${operand}.${kind.value.field}`;
  }
  if (kind?.case !== 'callExpr' || kind.value.function !== '_[_]') return null;
  const [operand, key] = kind.value.args;
  const whole = termOf(operand);
  const field = constantText(key);
  return whole === null || field === null ? null : `${whole}.${field}`;
}

/** The text that a node is, null if it is anything else. */
export function constantText(expression: Expression | undefined): string | null {
  const kind = expression?.exprKind;
  if (kind?.case !== 'constExpr' || kind.value.constantKind.case !== 'stringValue') return null;
  return kind.value.constantKind.value;
}

/** The whole number that a node is, null if it is anything else. */
export function constantInteger(expression: Expression | undefined): number | null {
  const kind = expression?.exprKind;
  if (kind?.case !== 'constExpr' || kind.value.constantKind.case !== 'int64Value') return null;
  return Number(kind.value.constantKind.value);
}
