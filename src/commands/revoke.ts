import { answeringName, prepareRevocation } from '../client/decide.js';
import { parseRequestId } from '../protocol/names.js';
import { requestStatusSchema } from '../protocol/request-view.js';
import { openAsApprover, withBroker } from './open-broker.js';
import { print, printJson } from './output.js';
import { fetchRequest, statusOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Take back an approval that was not used yet. A door that has its receipts already
may still open until their not-after.

Usage
  countersign revoke ID [--comment TEXT]

Flags
  --comment TEXT  why; signed and kept
  --key FILE      sign with this key (COUNTERSIGN_KEY)
  --json          print where the request stands then as JSON${BROKER_FLAGS_HELP}

Examples
  countersign revoke 01KB2X6C9V4T7M3N8QZ5R0EWHD --comment "wrong host"
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, key: 'text', comment: 'text', json: 'switch' },
  async run({ arguments: [id = ''], flags, env }) {
    const request = parseRequestId(id);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const view = await fetchRequest(broker, request);
      const statement = prepareRevocation(view, {
        approver: broker.approver,
        broker: answeringName(view, broker),
        now: broker.clock.now(),
        comment: flags.comment ?? '',
      });
      const armor = await broker.signer.sign('revoke@countersign', statement);
      const status = await broker.client.call(requestStatusSchema, {
        method: 'POST',
        path: `/v1/requests/${request}/revocations`,
        body: { statement: statement + armor },
      });
      if (flags.json) printJson(statusOnWire(request, status));
      else print(`revoked ${request}`);
      return 0;
    });
  },
});
