import { deniable, isLike, type Whose } from '../../src/client/bulk-denial.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { Complaint } from '../history/history-state.js';
import { type ConsoleState, isLiveLink } from '../state/console-state.js';
import { label, type SafeText } from '../text/safe-text.js';
import { EMPTY_LINE, type TextLine } from '../text/text-line.js';

/** Many denials at once, before and while they are signed. Nothing is ever approved like this. */
export interface BulkDenial {
  /** The request that the cursor stood on. */
  readonly like: RequestView;
  readonly whose: Whose;
  /** As they were when this was opened, the oldest first: these and no others are denied. */
  readonly requests: readonly RequestView[];
  /** The first of them that is on the screen. */
  readonly top: number;
  /** How many have been on the screen, counted from the first without a gap. */
  readonly seen: number;
  readonly focused: BulkTarget;
  /** The digits that are typed so far. */
  readonly count: string;
  /** Signed with each of them. */
  readonly comment: TextLine;
  /** Null while nothing is being signed. */
  readonly signing: BulkSigning | null;
  readonly signed: number;
  /** How many had ended before they could be denied. */
  readonly ended: number;
  /** Why it stopped before the end. */
  readonly failure: Complaint | null;
}

/** One denial of many while it is made. */
export interface BulkSigning {
  /** Whether it was signed and sent: it cannot be cancelled any more. */
  readonly isSent: boolean;
  /** Whether no other follows. */
  readonly isStopping: boolean;
}

export type BulkTarget = 'cancel' | 'sign' | 'count' | 'comment';

/** All that have something in common with a request, frozen as they are now. */
export function bulkOf(
  { queue, identity }: Pick<ConsoleState, 'queue' | 'identity'>,
  like: RequestView,
  whose: Whose,
): BulkDenial {
  return {
    like,
    whose,
    requests: deniable(queue.requests.values(), identity.approver, isLike(whose, like)),
    top: 0,
    seen: 0,
    focused: 'cancel',
    count: '',
    comment: EMPTY_LINE,
    signing: null,
    signed: 0,
    ended: 0,
    failure: null,
  };
}

/** What comes after what, where another common thing is wanted. */
export const nextWhose: Readonly<Record<Whose, Whose>> = {
  equal: 'requester',
  requester: 'submitter',
  submitter: 'equal',
};

/** Why they cannot be denied now, null where they can. */
export function bulkObstacle(state: ConsoleState, bulk: BulkDenial): SafeText | null {
  const { requests, seen, count } = bulk;
  if (requests.length === 0) return label`there is nothing left to deny`;
  if (!isLiveLink(state)) return label`not connected to the broker`;
  if (seen < requests.length) return label`${requests.length - seen} more to be looked at: Space goes on`;
  if (count !== String(requests.length)) return label`type how many these are`;
  return null;
}
