import { isEndedMeanwhile } from '../../src/client/bulk-denial.js';
import type { Cancelling, Suspend } from '../../src/client/queue.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { describeFailure, type Performers, type World } from '../state/performers.js';

/**
 * Signs and sends denials one after the other, and stops at the first that fails, or where the person says so: what was not sent by
 * then is not sent at all.
 */
export function bulkEffects(
  { connection, dispatch, leaving }: World,
  forPrompt: Suspend,
): Pick<Performers, 'denyAll' | 'stopDenying'> {
  let stopping = new AbortController();
  const deny = async (request: RequestView, comment: string, cancelling: Cancelling): Promise<void> => {
    const current = connection.queue().requests.get(request.id);
    const isPending = current === undefined || current.state === 'pending';
    try {
      const decision = { verdict: 'deny', comment, code: null } as const;
      if (isPending) await connection.decide(request, decision, forPrompt, cancelling);
      dispatch({ type: 'denied', id: request.id, isEnded: !isPending });
    } catch (error) {
      if (!isEndedMeanwhile(error)) throw error;
      dispatch({ type: 'denied', id: request.id, isEnded: true });
    }
  };
  const denyAll = async (requests: readonly RequestView[], comment: string): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, leaving]);
    let isSent = false;
    const onSending = (): void => {
      isSent = true;
      dispatch({ type: 'sendingDenial' });
    };
    try {
      for (const request of requests) {
        if (signal.aborted) break;
        isSent = false;
        await deny(request, comment, { signal, onSending });
      }
      dispatch({ type: 'denyingOver', failure: null });
    } catch (error) {
      const isCancelled = signal.aborted && !isSent;
      dispatch({ type: 'denyingOver', failure: isCancelled ? null : describeFailure(error) });
    }
  };
  return {
    denyAll: ({ requests, comment }) => {
      stopping = new AbortController();
      void denyAll(requests, comment);
    },
    stopDenying: () => stopping.abort(),
  };
}
