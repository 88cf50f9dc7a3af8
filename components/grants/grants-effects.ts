import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Asks the broker when grants were last used, and what doors watch. */
export function grantsEffects(world: World): Pick<Performers, 'askOfGrants'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  return {
    askOfGrants: ({ number }) =>
      ask(
        (signal) => connection.grants(signal),
        (reply) => dispatch({ type: 'toldOfGrants', number, reply }),
        (error) => dispatch({ type: 'notToldOfGrants', number, ...describeFailure(error) }),
      ),
  };
}
