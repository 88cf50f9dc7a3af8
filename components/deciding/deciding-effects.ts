import type { Cancelling, Suspend } from '../../src/client/queue.js';
import { Problem } from '../../src/protocol/problems.js';
import { describeFailure, type Performers, type World } from '../state/performers.js';

/** Signs and sends what the person decided; `forPrompt` hands the terminal to a key that needs it. */
export function decidingEffects(
  { connection, dispatch, leaving }: World,
  forPrompt: Suspend,
): Pick<Performers, 'decide' | 'revoke' | 'cancelSigning' | 'acknowledge'> {
  let signing = new AbortController();
  const sign = (work: (cancelling: Cancelling) => Promise<void>): void => {
    signing = new AbortController();
    const signal = AbortSignal.any([signing.signal, leaving]);
    work({ signal, onSending: () => dispatch({ type: 'sending' }) }).then(
      () => dispatch({ type: 'decided' }),
      (error: unknown) => {
        // The panel went on without it, and perhaps to another signature.
        if (signal.aborted) return;
        const isUnanswered = error instanceof Problem && error.code === 'unanswered';
        dispatch({ type: 'failed', of: isUnanswered ? 'unanswered' : 'decision', ...describeFailure(error) });
      },
    );
  };
  return {
    decide: ({ request, decision }) =>
      sign((cancelling) => connection.decide(request, decision, forPrompt, cancelling)),
    revoke: ({ request, comment }) =>
      sign((cancelling) => connection.revoke(request, comment, forPrompt, cancelling)),
    cancelSigning: () => signing.abort(),
    acknowledge: () => {
      connection.acknowledgeRestoration().then(
        () => dispatch({ type: 'acknowledged' }),
        (error: unknown) => dispatch({ type: 'failed', of: 'acknowledgement', ...describeFailure(error) }),
      );
    },
  };
}
