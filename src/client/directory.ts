import { type Person, rosterReply, type Submitter, submittersReply } from '../protocol/roster-messages.js';
import type { CallAs } from './http-client.js';

/** Who may sign, and who may ask. */
export interface Enrolled {
  readonly people: readonly Person[];
  readonly submitters: readonly Submitter[];
}

/** People and submitters of a broker, as approvers read them. */
export interface Directory {
  /** @throws any problem of the broker. The reason of `signal` where that was aborted. */
  list(signal: AbortSignal): Promise<Enrolled>;
}

/** The directory of a broker, for whom `call` is made. */
export const brokerDirectory = (call: CallAs): Directory => ({
  async list(signal) {
    const [{ people }, { submitters }] = await Promise.all([
      call(rosterReply, { method: 'GET', path: '/v1/roster', signal }),
      call(submittersReply, { method: 'GET', path: '/v1/submitters', signal }),
    ]);
    return { people, submitters };
  },
});
