import { Problem } from '../protocol/problems.js';
import { keyOption, openBroker, withBroker } from './open-broker.js';
import { openConsole } from './open-console.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Open the console: the live queue, each request as a whole, approve and deny with
your key.

Usage
  countersign console [--url ADDRESS] [--key FILE]

Flags
  --key FILE      decide with this key (COUNTERSIGN_KEY; default: your first enrolled one)${BROKER_FLAGS_HELP}

Examples
  countersign console
  countersign console --url https://approvals.example.com:7433 --key ~/.ssh/id_ed25519_sk
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text' },
  async run({ flags, env, display }) {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new Problem('usage', 'the console needs a terminal', {
        hint: 'without one: countersign list, countersign show ID, countersign approve ID',
      });
    }
    return withBroker(openBroker(flags, env), async (broker) => {
      await openConsole(broker, { key: keyOption(flags, env), env, display });
      return 0;
    });
  },
});
