import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Asks the broker for what the history shows. */
export function historyEffects(world: World): Pick<Performers, 'search'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  return {
    search: ({ search, query }) =>
      ask(
        (signal) => connection.history.search(query, signal),
        (page) => dispatch({ type: 'found', search, page }),
        (error) => dispatch({ type: 'notFound', search, ...describeFailure(error) }),
      ),
  };
}
