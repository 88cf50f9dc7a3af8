import { type ExplanationReply, explanationReply } from '../protocol/explanation.js';
import type { RequestId } from '../protocol/names.js';
import { type PolicyReply, policyReply } from '../protocol/policy-messages.js';
import type { CallAs } from './http-client.js';

/** The policy of a broker, as approvers read it. */
export interface PolicyReader {
  /** @throws any problem of the broker. The reason of `signal` where that was aborted. */
  read(signal: AbortSignal): Promise<PolicyReply>;
  /**
   * How a request came under its rule, and who could sign it.
   *
   * @throws any problem of the broker. The reason of `signal` where that was aborted.
   */
  explain(id: RequestId, signal?: AbortSignal): Promise<ExplanationReply>;
}

/** The policy of a broker, for whom `call` is made. */
export const brokerPolicy = (call: CallAs): PolicyReader => ({
  read: (signal) => call(policyReply, { method: 'GET', path: '/v1/policy', signal }),
  explain: (id, signal) =>
    call(explanationReply, { method: 'GET', path: `/v1/requests/${id}/explanation`, signal }),
});
