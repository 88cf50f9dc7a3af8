import type { RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { endedProblem } from './lifecycle.js';
import type { Request } from './request.js';

/** Whether what a door opened may stay open. */
export interface Standing {
  readonly id: RequestId;
  /** `active` for a grant that can be used again. */
  readonly state: 'redeemed' | 'active' | 'revoked';
  /** Why not, for a reader; null while it may. */
  readonly because: string | null;
}

/** What a door waits for that watches this request. */
export const watchKey = (id: RequestId): string => `opened ${id}`;

/**
 * What was opened stands until the request is revoked, or the grant under which it passed. The end of a grant by time or
 * number of uses ends nothing that is open.
 *
 * @param grant of the request, null where it has none
 * @throws Problem that says how the request ended, `not-redeemed` where nothing was opened yet
 */
export function standingOf(request: Request, grant: Request | null): Standing {
  const { id, state } = request;
  const revoked = [request, grant].find((one) => one?.state === 'revoked');
  if (revoked) return { id, state: 'revoked', because: revoked.endedBy };
  if (state === 'redeemed' || state === 'active') return { id, state, because: null };
  if (state === 'pending' || state === 'approved') {
    throw new Problem('not-redeemed', `the request is ${state}: nothing was opened yet`);
  }
  throw endedProblem(request);
}
