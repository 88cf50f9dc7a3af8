import type { Queue } from '../../src/client/queue.js';
import type { Action, KeyContext } from '../keys/key-row.js';
import type { MatchedAction } from '../keys/key-table.js';
import type { Press } from '../keys/press.js';
import type { Step } from '../state/console-effects.js';
import type { ConsoleState } from '../state/console-state.js';
import type { ShownClock } from '../text/clock-text.js';
import type { Line } from '../text/line.js';
import type { SafeText } from '../text/safe-text.js';

/** One place of the console. An opened request and the help stand in front of it and are no part of it. */
export interface Screen {
  readonly title: SafeText;
  /** What leads here from all screens, and how one arrives: the first is the one whose key is shown. None for a step within another. */
  readonly entrances: readonly (readonly [Action, (state: ConsoleState) => Step])[];
  readonly context: (state: ConsoleState) => KeyContext;
  /** What a key would act on, as one word: two states in which it would not do the same have different ones. */
  readonly target: (state: ConsoleState) => string;
  readonly step: (state: ConsoleState, matched: MatchedAction | null, press: Press) => Step;
  /** Pasted text, in the screen's field; null where that has not the focus. */
  readonly paste?: (state: ConsoleState, text: string) => ConsoleState | null;
  /** The picture of the queue is another one than before, whether one looks at this screen or not. */
  readonly onQueue?: (state: ConsoleState, before: Queue) => Step;
  /** What follows from any change while one looks at this screen. */
  readonly settle?: (state: ConsoleState) => Step;
  /** The clocks that are on this screen; none where nothing on it goes on by itself. */
  readonly clocks?: (state: ConsoleState) => Iterable<ShownClock>;
  readonly lines: (state: ConsoleState, height: number) => readonly Line[];
  /** What is going on, in one line; empty where nothing is. */
  readonly status: (state: ConsoleState) => Line;
  /** Where in the whole the window stands; empty where all of it is seen. */
  readonly position: (state: ConsoleState) => SafeText;
  /** Keys that would do nothing now, which are not offered. */
  readonly hidden: (state: ConsoleState) => readonly Action[];
}
