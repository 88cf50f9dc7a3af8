import { type Clipboard, loadTmuxBuffer } from '../../src/client/clipboard.js';
import { describeFailure, type Performers, type World } from '../state/performers.js';

/** Hands copied text to tmux or, by `send`, to the terminal. */
export function copyEffects(
  { dispatch }: World,
  { way }: Clipboard,
  send: (text: string) => void,
): Pick<Performers, 'copy'> {
  return {
    copy: ({ what, id, text }) => {
      const done = (): void => dispatch({ type: 'copied', what, id, way });
      if (way === 'tmux') {
        loadTmuxBuffer(text).then(done, (error: unknown) =>
          dispatch({ type: 'failed', of: 'copy', ...describeFailure(error) }),
        );
        return;
      }
      if (way === 'osc52') send(text);
      done();
    },
  };
}
