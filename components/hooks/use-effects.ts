import { useApp, useStdout } from 'ink';
import { useEffect } from 'react';
import type { QueueConnection } from '../../src/client/queue.js';
import { Problem } from '../../src/protocol/problems.js';
import type { ConsoleEffect } from '../console-effects.js';
import type { ConsoleEvent } from '../console-step.js';
import type { ConsoleStore } from '../console-store.js';
import { label, safeText } from '../safe-text.js';
import { useSuspend } from './use-suspend.js';

const BEL = '\u0007';

interface World {
  readonly connection: QueueConnection;
  readonly hasBell: boolean;
  readonly dispatch: (event: ConsoleEvent) => void;
}

/** Does what the console decides to do: sign, ring, let go of the terminal, leave. */
export function useEffects(store: ConsoleStore, { connection, hasBell, dispatch }: World): void {
  const { exit } = useApp();
  const { stdout } = useStdout();
  const { forPrompt, forShell, redraw } = useSuspend();
  useEffect(() => {
    const perform = (effect: ConsoleEffect): void => {
      switch (effect.type) {
        case 'decide':
          connection.decide(effect.request, effect.decision, forPrompt).then(
            () => dispatch({ type: 'decided' }),
            (error: unknown) => dispatch({ type: 'failed', of: 'decision', ...describe(error) }),
          );
          return;
        case 'revoke':
          connection.revoke(effect.request, effect.comment, forPrompt).then(
            () => dispatch({ type: 'decided' }),
            (error: unknown) => dispatch({ type: 'failed', of: 'decision', ...describe(error) }),
          );
          return;
        case 'acknowledge':
          connection.acknowledgeRestoration().then(
            () => dispatch({ type: 'acknowledged' }),
            (error: unknown) => dispatch({ type: 'failed', of: 'acknowledgement', ...describe(error) }),
          );
          return;
        case 'ring':
          if (hasBell) stdout.write(BEL);
          return;
        case 'suspend':
          forShell().catch(exit);
          return;
        case 'redraw':
          redraw().catch(exit);
          return;
        case 'quit':
          exit();
          return;
      }
    };
    return store.onEffect(perform);
  }, [store, connection, hasBell, dispatch, exit, stdout, forPrompt, forShell, redraw]);
}

function describe(error: unknown) {
  const prose = (text: string) => safeText(text, { reading: 'prose' });
  if (error instanceof Problem) return { message: prose(error.message), hint: prose(error.hint) };
  const message = error instanceof Error ? error.message : String(error);
  return { message: prose(message), hint: label`this is a defect of countersign: please report it` };
}
