import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Asks the broker who is enrolled. */
export function peopleEffects(world: World): Pick<Performers, 'listEnrolled'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  return {
    listEnrolled: ({ number }) =>
      ask(
        (signal) => connection.directory.list(signal),
        (enrolled) => dispatch({ type: 'enrolled', number, enrolled }),
        (error) => dispatch({ type: 'notEnrolled', number, ...describeFailure(error) }),
      ),
  };
}
