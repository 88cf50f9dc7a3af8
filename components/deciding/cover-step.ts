import { offeredDuration, type Terms } from '../../src/client/terms.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { knownRule } from '../../src/protocol/rule.js';
import { examine } from '../detail/examination.js';
import type { Press } from '../keys/press.js';

/** What a yes may cover at most, and what is chosen so far. */
export interface CoverChoice {
  readonly terms: Terms;
  /** The longest time, in seconds. */
  readonly longest: number;
  /** The most uses of a grant, 0 for any number; null where the rule allows no grant. */
  readonly mostUses: number | null;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const TIMES = [1, 5, 10, 15, 30].map((minutes) => minutes * MINUTE);
const LONG_TIMES = [1, 2, 4, 8, 12].map((hours) => hours * HOUR);
const DAYS = [1, 2, 7, 14].map((days) => days * DAY);
const USES = [1, 2, 3, 5, 10, 20, 50, 100];
/** Where neither time nor rule sets a limit. */
const FIRST_USES = 10;

/** What an approver begins with: this one ask. Null where nothing can be read of the rule, so that nothing can be signed. */
export function firstChoice(request: RequestView): CoverChoice | null {
  const { bound } = examine(request);
  const rule = knownRule(request.rule);
  if (bound === null || rule === null) return null;
  const duration = offeredDuration(rule, bound.document);
  return {
    terms: { covers: 'request', duration, uses: 1 },
    longest: Math.min(bound.document.duration, rule.work.longest),
    mostUses: rule.grants === null ? null : rule.grants.uses,
  };
}

/** Whether there is anything to choose. */
export const canChoose = ({ longest, mostUses }: CoverChoice): boolean => longest > 0 || mostUses !== null;

/** This one ask, or this and every equal one, where the rule allows that. */
export function toggleCover(choice: CoverChoice): CoverChoice {
  const { terms, mostUses } = choice;
  if (mostUses === null) return choice;
  if (terms.covers === 'scope') return { ...choice, terms: { ...terms, covers: 'request', uses: 1 } };
  return { ...choice, terms: { ...terms, covers: 'scope', uses: topUses(mostUses, terms.duration) } };
}

/** Arrows: left and right the time, down and up the uses; never beyond what was asked for and what the rule allows. */
export function changeCover(choice: CoverChoice, press: Press): CoverChoice {
  if (!('named' in press)) return choice;
  const { terms, longest, mostUses } = choice;
  switch (press.named) {
    case 'left':
    case 'right': {
      const times = [...TIMES, ...LONG_TIMES, ...DAYS].filter((time) => time < longest);
      const duration = neighbour(
        [...times, ...(longest > 0 ? [longest] : [])],
        terms.duration,
        press.named === 'right',
      );
      return { ...choice, terms: { ...terms, duration } };
    }
    case 'down':
    case 'up': {
      if (terms.covers === 'request' || mostUses === null) return choice;
      const top = topUses(mostUses, terms.duration);
      const limit = mostUses === 0 ? Number.POSITIVE_INFINITY : mostUses;
      const counts = [...USES.filter((count) => count < limit), limit];
      const current = terms.uses === 0 ? Number.POSITIVE_INFINITY : terms.uses;
      const uses = neighbour(counts, current, press.named === 'up');
      return { ...choice, terms: { ...terms, uses: Number.isFinite(uses) ? uses : top } };
    }
    default:
      return choice;
  }
}

/** Without a time a grant has a number of uses. */
const topUses = (mostUses: number, duration: number): number =>
  mostUses === 0 && duration === 0 ? FIRST_USES : mostUses;

function neighbour(values: readonly number[], current: number, isUp: boolean): number {
  if (isUp) return values.find((value) => value > current) ?? current;
  return values.findLast((value) => value < current) ?? current;
}
