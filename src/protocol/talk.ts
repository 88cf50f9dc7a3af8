import type { Name } from './names.js';
import type { EpochMs } from './time.js';

/** What an approver said to the others about a request. Nobody signed it: who said it is the broker's word. */
export interface Comment {
  readonly by: Name;
  readonly at: EpochMs;
  readonly text: string;
}

/** That an approver had everybody rung who could sign, whatever order the rule has for that. The newest time. */
export interface Escalated {
  readonly by: Name;
  readonly at: EpochMs;
}

/** Most comments of one request: what needs more words needs a telephone. */
export const MAX_COMMENTS = 32;
/** Most of one approver among them: nobody takes the word from the others. */
export const MAX_COMMENTS_OF_ONE = 8;
/** Longest text of one comment, in bytes of UTF-8. */
export const MAX_COMMENT_TEXT_BYTES = 1024;
/** Least time between two escalations of one request, in seconds. */
export const ESCALATION_PAUSE = 60;

/** Most requests for which one approver has everybody rung within that time. */
export const MAX_ESCALATIONS = 5;

/** Whether it says anything, and is not too long. */
export const isCommentText = (text: string): boolean =>
  text.trim() !== '' && Buffer.byteLength(text) <= MAX_COMMENT_TEXT_BYTES;
