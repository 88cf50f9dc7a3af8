import type { QueueConnection } from '../../src/client/queue.js';
import { Problem } from '../../src/protocol/problems.js';
import { label, safeText } from '../text/safe-text.js';
import type { ConsoleEffect } from './console-effects.js';
import type { ConsoleEvent } from './console-events.js';

/** What the console acts on. */
export interface World {
  readonly connection: QueueConnection;
  readonly dispatch: (event: ConsoleEvent) => void;
  /** Aborted when the console is left: nobody waits for an answer any more. */
  readonly leaving: AbortSignal;
}

/** How each kind of effect is done. */
export type Performers = {
  readonly [Type in ConsoleEffect['type']]: (effect: Extract<ConsoleEffect, { type: Type }>) => void;
};

/** Does an effect by its kind. */
export function perform<Type extends ConsoleEffect['type']>(
  performers: Performers,
  effect: Extract<ConsoleEffect, { type: Type }>,
): void {
  const performer: (effect: Extract<ConsoleEffect, { type: Type }>) => void = performers[effect.type as Type];
  performer(effect);
}

/** Asks one question after the other: a newer one calls the one before off, whose answer nobody hears. */
export function latestOf({ leaving }: World) {
  let asking = new AbortController();
  return function ask<Answer>(
    question: (signal: AbortSignal) => Promise<Answer>,
    onAnswer: (answer: Answer) => void,
    onError: (error: unknown) => void,
  ): void {
    asking.abort();
    asking = new AbortController();
    const signal = AbortSignal.any([asking.signal, leaving]);
    question(signal).then(
      (answer) => {
        if (!signal.aborted) onAnswer(answer);
      },
      (error: unknown) => {
        if (!signal.aborted) onError(error);
      },
    );
  };
}

/** What went wrong, and what to do about it, as it is shown. */
export function describeFailure(error: unknown) {
  const prose = (text: string) => safeText(text, { reading: 'prose' });
  if (error instanceof Problem) return { message: prose(error.message), hint: prose(error.hint) };
  const message = error instanceof Error ? error.message : String(error);
  return { message: prose(message), hint: label`this is a defect of countersign: please report it` };
}
