import { useApp, useStdout } from 'ink';
import { type ReactElement, useCallback, useMemo, useState } from 'react';
import type { Alerts } from '../../src/client/alerts.js';
import type { Clipboard } from '../../src/client/clipboard.js';
import type { Display, ThemeName } from '../../src/client/display.js';
import type { JobShell } from '../../src/client/job-shell.js';
import type { QueueConnection } from '../../src/client/queue.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { useClock } from '../hooks/use-clock.js';
import { useConsoleState } from '../hooks/use-console-state.js';
import { useEffects } from '../hooks/use-effects.js';
import { useKeyboard } from '../hooks/use-keyboard.js';
import { usePaintedFrames } from '../hooks/use-painted-frames.js';
import { usePainting } from '../hooks/use-painting.js';
import { usePending } from '../hooks/use-pending.js';
import { useQueue } from '../hooks/use-queue.js';
import { SPOKEN_SIZE, terminalSize, useTerminalSize } from '../hooks/use-terminal-size.js';
import { useTitle } from '../hooks/use-title.js';
import type { SpokenConsole } from '../spoken/spoken-console.js';
import type { ConsoleEvent } from '../state/console-events.js';
import { startState } from '../state/console-state.js';
import { createConsoleStore } from '../state/console-store.js';
import type { PaintedFrames } from '../state/painted-frames.js';
import { titleText } from './header.js';
import type { PaintedTerminal } from './terminal-painter.js';

export interface ConsoleAppProps {
  readonly connection: QueueConnection;
  readonly display: Display;
  readonly theme: ThemeName;
  /** Paints the screen; null where everything is read out instead. */
  readonly paint: PaintedTerminal['paint'] | null;
  /** Reads everything out instead of painting it; null where it is painted. */
  readonly spoken: typeof SpokenConsole | null;
  readonly warnings: readonly string[];
  readonly remark: string | null;
  readonly clock: () => EpochMs;
  readonly frames: PaintedFrames;
  readonly alerts: Alerts;
  readonly clipboard: Clipboard;
  readonly shell: JobShell;
  /** Called with how many are pending whenever that changes; null while it is not known. */
  readonly onPending: (pending: number | null) => void;
}

/** Wires the world to the state of the console, and the state to the screen. */
export function ConsoleApp({
  connection,
  display,
  theme,
  paint,
  spoken: Spoken,
  warnings,
  remark,
  clock,
  frames,
  alerts,
  clipboard,
  shell,
  onPending,
}: ConsoleAppProps): ReactElement | null {
  const { exit } = useApp();
  const { stdout } = useStdout();
  const [store] = useState(() =>
    createConsoleStore(
      startState({
        identity: connection,
        display,
        quiet: alerts.quiet,
        warnings,
        remark,
        queue: connection.queue(),
        size: Spoken === null ? terminalSize(stdout) : SPOKEN_SIZE,
        at: clock(),
      }),
    ),
  );
  const state = useConsoleState(store);
  const dispatch = useCallback(
    (event: ConsoleEvent) => {
      try {
        store.dispatch(event);
      } catch (error) {
        exit(error);
      }
    },
    [store, exit],
  );
  const on = useMemo(() => eventSources(dispatch, connection, clock), [dispatch, connection, clock]);

  const [repeats, setRepeats] = useState(0);
  const repeat = useCallback(() => setRepeats((count) => count + 1), []);

  useEffects(store, {
    connection,
    alerts,
    clipboard,
    shell,
    dispatch,
    onResumed: on.resumed,
    repeat: Spoken === null ? null : repeat,
  });
  useQueue(connection, on.queue);
  useTerminalSize(on.resize, Spoken !== null);
  useKeyboard(on.press, on.paste);
  usePaintedFrames(state, frames, on.painted);
  useClock(state, on.tick);
  useTitle(Spoken === null ? titleText(state) : null);
  usePending(state, onPending);

  usePainting(state, paint, theme);

  return Spoken === null ? null : <Spoken state={state} theme={theme} repeats={repeats} />;
}

/** One function for each kind of event, which adds the time. */
function eventSources(
  dispatch: (event: ConsoleEvent) => void,
  connection: QueueConnection,
  clock: () => EpochMs,
) {
  let identified = connection.pins;
  type Rest<Type> = Omit<Extract<ConsoleEvent, { type: Type }>, 'type' | 'at'>;
  return {
    queue: (queue: Rest<'queue'>['queue']) => {
      const { fingerprint, pins } = connection;
      if (pins !== identified) dispatch({ type: 'identified', broker: { fingerprint, pins } });
      identified = pins;
      dispatch({ type: 'queue', queue, at: clock() });
    },
    tick: () => dispatch({ type: 'tick', at: clock() }),
    resize: (size: Rest<'resize'>['size']) => dispatch({ type: 'resize', size }),
    resumed: () => dispatch({ type: 'resumed', at: clock() }),
    press: (press: Rest<'press'>['press']) => dispatch({ type: 'press', press, at: clock() }),
    paste: (text: string) => dispatch({ type: 'paste', text, at: clock() }),
    painted: (frame: Rest<'painted'>['frame']) => dispatch({ type: 'painted', frame, at: clock() }),
  };
}
