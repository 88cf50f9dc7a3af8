import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Asks the broker who is enrolled, and for changes of it. */
export function peopleEffects(world: World): Pick<Performers, 'listEnrolled' | 'changeEnrolled'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  return {
    listEnrolled: ({ number }) =>
      ask(
        (signal) => connection.directory.list(signal),
        (enrolled) => dispatch({ type: 'enrolled', number, enrolled }),
        (error) => dispatch({ type: 'notEnrolled', number, ...describeFailure(error) }),
      ),
    changeEnrolled: ({ number, change, reason }) => {
      connection.directory.change(change, reason).then(
        (made) => dispatch({ type: 'changeMade', number, made }),
        (error: unknown) => dispatch({ type: 'changeNotMade', number, ...describeFailure(error) }),
      );
    },
  };
}
