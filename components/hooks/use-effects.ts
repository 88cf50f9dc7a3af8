import { useApp, useStdout } from 'ink';
import { useEffect } from 'react';
import type { Alerts } from '../../src/client/alerts.js';
import type { Clipboard } from '../../src/client/clipboard.js';
import type { JobShell } from '../../src/client/job-shell.js';
import type { QueueConnection, Suspend } from '../../src/client/queue.js';
import { alertBytes } from '../attention/alert-bytes.js';
import { bulkEffects } from '../bulk-denial/bulk-effects.js';
import { clipboardBytes } from '../copy/clipboard-bytes.js';
import { copyEffects } from '../copy/copy-effects.js';
import { decidingEffects } from '../deciding/deciding-effects.js';
import { detailEffects } from '../detail/detail-effects.js';
import { grantsEffects } from '../grants/grants-effects.js';
import { historyEffects } from '../history/history-effects.js';
import { outboxEffects } from '../outbox/outbox-effects.js';
import { peopleEffects } from '../people/people-effects.js';
import { policyEffects } from '../policy/policy-effects.js';
import { titleText } from '../screen/header.js';
import type { ConsoleEvent } from '../state/console-events.js';
import type { ConsoleStore } from '../state/console-store.js';
import { type Performers, perform } from '../state/performers.js';
import { statisticsEffects } from '../statistics/statistics-effects.js';
import { talkEffects } from '../talk/talk-effects.js';
import { label } from '../text/safe-text.js';
import { useSuspend } from './use-suspend.js';

const NO_SHELL = label`No shell is here to come back from: q leaves`;

/** Does what the console decides to do: sign, ask, ring, let go of the terminal, leave. */
export function useEffects(
  store: ConsoleStore,
  {
    connection,
    alerts,
    clipboard,
    shell,
    dispatch,
    onResumed,
    repeat,
  }: {
    readonly connection: QueueConnection;
    readonly alerts: Alerts;
    readonly clipboard: Clipboard;
    readonly shell: JobShell;
    readonly dispatch: (event: ConsoleEvent) => void;
    readonly onResumed: () => void;
    /** Has all of it read out again; null where it is painted. */
    readonly repeat: (() => void) | null;
  },
): void {
  const { exit } = useApp();
  const { stdout } = useStdout();
  const { forPrompt, forShell, redraw, wasForShell } = useSuspend(shell);
  useEffect(() => {
    const leaving = new AbortController();
    const world = { connection, dispatch, leaving: leaving.signal };
    // While another program had the terminal keys were meant for that, and what was said was heard by nobody.
    const forKey: Suspend = (work) =>
      forPrompt(work).finally(() => {
        onResumed();
        repeat?.();
      });
    const performers: Performers = {
      ...decidingEffects(world, forKey),
      ...bulkEffects(world, forKey),
      ...detailEffects(world),
      ...historyEffects(world),
      ...grantsEffects(world),
      ...peopleEffects(world),
      ...policyEffects(world),
      ...outboxEffects(world),
      ...statisticsEffects(world),
      ...talkEffects(world),
      ...copyEffects(world, clipboard, (text) => {
        stdout.write(clipboardBytes(text, clipboard));
      }),
      ring: () => {
        stdout.write(alertBytes(titleText(store.state()), alerts));
      },
      reconnect: () => connection.reconnect(forKey),
      suspend: () => {
        if (shell.isThere()) forShell(onResumed).then(repeat ?? undefined, exit);
        else dispatch({ type: 'failed', of: 'suspension', message: NO_SHELL, hint: label`` });
      },
      redraw: () => {
        if (repeat === null) redraw().catch(exit);
        else repeat();
      },
      quit: () => exit(),
    };
    const stop = store.onEffect((effect) => perform(performers, effect));
    // The terminal has cut or moved what stood on it, also where it has its old size again and nobody else is told.
    const repair = (): void => {
      if (repeat === null) redraw().catch(exit);
    };
    process.on('SIGWINCH', repair);
    // Stopped from elsewhere: another program may have had the terminal, and keys may have been typed at a picture that stood still.
    const goOn = (): void => {
      if (wasForShell() || !shell.isInFront()) return;
      onResumed();
      if (repeat === null) redraw().catch(exit);
      else repeat();
    };
    process.on('SIGCONT', goOn);
    return () => {
      process.off('SIGWINCH', repair);
      process.off('SIGCONT', goOn);
      stop();
      leaving.abort();
    };
  }, [
    store,
    connection,
    alerts,
    clipboard,
    shell,
    dispatch,
    onResumed,
    repeat,
    exit,
    stdout,
    forPrompt,
    forShell,
    redraw,
    wasForShell,
  ]);
}
