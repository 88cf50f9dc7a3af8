import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Has the broker count. */
export function statisticsEffects(world: World): Pick<Performers, 'count'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  return {
    count: ({ number, query }) =>
      ask(
        (signal) => connection.statistics(query, signal),
        (statistics) => dispatch({ type: 'counted', number, statistics }),
        (error) => dispatch({ type: 'notCounted', number, ...describeFailure(error) }),
      ),
  };
}
