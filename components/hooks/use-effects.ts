import { useApp, useStdout } from 'ink';
import { useEffect } from 'react';
import type { Alerts } from '../../src/client/alerts.js';
import type { LetterName } from '../../src/client/outbox.js';
import type { QueueConnection } from '../../src/client/queue.js';
import { Problem } from '../../src/protocol/problems.js';
import { alertBytes } from '../alert-bytes.js';
import type { ConsoleEffect } from '../console-effects.js';
import type { ConsoleEvent } from '../console-events.js';
import type { ConsoleStore } from '../console-store.js';
import { titleText } from '../header.js';
import { label, safeText } from '../safe-text.js';
import { useSuspend } from './use-suspend.js';

interface World {
  readonly connection: QueueConnection;
  readonly alerts: Alerts;
  readonly dispatch: (event: ConsoleEvent) => void;
}

/** Does what the console decides to do: sign, ring, let go of the terminal, leave. */
export function useEffects(store: ConsoleStore, { connection, alerts, dispatch }: World): void {
  const { exit } = useApp();
  const { stdout } = useStdout();
  const { forPrompt, forShell, redraw } = useSuspend();
  useEffect(() => {
    // Of each kind of question only the newest is waited for.
    const [search, letters, background] = [latest(), latest(), latest()];
    const settle = (work: Promise<void>, letter: LetterName, how: 'retried' | 'dropped'): void => {
      work.then(
        () => dispatch({ type: 'letterSettled', letter, how }),
        (error: unknown) => dispatch({ type: 'failed', of: 'letter', ...describe(error) }),
      );
    };
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
        case 'search': {
          const { search: number, query } = effect;
          search.ask(
            (signal) => connection.history.search(query, signal),
            (page) => dispatch({ type: 'found', search: number, page }),
            (error) => dispatch({ type: 'notFound', search: number, ...describe(error) }),
          );
          return;
        }
        case 'listLetters': {
          const { number } = effect;
          letters.ask(
            (signal) => connection.outbox.deadLetters(signal),
            (reply) => dispatch({ type: 'letters', number, reply }),
            (error) => dispatch({ type: 'noLetters', number, ...describe(error) }),
          );
          return;
        }
        case 'background': {
          const { id, zone } = effect;
          background.ask(
            (signal) => connection.background(id, zone, signal),
            (told) => dispatch({ type: 'background', id, background: told }),
            (error) => dispatch({ type: 'noBackground', id, ...describe(error) }),
          );
          return;
        }
        case 'retry':
          settle(connection.outbox.retry(effect.letter), effect.letter, 'retried');
          return;
        case 'drop':
          settle(connection.outbox.drop(effect.letter), effect.letter, 'dropped');
          return;
        case 'showReading':
          connection.showReading(effect.id);
          return;
        case 'ring':
          stdout.write(alertBytes(titleText(store.state()), alerts));
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
    const stop = store.onEffect(perform);
    return () => {
      stop();
      search.cancel();
      letters.cancel();
      background.cancel();
    };
  }, [store, connection, alerts, dispatch, exit, stdout, forPrompt, forShell, redraw]);
}

/** Asks one question after the other: a newer one calls the one before off, whose answer nobody hears. */
function latest() {
  let asking = new AbortController();
  return {
    ask<Answer>(
      question: (signal: AbortSignal) => Promise<Answer>,
      onAnswer: (answer: Answer) => void,
      onError: (error: unknown) => void,
    ): void {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      question(signal).then(
        (answer) => {
          if (!signal.aborted) onAnswer(answer);
        },
        (error: unknown) => {
          if (!signal.aborted) onError(error);
        },
      );
    },
    cancel: () => asking.abort(),
  };
}

function describe(error: unknown) {
  const prose = (text: string) => safeText(text, { reading: 'prose' });
  if (error instanceof Problem) return { message: prose(error.message), hint: prose(error.hint) };
  const message = error instanceof Error ? error.message : String(error);
  return { message: prose(message), hint: label`this is a defect of countersign: please report it` };
}
