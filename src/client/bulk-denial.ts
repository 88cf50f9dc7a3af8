import { Problem } from '../protocol/problems.js';
import type { RequestView } from '../protocol/request-view.js';
import { verifyShown } from './shown-request.js';

/** What the requests have in common that are denied together: who asks, what sent them, or all that they ask. */
export type Whose = 'requester' | 'submitter' | 'equal';

/** So many are denied together at most: each takes a signature of its own. */
export const MAX_BULK = 100;

/** Whether requests have that in common with this one. */
export function isLike(whose: Whose, like: Pick<RequestView, 'document' | 'submitter' | 'scope'>) {
  return ({ document, submitter, scope }: RequestView): boolean => {
    if (whose === 'requester') return document.requester === like.document.requester;
    if (whose === 'submitter') return submitter === like.submitter;
    return scope === like.scope;
  };
}

/**
 * Those of some requests that somebody may deny: pending, not signed by him yet, and what their digests say (A62). The oldest come
 * first, and no more than {@link MAX_BULK}.
 */
export function deniable(
  requests: Iterable<RequestView>,
  approver: string,
  isMeant: (request: RequestView) => boolean,
): readonly RequestView[] {
  const meant = [...requests]
    .filter(
      (request) =>
        request.state === 'pending' &&
        isMeant(request) &&
        request.votes.every((vote) => vote.approver !== approver),
    )
    .sort((a, b) => a.submittedAt - b.submittedAt || (a.id < b.id ? -1 : 1));
  const found: RequestView[] = [];
  for (const request of meant) {
    if (found.length === MAX_BULK) break;
    if (isAsShown(request)) found.push(request);
  }
  return found;
}

function isAsShown(request: RequestView): boolean {
  try {
    verifyShown(request);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** Whether a denial failed only because the request had ended by then, whoever or whatever ended it. */
export const isEndedMeanwhile = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'request-ended';
