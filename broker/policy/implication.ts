import type { Expression } from './expression.js';
import { constantText, type Term, termOf } from './terms.js';

/**
 * What can be proved of conditions from their form alone. Everything here errs on one side: what is not proved is `null` or
 * false, and whoever asks takes that as "it may be".
 */

/** Texts that begin with `text`, or the one text. */
interface Pattern {
  readonly kind: 'exact' | 'prefix';
  readonly text: string;
}

/** More is not worth the time: then nothing is proved. */
const MAX_STEPS = 20_000;

/** The terms of a conjunction, `a && b && c`. */
export const conjuncts = (expression: Expression): readonly Expression[] => flat('_&&_', expression);
const disjuncts = (expression: Expression): readonly Expression[] => flat('_||_', expression);

function flat(operator: string, expression: Expression): readonly Expression[] {
  const { exprKind } = expression;
  if (exprKind.case !== 'callExpr' || exprKind.value.function !== operator) return [expression];
  return exprKind.value.args.flatMap((arg) => flat(operator, arg));
}

/** All values of a term with which the condition can be true; null for any. */
export function possible(expression: Expression, term: Term): readonly Pattern[] | null {
  const alternatives = disjuncts(expression);
  if (alternatives.length > 1) {
    const all = alternatives.map((alternative) => possible(alternative, term));
    return all.includes(null) ? null : all.flatMap((patterns) => patterns ?? []);
  }
  const parts = conjuncts(expression);
  if (parts.length === 1)
    return test(expression)?.term === term ? (test(expression)?.patterns ?? null) : null;
  let found: readonly Pattern[] | null = null;
  for (const part of parts) {
    const patterns = possible(part, term);
    if (patterns !== null) found = found === null ? patterns : intersection(found, patterns);
  }
  return found;
}

/** Whether a text is among these, or, for a prefix, whether one that begins so can be. */
export function overlaps(patterns: readonly Pattern[], other: Pattern): boolean {
  return intersection(patterns, [other]).length > 0;
}

/** Whether the second condition is true whenever the first one is. */
export function implies(premise: Expression, conclusion: Expression): boolean {
  let steps = 0;
  const prove = (from: Expression, to: Expression): boolean => {
    steps += 1;
    if (steps > MAX_STEPS) return false;
    if (constantBoolean(to) === true || constantBoolean(from) === false) return true;
    const wanted = conjuncts(to);
    if (wanted.length > 1) return wanted.every((part) => prove(from, part));
    const alternatives = disjuncts(from);
    if (alternatives.length > 1) return alternatives.every((alternative) => prove(alternative, to));
    if (formOf(from) === formOf(to)) return true;
    if (disjuncts(to).length > 1 && disjuncts(to).some((alternative) => prove(from, alternative)))
      return true;
    const parts = conjuncts(from);
    if (parts.length > 1 && parts.some((part) => prove(part, to))) return true;
    const terms = new Set(disjuncts(to).map((alternative) => test(alternative)?.term));
    const [term] = terms;
    if (terms.size !== 1 || term === undefined) return false;
    const allowed = possible(to, term);
    const mine = possible(from, term);
    return allowed !== null && mine?.every((pattern) => isCovered(pattern, allowed)) === true;
  };
  return prove(premise, conclusion);
}

/** Whether the condition can be true only where a term has one of some texts, on every way to be true. */
export const pins = (expression: Expression, isWanted: (term: Term) => boolean): boolean => {
  const alternatives = disjuncts(expression);
  if (alternatives.length > 1) return alternatives.every((alternative) => pins(alternative, isWanted));
  const parts = conjuncts(expression);
  if (parts.length > 1) return parts.some((part) => pins(part, isWanted));
  const found = test(expression);
  return found !== null && isWanted(found.term) && found.patterns.every(({ text }) => text !== '');
};

const forms = new WeakMap<Expression, string>();

/** A text that two expressions share only if they are the same, whatever the spaces and brackets. */
export function formOf(expression: Expression): string {
  const known = forms.get(expression);
  if (known !== undefined) return known;
  const form = JSON.stringify(expression.exprKind, (key, value: unknown) =>
    key === 'id' ? undefined : typeof value === 'bigint' ? `int ${value}` : value,
  );
  forms.set(expression, form);
  return form;
}

/** True for `true`, false for `false`, null for what depends on the ask. */
export function constantBoolean({ exprKind }: Expression): boolean | null {
  if (exprKind.case !== 'constExpr' || exprKind.value.constantKind.case !== 'boolValue') return null;
  return exprKind.value.constantKind.value;
}

/** What `TERM == "TEXT"`, `TERM in ["TEXT", …]` and `TERM.startsWith("TEXT")` say; null for anything else. */
function test({
  exprKind,
}: Expression): { readonly term: Term; readonly patterns: readonly Pattern[] } | null {
  if (exprKind.case !== 'callExpr') return null;
  const { function: name, target, args } = exprKind.value;
  const [first, second] = args;
  if (name === '_==_') {
    const term = termOf(first) ?? termOf(second);
    const text = constantText(first) ?? constantText(second);
    return term === null || text === null ? null : { term, patterns: [{ kind: 'exact', text }] };
  }
  if (name === '@in' && second?.exprKind.case === 'listExpr') {
    const term = termOf(first);
    const texts = second.exprKind.value.elements.map(constantText);
    if (term === null || texts.includes(null)) return null;
    return { term, patterns: texts.map((text) => ({ kind: 'exact', text: text ?? '' })) };
  }
  if (name === 'startsWith') {
    const term = termOf(target);
    const text = constantText(first);
    return term === null || text === null ? null : { term, patterns: [{ kind: 'prefix', text }] };
  }
  return null;
}

function intersection(a: readonly Pattern[], b: readonly Pattern[]): readonly Pattern[] {
  return a.flatMap((one) =>
    b.flatMap((other) => (isWithin(one, other) ? [one] : isWithin(other, one) ? [other] : [])),
  );
}

const isWithin = (inner: Pattern, outer: Pattern): boolean =>
  outer.kind === 'prefix'
    ? inner.text.startsWith(outer.text)
    : inner.kind === 'exact' && inner.text === outer.text;

const isCovered = (pattern: Pattern, allowed: readonly Pattern[]): boolean =>
  allowed.some((other) => isWithin(pattern, other));
