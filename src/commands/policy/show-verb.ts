import * as z from 'zod';
import { policyReply } from '../../protocol/policy-messages.js';
import { openForReading, withBroker } from '../open-broker.js';
import { print, printJson } from '../output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from '../verb.js';
import { formatPolicy } from './policy-text.js';

export const showVerb = defineVerb({
  help: `
Say in words what the running broker lets pass: its rules in order, who is in which
group, and what is wrong with a newer file. It is screen 5 of the console.

Usage
  countersign policy show [--json]

Flags
  --json          as JSON, with the text of the file
  --key FILE      sign in with this key (COUNTERSIGN_KEY)${BROKER_FLAGS_HELP}

Examples
  countersign policy show
  countersign policy show --json | jq -r .policy.text
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    return withBroker(openForReading(flags, env), async ({ client, token, clock }) => {
      const reply = await client.call(policyReply, { method: 'GET', path: '/v1/policy', token });
      if (flags.json) printJson(z.encode(policyReply, reply));
      else print(formatPolicy(reply, { zone, now: clock.now() }));
      return 0;
    });
  },
});
