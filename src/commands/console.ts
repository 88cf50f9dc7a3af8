import { Problem } from '../protocol/problems.js';
import { CONSOLE_FLAGS, CONSOLE_FLAGS_HELP, consoleManners } from './console-flags.js';
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
  --key FILE      decide with this key (COUNTERSIGN_KEY; default: your first enrolled one)${CONSOLE_FLAGS_HELP}
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
    ...CONSOLE_FLAGS,
    tmux: 'switch',
  },
  async run({ flags, env, display }) {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new Problem('usage', 'the console needs a terminal', {
        hint: 'without one: countersign list, countersign show ID, countersign approve ID',
      });
    }
    const manners = consoleManners(flags, env);
    const pending = flags.tmux ? await TmuxPending.open(env) : null;
    try {
      return await withBroker(openBroker(flags, env), async (broker) => {
        const onPending = (count: number | null): void => pending?.set(count);
        const stop = { stopping: () => pending?.hold(), goingOn: () => pending?.goOn() };
        const key = keyOption(flags, env);
        await openConsole(broker, { key, env, display, ...manners, onPending, stop });
        return 0;
      });
    } finally {
      await pending?.close();
    }
  },
});
