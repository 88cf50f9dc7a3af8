import type { Alerts } from '../src/client/alerts.js';
import type { Clipboard } from '../src/client/clipboard.js';
import { type Display, type Looks, PLAIN_LOOKS } from '../src/client/display.js';
import { type JobShell, PLAIN_SHELL } from '../src/client/job-shell.js';
import type { QueueConnection } from '../src/client/queue.js';
import { Problem } from '../src/protocol/problems.js';
import type { EpochMs } from '../src/protocol/time.js';
import { withoutEscapes } from './spoken/plain-output.js';
import { setRepertoire } from './text/repertoire.js';

export interface ConsoleOptions {
  readonly connection: QueueConnection;
  readonly display: Display;
  /** Default: for a dark terminal that shows Unicode. */
  readonly looks?: Looks;
  /** What the reader must know about this machine, shown as long as the console is open. */
  readonly warnings?: readonly string[];
  /** What is worth knowing and no warning: said once, in the first live picture. */
  readonly remark?: string | null;
  /** Default: this process's own. Both must be terminals. */
  readonly stdin?: NodeJS.ReadStream;
  readonly stdout?: NodeJS.WriteStream;
  /** Our clock, in ms since 1970. */
  readonly clock?: () => EpochMs;
  /** How new asks call. Default: by the bell, at any hour. */
  readonly alerts?: Alerts;
  /** How text is copied. Default: by the terminal. */
  readonly clipboard?: Clipboard;
  /** Where Ctrl-Z leads. Default: to a shell. */
  readonly shell?: JobShell;
  /** Called with how many are pending whenever that changes; null while it is not known. */
  readonly onPending?: (pending: number | null) => void;
}

const BELL_ALONE: Alerts = { notify: 'bell', quiet: null, isInTmux: false };
const BY_TERMINAL: Clipboard = { way: 'osc52', isInTmux: false };

/** Loads what draws, which takes longer than all else before the first frame: begin it while the broker is being asked. */
export function loadDrawing() {
  // Ink asks FORCE_COLOR only, and only once, when it is imported.
  if (process.env.NO_COLOR) process.env.FORCE_COLOR = '0';
  return Promise.all([
    import('ink'),
    import('./screen/console-app.js'),
    import('./state/painted-frames.js'),
    import('./screen/terminal-painter.js'),
  ]);
}

/**
 * Shows the queue until the person leaves. The alternate screen is left before this settles, so what went wrong can be
 * printed; nothing else of it would be seen.
 *
 * @throws Problem `usage` without a terminal; whatever was thrown while drawing.
 */
export async function runConsole(options: ConsoleOptions): Promise<void> {
  const {
    connection,
    display,
    looks = PLAIN_LOOKS,
    warnings = [],
    remark = null,
    stdin = process.stdin,
    stdout = process.stdout,
    clock = Date.now,
    alerts = BELL_ALONE,
    clipboard = BY_TERMINAL,
    shell = PLAIN_SHELL,
    onPending = () => {},
  } = options;
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new Problem('usage', 'the console needs a terminal', {
      hint: 'without one use: countersign list, show, approve, deny',
    });
  }
  setRepertoire(looks.isAscii ? 'ascii' : 'unicode');
  const [{ render }, { ConsoleApp }, { createPaintedFrames }, { paintedTerminal }] = await loadDrawing();
  const spoken = looks.isSpoken ? await import('./spoken/spoken-console.js') : null;
  const isDumb = spoken !== null && process.env.TERM === 'dumb';
  const frames = createPaintedFrames();
  // What is read out is written by Ink, and never painted over.
  const painted = spoken === null ? paintedTerminal(stdout, frames.written) : null;
  const output = isDumb ? withoutEscapes(stdout) : (painted?.terminal ?? stdout);
  // Keys that come while the first frame is drawn would be echoed onto it, and none that came before may shift it.
  stdin.setRawMode(true);
  stdout.write('\r');
  try {
    const app = render(
      <ConsoleApp
        connection={connection}
        display={display}
        theme={looks.theme}
        paint={painted?.paint ?? null}
        spoken={spoken?.SpokenConsole ?? null}
        warnings={warnings}
        remark={remark}
        clock={clock}
        frames={frames}
        alerts={alerts}
        clipboard={clipboard}
        shell={shell}
        onPending={onPending}
      />,
      {
        stdin,
        stdout: output,
        interactive: true,
        // What is read out stays above, to be read again.
        alternateScreen: spoken === null,
        isScreenReaderEnabled: spoken !== null,
        exitOnCtrlC: false,
        // What is painted is told of where it is painted.
        ...(spoken === null ? {} : { onRender: frames.written }),
      },
    );
    await app.waitUntilExit();
  } finally {
    stdin.setRawMode(false);
  }
}
