import { sendRevocation } from '../client/broker-connection.js';
import { parseRequestId } from '../protocol/names.js';
import { revocationWords } from '../protocol/rule-words.js';
import { openAsApprover, withBroker } from './open-broker.js';
import { print, printJson, prose } from './output.js';
import { fetchRequest, statusOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Take back an approval that was not used yet, or a lasting grant, and tell doors that
watch what they opened to end it. A door that has the receipts already, and does not
ask the broker again, may still open until their not-after. Who may revoke says the
rule; who approved it always may.

Usage
  countersign revoke ID [--comment TEXT]

Flags
  --comment TEXT  why; signed and kept
  --key FILE      sign with this key (COUNTERSIGN_KEY)
  --json          print where the request stands then as JSON${BROKER_FLAGS_HELP}

Examples
  countersign revoke 01KB2X6C9V4T7M3N8QZ5R0EWHD --comment "wrong host"
  countersign grants --mine --json | jq -r '.grants[].id' | xargs -n1 countersign revoke
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, key: 'text', comment: 'text', json: 'switch' },
  async run({ arguments: [id = ''], flags, env }) {
    const request = parseRequestId(id);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const view = await fetchRequest(broker, request);
      const status = await sendRevocation({ ...broker, broker }, view, flags.comment ?? '');
      if (flags.json) {
        printJson(statusOnWire(request, status));
        return 0;
      }
      const ends = revocationWords(view);
      print(`revoked ${request}${ends === null ? '' : `: ${prose(ends)}`}`);
      return 0;
    });
  },
});
