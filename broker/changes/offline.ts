import type { Digest } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { compilePolicy } from '../policy/compile.js';
import { Principals } from '../roster/principals.js';
import type { Store } from '../store/store.js';
import { APPROVERS_WHO_MUST_AGREE, applyChange, type EnrolledChange } from './directory-change.js';
import { policyLoaded } from './policy-change.js';

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

/** What {@link installPolicy} has put in force. */
export interface InstalledPolicy {
  readonly rules: number;
  readonly digest: Digest;
  /** Whether others would have had to agree over a running broker. */
  readonly withoutApproval: boolean;
}

/**
 * Puts a policy in force where no broker runs.
 *
 * @param file where the text came from, for the log
 * @throws BadPolicy where the broker would refuse it; Problem of the store
 */
export async function installPolicy(
  store: Store,
  text: string,
  file: string,
  now: EpochMs,
): Promise<InstalledPolicy> {
  const principals = new Principals(store.directory());
  const policy = compilePolicy(text, { principals, file });
  const { digest } = policy;
  const kept = store.policy();
  const isChange = kept !== null && kept.digest !== digest;
  const withoutApproval = isChange && principals.approvers >= APPROVERS_WHO_MUST_AGREE;
  const about = withoutApproval ? { without: 'approval' } : {};
  await store.keepPolicy({ text, digest, since: now }, policyLoaded(file, policy, now, about));
  return { rules: policy.rules.length, digest, withoutApproval };
}
