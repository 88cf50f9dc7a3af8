import { isEndedMeanwhile } from '../../src/client/bulk-denial.js';
import type { Suspend } from '../../src/client/queue.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { describeFailure, type Performers, type World } from '../state/performers.js';

/** Signs and sends denials one after the other, and stops at the first that fails, or where the person says so. */
export function bulkEffects(
  { connection, dispatch, leaving }: World,
  forPrompt: Suspend,
): Pick<Performers, 'denyAll' | 'stopDenying'> {
  let stopping = new AbortController();
  const deny = async (request: RequestView, comment: string): Promise<void> => {
    const current = connection.queue().requests.get(request.id);
    const isPending = current === undefined || current.state === 'pending';
    try {
      if (isPending) await connection.decide(request, { verdict: 'deny', comment, code: null }, forPrompt);
      dispatch({ type: 'denied', id: request.id, isEnded: !isPending });
    } catch (error) {
      if (!isEndedMeanwhile(error)) throw error;
      dispatch({ type: 'denied', id: request.id, isEnded: true });
    }
  };
  const denyAll = async (requests: readonly RequestView[], comment: string): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, leaving]);
    try {
      for (const request of requests) {
        if (signal.aborted) break;
        await deny(request, comment);
      }
      dispatch({ type: 'denyingOver', failure: null });
    } catch (error) {
      dispatch({ type: 'denyingOver', failure: describeFailure(error) });
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
