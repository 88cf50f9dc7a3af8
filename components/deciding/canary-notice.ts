import type { RequestView } from '../../src/protocol/request-view.js';
import { type Line, span } from '../text/line.js';
import { label } from '../text/safe-text.js';

/**
 * What to say to a person on whose decision a canary was revealed just now (A33); null where that is not so. It blames nobody:
 * who is told kindly reads better the next time.
 */
export function canaryNotice(
  before: RequestView,
  { canary, votes }: RequestView,
  approver: string,
): Line | null {
  if (canary === null || before.canary !== null) return null;
  const own = votes.find((vote) => vote.approver === approver)?.verdict;
  if (own === 'deny')
    return [span(label`What you denied was a canary, asked to see who reads. You caught it.`, 'strong')];
  if (own === 'approve') {
    return [span(label`▲ What you approved was a canary: nobody needed it. Nothing was opened.`, 'warning')];
  }
  return null;
}
