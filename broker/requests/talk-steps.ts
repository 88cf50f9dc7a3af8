import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { ESCALATION_PAUSE, MAX_COMMENTS, MAX_COMMENTS_OF_ONE } from '../../src/protocol/talk.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { type Request, requestIsLive } from './request.js';
import { checkPending, event, type Step } from './step.js';

/**
 * An approver says something to the others about a request that lives. The same again changes nothing (null), so that a
 * lost reply leads to no second one.
 *
 * @param text as isCommentText (talk.ts) wants it
 * @throws Problem `request-ended`, `too-many-comments`
 */
export function commented(request: Request, by: Name, text: string, now: EpochMs): Step | null {
  if (!requestIsLive(request)) {
    throw new Problem('request-ended', `the request is ${request.state} already`, {
      hint: 'what is said of a request is said while it lives; nothing was kept',
    });
  }
  const newest = request.comments.at(-1);
  if (newest?.by === by && newest.text === text) return null;
  if (request.comments.length >= MAX_COMMENTS) {
    throw new Problem('too-many-comments', `a request has at most ${MAX_COMMENTS} comments`);
  }
  if (request.comments.filter((comment) => comment.by === by).length >= MAX_COMMENTS_OF_ONE) {
    throw new Problem(
      'too-many-comments',
      `one approver says at most ${MAX_COMMENTS_OF_ONE} things about a request, and ${by} has said them`,
    );
  }
  return {
    request: { ...request, comments: [...request.comments, { by, at: now, text }] },
    events: [event('request.commented', request, now, { approver: by, text })],
  };
}

/**
 * An approver has everybody rung who could sign, at once, whatever order the rule has for that.
 *
 * @throws Problem `request-ended`; `escalated-lately` within {@link ESCALATION_PAUSE} of the last time (A31)
 */
export function escalated(request: Request, by: Name, now: EpochMs): Step {
  checkPending(request, now);
  const since = request.escalated === null ? Number.POSITIVE_INFINITY : now - request.escalated.at;
  if (since >= 0 && since < ESCALATION_PAUSE * 1000) {
    throw new Problem('escalated-lately', `${request.escalated?.by} has had everybody rung just now`, {
      retryAfter: Math.ceil((ESCALATION_PAUSE * 1000 - since) / 1000),
    });
  }
  return {
    request: { ...request, escalated: { by, at: now } },
    events: [event('request.escalated', request, now, { approver: by })],
  };
}
