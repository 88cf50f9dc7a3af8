import { CLIPBOARDS, type Clipboard } from '../client/clipboard.js';
import type { Environment } from '../client/locations.js';
import { Problem } from '../protocol/problems.js';

/**
 * How the console copies: flag, then environment, into which the configuration was filled, then through tmux where one stands around
 * it, else by the terminal.
 *
 * @throws Problem `usage`
 */
export function clipboardOption(
  { clipboard }: { readonly clipboard?: string | undefined },
  env: Environment,
): Clipboard {
  const isInTmux = Boolean(env.TMUX);
  const wanted = clipboard ?? (env.COUNTERSIGN_CLIPBOARD || 'auto');
  const way = wanted === 'auto' ? (isInTmux ? 'tmux' : 'osc52') : CLIPBOARDS.find((one) => one === wanted);
  if (way === undefined) {
    throw new Problem('usage', `${JSON.stringify(wanted)} is no clipboard`, {
      hint: `--clipboard and COUNTERSIGN_CLIPBOARD take auto, ${CLIPBOARDS.join(', ')}`,
    });
  }
  if (way === 'tmux' && !isInTmux) {
    throw new Problem('usage', 'the clipboard is that of tmux, and there is none: TMUX is not set', {
      hint: 'say --clipboard auto',
    });
  }
  return { way, isInTmux };
}
