import { grantOver } from '../../src/protocol/grant.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';

/**
 * When something ends for a request unless somebody acts, by the nearest of its clocks: the time to answer, or a signature that
 * others have given so far; the time to use an approval; the end of a grant. Null where nothing runs any more.
 */
export function nearestClock(request: RequestView): EpochMs | null {
  const { state, answerBy, alone, claimBy, votes } = request;
  switch (state) {
    case 'pending': {
      const signed = votes.filter(({ verdict }) => verdict === 'approve').map(({ notAfter }) => notAfter);
      return Math.min(alone?.opensAt ?? answerBy, ...signed);
    }
    case 'approved':
      return claimBy;
    case 'active':
      return grantOver(request) ?? claimBy;
    default:
      return null;
  }
}
