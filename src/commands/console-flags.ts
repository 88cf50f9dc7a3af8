import type { Alerts } from '../client/alerts.js';
import type { Clipboard } from '../client/clipboard.js';
import type { Looks } from '../client/display.js';
import type { Environment } from '../client/locations.js';
import { alertsOption } from './alerts-option.js';
import { clipboardOption } from './clipboard-option.js';
import { looksOption } from './looks-option.js';
import type { Flags, FlagValues } from './verb.js';

/** The flags of every verb that opens a console: how it calls, looks and copies. */
export const CONSOLE_FLAGS = {
  notify: 'text',
  quiet: 'text',
  theme: 'text',
  ascii: 'switch',
  screenReader: 'switch',
  clipboard: 'text',
} as const satisfies Flags;

export const CONSOLE_FLAGS_HELP = `
  --notify HOW    how an ask calls you: bell (the default), osc9 or osc777 (the bell and a
                  notification of the terminal), off (COUNTERSIGN_NOTIFY)
  --quiet HOURS   no ask calls you then, by your clock: 22:00-07:00 (COUNTERSIGN_QUIET)
  --theme NAME    colours: dark (the default), light, colour-blind (blue and orange), none
                  (COUNTERSIGN_THEME); NO_COLOR: no bold and no faint text either
  --ascii         nothing but ASCII (COUNTERSIGN_ASCII=yes or no); by itself where the
                  locale is not UTF-8
  --screen-reader
                  one fact a line, one below the other, nothing painted anew
                  (COUNTERSIGN_SCREEN_READER=yes or no); by itself where TERM is dumb
  --clipboard HOW where y and Y copy to: auto (the default: tmux inside tmux, else osc52),
                  tmux (its buffer and clipboard), osc52 (your terminal), off
                  (COUNTERSIGN_CLIPBOARD)`;

/** How a console behaves towards its reader. */
export interface ConsoleManners {
  readonly alerts: Alerts;
  readonly looks: Looks;
  readonly clipboard: Clipboard;
}

/** @throws Problem `usage` */
export const consoleManners = (
  flags: FlagValues<typeof CONSOLE_FLAGS>,
  env: Environment,
): ConsoleManners => ({
  alerts: alertsOption(flags, env),
  looks: looksOption(flags, env),
  clipboard: clipboardOption(flags, env),
});
