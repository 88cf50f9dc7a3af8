import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Asks the broker for its policy, and how a request came under it. */
export function policyEffects(world: World): Pick<Performers, 'readPolicy' | 'explain'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  return {
    readPolicy: ({ number }) =>
      ask(
        (signal) => connection.policy.read(signal),
        (reply) => dispatch({ type: 'policy', number, reply }),
        (error) => dispatch({ type: 'noPolicy', number, ...describeFailure(error) }),
      ),
    explain: ({ number, id }) =>
      ask(
        (signal) => connection.policy.explain(id, signal),
        (reply) => dispatch({ type: 'explained', number, reply }),
        (error) => dispatch({ type: 'notExplained', number, ...describeFailure(error) }),
      ),
  };
}
