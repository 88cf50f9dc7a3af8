import { asksNumber } from '../../src/protocol/matched-number.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Rule } from '../../src/protocol/rule.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { inWords } from '../yaml/duration-words.js';
import { matchesWhole } from './pattern.js';
import type { Ask } from './policy.js';

/** @throws Problem `rule-unmet` with everything that the rule wants and the ask lacks */
export function checkAsk(rule: Rule, { bound, principals }: Ask): void {
  const { requester, context, duration } = bound.document;
  const lacks: string[] = [];
  if (rule.sharedRequester === 'refuse' && principals.personBehind(requester) === null) {
    lacks.push(`a requester who is a person of the roster, which ${requester} is not`);
  }
  if (rule.reason !== null && lengthOf(context.reason) < rule.reason) {
    lacks.push(`a reason of at least ${rule.reason} characters`);
  }
  if (rule.ticket !== null && !isTicket(context.ticket, rule.ticket)) {
    lacks.push(`a ticket like ${rule.ticket}`);
  }
  // Digits that no door has drawn would be signed, and held against nothing.
  if (rule.number && !asksNumber(bound.document)) {
    lacks.push('a door that shows the requester a number (number=yes)');
  }
  if (duration > rule.work.longest) {
    lacks.push(rule.work.longest === 0 ? 'no time of work' : `at most ${inWords(rule.work.longest)} of work`);
  }
  if (lacks.length > 0)
    throw new Problem('rule-unmet', `the rule ${rule.name} wants ${lacks.join(', and ')}`);
}

/** Blanks around it are no reason. */
const lengthOf = (reason: JsonValue | undefined): number =>
  typeof reason === 'string' ? [...reason.trim()].length : 0;

const isTicket = (ticket: JsonValue | undefined, pattern: string): boolean =>
  typeof ticket === 'string' && matchesWhole(pattern, ticket);
