import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Has the broker count, and tell of canaries. */
export function statisticsEffects(world: World): Pick<Performers, 'count' | 'askOfCanaries'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  const askOfCanaries = latestOf(world);
  return {
    count: ({ number, query }) =>
      ask(
        (signal) => connection.statistics(query, signal),
        (statistics) => dispatch({ type: 'counted', number, statistics }),
        (error) => dispatch({ type: 'notCounted', number, ...describeFailure(error) }),
      ),
    askOfCanaries: ({ number }) =>
      askOfCanaries(
        (signal) => connection.canaries(signal),
        (canaries) => dispatch({ type: 'toldOfCanaries', number, canaries }),
        (error) => dispatch({ type: 'notToldOfCanaries', number, ...describeFailure(error) }),
      ),
  };
}
