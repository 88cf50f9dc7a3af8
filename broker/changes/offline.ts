import type { EpochMs } from '../../src/protocol/time.js';
import type { Store } from '../store/store.js';
import { APPROVERS_WHO_MUST_AGREE, applyChange, type EnrolledChange } from './directory-change.js';

/**
 * Changes people or submitters where no broker runs: the way to begin, and the way out when approvers are gone. Whoever
 * may write the database needs nobody's consent; the log says so.
 *
 * @returns whether others would have had to agree over a running broker
 * @throws Problem of the change or the store
 */
export async function changeOffline(store: Store, asked: EnrolledChange, now: EpochMs): Promise<boolean> {
  let withoutApproval = false;
  await store.changeDirectory((current) => {
    withoutApproval = current.people.length >= APPROVERS_WHO_MUST_AGREE;
    return applyChange(current, asked, now, withoutApproval ? { without: 'approval' } : {});
  });
  return withoutApproval;
}
