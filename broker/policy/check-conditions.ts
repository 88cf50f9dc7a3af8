import { POLICY_CHANGE, ROSTER_CHANGE } from '../../src/protocol/change-messages.js';
import type { Rule } from '../../src/protocol/rule.js';
import type { Condition, VariableName } from './condition.js';
import { constantBoolean, formOf, implies, overlaps, pins, possible } from './implication.js';

/** A rule beside its condition, which is null for a rule that is for all asks. */
export interface Conditioned {
  readonly rule: Rule;
  readonly condition: Condition | null;
}

type Refuse = (rule: number, message: string) => void;

const PAM = 'a requester at PAM';
const CHANGE = 'who changes the broker';
/** Actions of doors that show no number: that of PAM, where nothing is seen before one is in, and the broker itself. */
const UNSEEN = [
  { kind: 'exact', text: 'ssh.login', who: PAM },
  { kind: 'exact', text: 'sudo.run', who: PAM },
  { kind: 'exact', text: 'su.login', who: PAM },
  { kind: 'prefix', text: 'pam.', who: PAM },
  { kind: 'exact', text: ROSTER_CHANGE, who: CHANGE },
  { kind: 'exact', text: POLICY_CHANGE, who: CHANGE },
] as const;

/** What neither requester nor submitter can write as they like, or what a door binds by name. */
const FACTS: readonly VariableName[] = ['action', 'resource', 'door', 'submitter', 'verified', 'time'];

/** Checks what the conditions say together: which rule hides which, and what may not depend on what. */
export function checkConditions(rules: readonly Conditioned[], refuse: Refuse): void {
  for (const [index, { rule, condition }] of rules.entries()) {
    if (condition !== null && isNever(condition)) {
      refuse(index, 'this is never true: correct it, or remove the rule');
      continue;
    }
    const hiding = rules.findIndex((earlier, other) => other < index && hides(earlier.condition, condition));
    if (hiding >= 0) refuse(index, shadowed(hiding, rules[hiding] as Conditioned, condition));
    if (rule.number) checkNumber(condition, (message) => refuse(index, message));
    if (rule.approvals === 'automatic') checkAutomatic(condition, (message) => refuse(index, message));
  }
}

function hides(earlier: Condition | null, later: Condition | null): boolean {
  if (earlier === null || constantBoolean(earlier.expression) === true) return true;
  if (later === null) return false;
  return implies(later.expression, earlier.expression);
}

function shadowed(index: number, { rule, condition }: Conditioned, later: Condition | null): string {
  const name = `rule ${index + 1}, ${rule.name},`;
  if (condition === null) return `never reached: ${name} above it is for all asks; move this rule above it`;
  const isSame = later !== null && formOf(later.expression) === formOf(condition.expression);
  return isSame
    ? `never reached: ${name} has the same condition; remove one of them`
    : `never reached: ${name} is true whenever this is; move this rule above it`;
}

function isNever({ expression }: Condition): boolean {
  if (constantBoolean(expression) === false) return true;
  return (['action', 'resource', 'door', 'submitter'] as const).some(
    (term) => possible(expression, term)?.length === 0,
  );
}

function checkNumber(condition: Condition | null, refuse: (message: string) => void): void {
  const actions = condition === null ? null : possible(condition.expression, 'action');
  if (actions === null) {
    refuse(`${PAM} sees no number: say for which actions this is, such as action == "command.run"`);
    return;
  }
  const unseen = UNSEEN.find((pattern) => overlaps(actions, pattern));
  if (unseen !== undefined) {
    refuse(
      `${unseen.who} sees no number, and this can be true for ${unseen.text}${unseen.kind === 'prefix' ? '*' : ''}: name the actions of run, gate and CI one by one`,
    );
  }
}

/**
 * Automatic approval is for what the broker verified itself (A20, A21). Claims mean nothing without who made them, so the
 * issuer, or the submitter that is enrolled with one, must be named.
 */
function checkAutomatic(condition: Condition | null, refuse: (message: string) => void): void {
  const reads = [...(condition?.reads ?? [])].filter((name) => !FACTS.includes(name));
  if (reads.length > 0) {
    refuse(
      `automatic approval must not depend on ${reads.join(', ')}, which the requester writes: look at verified claims alone`,
    );
    return;
  }
  const isPinned = (isWanted: (term: string) => boolean): boolean =>
    condition !== null && pins(condition.expression, isWanted);
  if (!isPinned((term) => term.startsWith('verified.') && term !== 'verified.issuer')) {
    refuse(
      'automatic approval needs a claim that the broker verified, such as verified.repository == "acme/shop"',
    );
  } else if (!isPinned((term) => term === 'verified.issuer' || term === 'submitter')) {
    refuse('say whose claims these are: add verified.issuer == "https://…" or submitter == "…"');
  }
}
