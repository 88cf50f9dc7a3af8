import { Problem } from '../protocol/problems.js';
import { alertsOption } from './alerts-option.js';
import { clipboardOption } from './clipboard-option.js';
import { looksOption } from './looks-option.js';
import { keyOption, openBroker, withBroker } from './open-broker.js';
import { openConsole } from './open-console.js';
import { TmuxPending } from './tmux-pending.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Open the console: the live queue, each request as a whole, approve and deny with
your key.

Usage
  countersign console [--url ADDRESS] [--key FILE] [--notify HOW] [--quiet HOURS] [--tmux]
                      [--theme NAME] [--ascii] [--screen-reader] [--clipboard HOW]

Flags
  --key FILE      decide with this key (COUNTERSIGN_KEY; default: your first enrolled one)
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
                  (COUNTERSIGN_CLIPBOARD)
  --tmux          keep how many are pending in the tmux option @countersign_pending, "?"
                  while that is not known, and take it away at the end${BROKER_FLAGS_HELP}

Examples
  countersign console
  countersign console --notify osc777 --quiet 22:00-07:00
  countersign console --tmux
  countersign console --theme light
  countersign console --screen-reader
  countersign console --url https://approvals.example.com:7433 --key ~/.ssh/id_ed25519_sk
`,
  arguments: [],
  flags: {
    ...BROKER_FLAGS,
    key: 'text',
    notify: 'text',
    quiet: 'text',
    tmux: 'switch',
    theme: 'text',
    ascii: 'switch',
    screenReader: 'switch',
    clipboard: 'text',
  },
  async run({ flags, env, display }) {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new Problem('usage', 'the console needs a terminal', {
        hint: 'without one: countersign list, countersign show ID, countersign approve ID',
      });
    }
    const alerts = alertsOption(flags, env);
    const looks = looksOption(flags, env);
    const clipboard = clipboardOption(flags, env);
    const pending = flags.tmux ? await TmuxPending.open(env) : null;
    try {
      return await withBroker(openBroker(flags, env), async (broker) => {
        const onPending = (count: number | null): void => pending?.set(count);
        const stop = { stopping: () => pending?.hold(), goingOn: () => pending?.goOn() };
        const key = keyOption(flags, env);
        await openConsole(broker, { key, env, display, looks, alerts, clipboard, onPending, stop });
        return 0;
      });
    } finally {
      await pending?.close();
    }
  },
});
