import { resolve } from 'node:path';
import { Problem } from '../protocol/problems.js';
import { webhookTestReply } from '../protocol/webhook-messages.js';
import { openBroker, withBroker } from './open-broker.js';
import { exact, print, printJson, prose } from './output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb, type VerbGroup } from './verb.js';

const checkVerb = defineVerb({
  help: `
Read a file of webhooks, the secrets and the certificates that it names, as the broker
would, and say what is wrong: FILE:LINE:COLUMN. Run it as the user of the broker. Calls
nobody. Exits with 1 where anything is wrong.

Usage
  countersign webhook check [FILE]

Examples
  sudo -u countersign countersign webhook check /etc/countersign/webhooks.yaml
`,
  arguments: ['FILE?'],
  flags: {},
  async run({ arguments: [given], env }) {
    const file = given ?? env.COUNTERSIGN_WEBHOOKS;
    if (!file) throw new Problem('usage', 'name the file of webhooks');
    const { readWebhooks } = await import('../../broker/webhooks/configuration.js');
    const { webhooks, validate } = await readWebhooks(resolve(file));
    const names = (all: readonly { readonly name: string }[]): string =>
      all.length === 0 ? 'nobody' : all.map(({ name }) => name).join(', ');
    print(
      `${exact(resolve(file))} is good\nis sent events  ${names(webhooks)}\nis asked        ${names(validate)}`,
    );
    return 0;
  },
});

const testVerb = defineVerb({
  help: `
Have the broker call somebody of its file of webhooks now, with a signed message of type
ping, and say what was answered. Works over the socket of the broker. Exits with 0 where
it was taken (2xx).

Usage
  countersign webhook test NAME [--json]

Flags
  --json          as JSON: {"status","why"}, one of them null${BROKER_FLAGS_HELP}

Examples
  countersign webhook test siem
`,
  arguments: ['NAME'],
  flags: { ...BROKER_FLAGS, json: 'switch' },
  async run({ arguments: [name = ''], flags, env }) {
    return withBroker(openBroker(flags, env), async ({ client }) => {
      const path = `/v1/webhooks/${encodeURIComponent(name)}/tests`;
      const reply = await client.call(webhookTestReply, { method: 'POST', path });
      const { status, why } = reply;
      if (flags.json) printJson(reply);
      else print(status === null ? `no answer: ${prose(why ?? '')}` : `it answers with HTTP ${status}`);
      return status !== null && status >= 200 && status < 300 ? 0 : 1;
    });
  },
});

export const verb: VerbGroup = {
  help: `
Whom the broker sends events to, and whom it asks before a request is made: its file of
webhooks, see serve --webhooks FILE. What was not taken: countersign outbox.

Usage
  countersign webhook check [FILE]
  countersign webhook test NAME [--json]

Examples
  countersign webhook check /etc/countersign/webhooks.yaml
  countersign webhook test siem
`,
  verbs: { check: checkVerb, test: testVerb },
};
