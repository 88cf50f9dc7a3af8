import type { LetterName } from '../../src/client/outbox.js';
import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Asks the broker for dead letters, and has them sent again or dropped. */
export function outboxEffects(world: World): Pick<Performers, 'listLetters' | 'retry' | 'drop'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  const settle = (work: Promise<void>, letter: LetterName, how: 'retried' | 'dropped'): void => {
    work.then(
      () => dispatch({ type: 'letterSettled', letter, how }),
      (error: unknown) => dispatch({ type: 'failed', of: 'letter', ...describeFailure(error) }),
    );
  };
  return {
    listLetters: ({ number }) =>
      ask(
        (signal) => connection.outbox.deadLetters(signal),
        (reply) => dispatch({ type: 'letters', number, reply }),
        (error) => dispatch({ type: 'noLetters', number, ...describeFailure(error) }),
      ),
    retry: ({ letter }) => settle(connection.outbox.retry(letter), letter, 'retried'),
    drop: ({ letter }) => settle(connection.outbox.drop(letter), letter, 'dropped'),
  };
}
