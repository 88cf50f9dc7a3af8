import type { Queue } from '../../src/client/queue.js';
import { BULK_DENIAL_SCREEN } from '../bulk-denial/bulk-screen.js';
import { GRANTS_SCREEN } from '../grants/grants-screen.js';
import { HISTORY_SCREEN } from '../history/history-screen.js';
import type { Action, KeyContext } from '../keys/key-row.js';
import type { MatchedAction } from '../keys/key-table.js';
import type { Press } from '../keys/press.js';
import { OUTBOX_SCREEN } from '../outbox/outbox-screen.js';
import { chosenEntry, fittingEntries, offeredEntries } from '../palette/palette-entries.js';
import { PEOPLE_SCREEN } from '../people/people-screen.js';
import { POLICY_SCREEN } from '../policy/policy-screen.js';
import { QUEUE_SCREEN } from '../queue/queue-screen.js';
import type { Step } from '../state/console-effects.js';
import { type ConsoleState, isField, isTooSmall, type ScreenName } from '../state/console-state.js';
import { STATISTICS_SCREEN } from '../statistics/statistics-screen.js';
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

export const SCREENS: Readonly<Record<ScreenName, Screen>> = {
  queue: QUEUE_SCREEN,
  bulkDenial: BULK_DENIAL_SCREEN,
  history: HISTORY_SCREEN,
  grants: GRANTS_SCREEN,
  people: PEOPLE_SCREEN,
  policy: POLICY_SCREEN,
  outbox: OUTBOX_SCREEN,
  statistics: STATISTICS_SCREEN,
};

export const SCREEN_ROWS = Object.entries(SCREENS) as readonly (readonly [ScreenName, Screen])[];

/** How an action leads to a screen; null where it leads to none. */
export function entranceOf(action: Action): ((state: ConsoleState) => Step) | null {
  const entrances = SCREEN_ROWS.flatMap(([, screen]) => screen.entrances);
  return entrances.find(([leading]) => leading === action)?.[1] ?? null;
}

/** Where keys go. */
export const keyContext = (state: ConsoleState): KeyContext =>
  state.palette === null ? contextBehind(state) : 'palette';

/** Where keys go once the palette is closed. */
export function contextBehind(state: ConsoleState): KeyContext {
  const { confirm, talk, opened, isHelpOpen, screen } = state;
  if (isHelpOpen) return 'help';
  if (talk !== null) return talk.kind === 'comment' ? 'talk' : 'escalation';
  if (confirm !== null) return isField(confirm.focused) ? confirm.focused : 'confirm';
  if (opened === null) return SCREENS[screen].context(state);
  return opened.isRecord ? 'record' : 'detail';
}

/** What a deciding key would act on now. Two states in which it would not do the same have different targets. */
export function focusTarget(state: ConsoleState): string {
  if (isTooSmall(state)) return 'too small';
  const { palette } = state;
  if (palette === null) return targetBehind(state);
  const entry = chosenEntry(palette, fittingEntries(palette, offeredEntries(state, contextBehind(state))));
  const chosen = entry?.kind === 'request' ? entry.id : entry?.row.action;
  return `palette ${chosen} ${targetBehind(state)}`;
}

function targetBehind(state: ConsoleState): string {
  const { confirm, talk, opened, isHelpOpen, screen } = state;
  if (isHelpOpen) return 'help';
  if (talk !== null) return `${talk.kind} ${talk.id} ${talk.kind === 'escalation' ? talk.focused : 'text'}`;
  if (opened === null) return SCREENS[screen].target(state);
  if (confirm === null) return `${opened.isRecord ? 'record' : 'detail'} ${opened.request.id}`;
  return `confirm ${opened.request.id} ${confirm.verdict} ${confirm.focused}`;
}
