import type { RequestDocument } from '../protocol/document.js';
import { asksNumber } from '../protocol/matched-number.js';
import { Problem } from '../protocol/problems.js';
import type { Rule } from '../protocol/rule.js';

/** What a yes allows. */
export interface Terms {
  readonly covers: 'request' | 'scope';
  /** Seconds of work, from first use; 0 for none. */
  readonly duration: number;
  /** 0 is any number, only for a grant with a duration. */
  readonly uses: number;
}

/** What an approver chose; what is absent is what the rule offers first. */
export type ChosenTerms = Partial<Terms>;

/** The time that an approver is offered first, in seconds: as long as was asked for, or less where the rule says so. */
export function offeredDuration({ work }: Rule, { duration }: Pick<RequestDocument, 'duration'>): number {
  return Math.min(duration, work.longest, work.default === 0 ? duration : work.default);
}

/**
 * Completes what an approver chose and holds it against the rule: an approver may shorten what was asked for, never lengthen.
 *
 * @throws Problem `grant-not-allowed`, `too-long`, `usage`; nothing is signed then
 */
export function chosenTerms(rule: Rule, document: RequestDocument, chosen: ChosenTerms): Terms {
  const { covers = 'request' } = chosen;
  const duration = chosen.duration ?? offeredDuration(rule, document);
  if (duration > document.duration) {
    throw new Problem('too-long', `${document.duration} s of work were asked for, not ${duration}`, {
      hint: `sign for a shorter time: --for ${document.duration}s`,
    });
  }
  if (duration > rule.work.longest) {
    throw new Problem('too-long', `the rule in force allows ${rule.work.longest} seconds of work at most`, {
      hint: `sign for a shorter time: --for ${rule.work.longest}s`,
    });
  }
  if (covers === 'request') {
    if (chosen.uses === undefined || chosen.uses === 1) return { covers, duration, uses: 1 };
    throw new Problem('usage', 'an approval of this one ask has one use', {
      hint: 'give --grant with --uses',
    });
  }
  if (asksNumber(document)) {
    throw new Problem('grant-not-allowed', 'a number is for one ask, and a grant covers later ones', {
      hint: 'approve this one ask, without --grant; nothing was signed',
    });
  }
  return { covers, duration, uses: grantUses(rule, duration, chosen.uses) };
}

function grantUses({ grants }: Rule, duration: number, chosen: number | undefined): number {
  if (grants === null) {
    throw new Problem('grant-not-allowed', 'the rule in force does not allow a lasting grant', {
      hint: 'approve this one ask, without --grant; nothing was signed',
    });
  }
  const uses = chosen ?? grants.uses;
  if (uses === 0 && duration === 0) {
    throw new Problem('usage', 'no time was asked for, so a grant needs a number of uses', {
      hint: 'give --uses N; nothing was signed',
    });
  }
  if (grants.uses !== 0 && (uses === 0 || uses > grants.uses)) {
    throw new Problem(
      'grant-not-allowed',
      `the rule in force allows a grant of ${grants.uses} uses at most`,
      {
        hint: `sign for fewer: --uses ${grants.uses}`,
      },
    );
  }
  return uses;
}
