import { BULK_DENIAL_SCREEN } from '../bulk-denial/bulk-screen.js';
import { hasUnusual } from '../detail/background-step.js';
import { GRANTS_SCREEN } from '../grants/grants-screen.js';
import { HISTORY_SCREEN } from '../history/history-screen.js';
import type { Action, KeyContext } from '../keys/key-row.js';
import { OUTBOX_SCREEN } from '../outbox/outbox-screen.js';
import { chosenEntry, fittingEntries, offeredEntries } from '../palette/palette-entries.js';
import { PEOPLE_SCREEN } from '../people/people-screen.js';
import { POLICY_SCREEN } from '../policy/policy-screen.js';
import { QUEUE_SCREEN } from '../queue/queue-screen.js';
import type { Step } from '../state/console-effects.js';
import { type ConsoleState, isField, isTooSmall, type ScreenName } from '../state/console-state.js';
import { STATISTICS_SCREEN } from '../statistics/statistics-screen.js';
import type { Screen } from './screen.js';

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
  const { confirm, talk, opened, isHelpOpen, screen, background } = state;
  if (isHelpOpen) return 'help';
  if (talk !== null) return `${talk.kind} ${talk.id} ${talk.kind === 'escalation' ? talk.focused : 'text'}`;
  if (opened === null) return SCREENS[screen].target(state);
  if (confirm === null) return `${opened.isRecord ? 'record' : 'detail'} ${opened.request.id}`;
  // What is unusual may be known only by now: it must have stood there before anything is approved.
  const warning = confirm.verdict === 'approve' && hasUnusual(background) ? ' unusual' : '';
  return `confirm ${opened.request.id} ${confirm.verdict} ${confirm.focused}${warning}`;
}
