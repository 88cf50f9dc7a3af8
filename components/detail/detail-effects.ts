import { describeFailure, latestOf, type Performers, type World } from '../state/performers.js';

/** Asks what came before the opened request, and lets the others know who reads it. */
export function detailEffects(world: World): Pick<Performers, 'background' | 'showReading'> {
  const { connection, dispatch } = world;
  const ask = latestOf(world);
  return {
    background: ({ id, zone }) =>
      ask(
        (signal) => connection.background(id, zone, signal),
        (background) => dispatch({ type: 'background', id, background }),
        (error) => dispatch({ type: 'noBackground', id, ...describeFailure(error) }),
      ),
    showReading: ({ id }) => connection.showReading(id),
  };
}
