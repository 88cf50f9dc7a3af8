import { useStdout } from 'ink';
import { useEffect } from 'react';
import type { SafeText } from '../text/safe-text.js';

const OSC_TITLE = '\u001b]2;';
const BEL = '\u0007';
/** XTWINOPS 22 and 23: put the title away, and bring it back. */
const SAVE_TITLE = '\u001b[22;2t';
const RESTORE_TITLE = '\u001b[23;2t';

/** Gives the terminal or the tmux pane a title while the console runs; none leaves it as it is. */
export function useTitle(title: SafeText | null): void {
  const isTitled = title !== null;
  const { stdout } = useStdout();
  useEffect(() => {
    if (!isTitled) return;
    stdout.write(SAVE_TITLE);
    return () => {
      stdout.write(RESTORE_TITLE);
    };
  }, [stdout, isTitled]);
  useEffect(() => {
    if (title !== null) stdout.write(OSC_TITLE + title + BEL);
  }, [stdout, title]);
}
