import { useApp, useStdin, useStdout } from 'ink';
import { useCallback, useState } from 'react';
import type { JobShell } from '../../src/client/job-shell.js';
import type { Suspend } from '../../src/client/queue.js';
import { safeText } from '../text/safe-text.js';

/** How the console lets go of the terminal: for a prompt of ssh-keygen, and for the shell. */
export interface Suspending {
  readonly forPrompt: Suspend;
  /** Ctrl-Z. */
  readonly forShell: (onResumed: () => void) => Promise<void>;
  /**
   * Repairs the screen after another program wrote on it, or the terminal cut it: only what changes is painted otherwise. Asked
   * for again meanwhile it is painted once more; nothing while the terminal is lent, after which all is painted.
   */
  readonly redraw: () => Promise<void>;
  /** Whether what goes on now was stopped by Ctrl-Z, which repairs the screen itself. Good for one answer. */
  readonly wasForShell: () => boolean;
}

const PROMPT_NOTE = '\ncountersign: your key needs you. Ctrl-C goes back without signing.\n';
/** Ink draws from where the cursor is: behind a prompt the first line would wrap and push all others down. */
const TO_LINE_START = '\r';

export function useSuspend(shell: JobShell): Suspending {
  const { suspendTerminal } = useApp();
  const { stdin } = useStdin();
  const { stdout } = useStdout();
  const [painting] = useState(() => ({
    isWanted: false,
    isLent: false,
    isForShell: false,
    done: Promise.resolve(),
  }));
  const forPrompt: Suspend = useCallback(
    async (work) => {
      await painting.done;
      painting.isLent = true;
      const suspension = await suspendTerminal();
      // With a listener, Ctrl-C at the prompt ends ssh-keygen only, and not the console with it.
      const outlive = (): void => {};
      process.on('SIGINT', outlive);
      try {
        await stopReading(stdin);
        stdout.write(PROMPT_NOTE);
        return await work();
      } finally {
        process.off('SIGINT', outlive);
        stdout.write(TO_LINE_START);
        await suspension.resume();
        painting.isLent = false;
      }
    },
    [suspendTerminal, stdin, stdout, painting],
  );
  const forShell = useCallback(
    async (onResumed: () => void) => {
      await painting.done;
      await suspendTerminal(() => {
        shell.stopping();
        if (shell.note !== null) stdout.write(stopNote(shell.note));
        // Not SIGTSTP, which leaves a tmux pane blank. The whole group, so that the shell sees its job stop even
        // where npm stands between them.
        painting.isForShell = true;
        process.kill(0, 'SIGSTOP');
        shell.goingOn();
        onResumed();
        stdout.write(TO_LINE_START);
      });
    },
    [suspendTerminal, stdout, shell, painting],
  );
  const redraw = useCallback(() => {
    const paint = async (): Promise<void> => {
      await nextTurn();
      while (painting.isWanted && !painting.isLent) {
        painting.isWanted = false;
        await suspendTerminal(() => {
          stdout.write(TO_LINE_START);
        });
        await nextTurn();
      }
      painting.isWanted = false;
    };
    if (!painting.isWanted) painting.done = painting.done.then(paint);
    painting.isWanted = true;
    return painting.done;
  }, [suspendTerminal, stdout, painting]);
  const wasForShell = useCallback(() => {
    const was = painting.isForShell;
    painting.isForShell = false;
    return was;
  }, [painting]);
  return { forPrompt, forShell, redraw, wasForShell };
}

const stopNote = (note: string): string => `\ncountersign: ${safeText(note, { reading: 'prose' })}\n`;

/**
 * Ink only stops listening. The read that it began goes on, and would take the first line typed at the prompt away from
 * ssh-keygen: the stream must be paused, one turn later, once it has noticed that nobody listens.
 */
async function stopReading(stdin: NodeJS.ReadableStream): Promise<void> {
  await nextTurn();
  stdin.pause();
  await nextTurn();
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
