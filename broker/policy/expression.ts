import type { parse } from '@bufbuild/cel';

/** A node of the syntax tree (cel-spec, `cel.expr.Expr`). */
export type Expression = NonNullable<ReturnType<typeof parse>['expr']>;

export type Call = Extract<Expression['exprKind'], { case: 'callExpr' }>['value'];
export type Comprehension = Extract<Expression['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** Something that the expression cannot mean, at the node with this id. */
export class TypeMistake extends Error {
  readonly id: string;

  constructor(message: string, at: Expression | undefined) {
    super(message);
    this.name = 'TypeMistake';
    this.id = String(at?.id ?? 0n);
  }
}
