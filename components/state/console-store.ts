import type { ConsoleEffect } from './console-effects.js';
import type { ConsoleEvent } from './console-events.js';
import type { ConsoleState } from './console-state.js';
import { step } from './console-step.js';

/** Holds the state of one console and hands its effects on. */
export interface ConsoleStore {
  readonly state: () => ConsoleState;
  readonly subscribe: (listener: () => void) => () => void;
  /** Calls `perform` with each effect; returns the way to stop. */
  readonly onEffect: (perform: (effect: ConsoleEffect) => void) => () => void;
  readonly dispatch: (event: ConsoleEvent) => void;
}

export function createConsoleStore(initial: ConsoleState): ConsoleStore {
  let state = initial;
  const listeners = new Set<() => void>();
  const performers = new Set<(effect: ConsoleEffect) => void>();
  const add = <Item>(set: Set<Item>, item: Item): (() => void) => {
    set.add(item);
    return () => {
      set.delete(item);
    };
  };
  return {
    state: () => state,
    subscribe: (listener) => add(listeners, listener),
    onEffect: (perform) => add(performers, perform),
    dispatch(event) {
      const { state: next, effects } = step(state, event);
      if (next !== state) {
        state = next;
        for (const listener of listeners) listener();
      }
      for (const effect of effects) for (const perform of performers) perform(effect);
    },
  };
}
