import type { Suspend } from '../../src/client/queue.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Failing } from '../state/console-events.js';
import { describeFailure, type Performers, type World } from '../state/performers.js';

/** Signs and sends what the person decided; `forPrompt` hands the terminal to a key that needs it. */
export function decidingEffects(
  { connection, dispatch }: World,
  forPrompt: Suspend,
): Pick<Performers, 'decide' | 'revoke' | 'acknowledge'> {
  const settle = (work: Promise<void>, of: Failing, done: 'decided' | 'acknowledged'): void => {
    work.then(
      () => dispatch({ type: done }),
      (error: unknown) => {
        const isUnanswered = error instanceof Problem && error.code === 'unanswered';
        dispatch({ type: 'failed', of: isUnanswered ? 'unanswered' : of, ...describeFailure(error) });
      },
    );
  };
  return {
    decide: ({ request, decision }) =>
      settle(connection.decide(request, decision, forPrompt), 'decision', 'decided'),
    revoke: ({ request, comment }) =>
      settle(connection.revoke(request, comment, forPrompt), 'decision', 'decided'),
    acknowledge: () => settle(connection.acknowledgeRestoration(), 'acknowledgement', 'acknowledged'),
  };
}
