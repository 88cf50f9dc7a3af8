import * as z from 'zod';
import { verifyShown } from '../client/shown-request.js';
import { parseRequestId, type RequestId } from '../protocol/names.js';
import {
  type RequestStatus,
  type RequestView,
  requestStatusSchema,
  requestViewSchema,
} from '../protocol/request-view.js';
import { openAsApprover, type SignedInBroker, withBroker } from './open-broker.js';
import { print, printJson, tell } from './output.js';
import { formatRequest } from './request-text.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Show one request as a whole: its document, rule, votes and report. Digest, scope and
rule digest are recomputed from what is shown, and the signatures are checked; whose
keys they are is for the roster to say.

Usage
  countersign show ID [--json]

Flags
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign show 01KB2X6C9V4T7M3N8QZ5R0EWHD
  countersign show 01KB2X6C9V4T7M3N8QZ5R0EWHD --json | jq -r '.votes[0].receipt' > receipt
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ arguments: [id = ''], flags, env, display: { zone } }) {
    const request = parseRequestId(id);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const view = await fetchRequest(broker, request);
      if (flags.json) printJson(viewOnWire(view));
      else print(formatRequest(view, { zone, now: broker.clock.now() }));
      verifyShown(view);
      if (!flags.json) tell('digest, scope and rule digest are those of what is shown');
      return 0;
    });
  },
});

/** @throws Problem `not-found`, `broker-reply` */
export async function fetchRequest({ client, token }: SignedInBroker, id: RequestId): Promise<RequestView> {
  return client.call(requestViewSchema, { method: 'GET', path: `/v1/requests/${id}`, token });
}

/** Where a request stands after what was done about it, times as text. */
export function statusOnWire(id: RequestId, status: RequestStatus): object {
  const { votes, missing } = status;
  return { id, ...z.encode(requestStatusSchema, { ...status, votes: [...votes], missing: [...missing] }) };
}

/** The form in which the broker sent it, times as text. */
export function viewOnWire(view: RequestView): z.input<typeof requestViewSchema> {
  return z.encode(requestViewSchema, { ...view, votes: [...view.votes], missing: [...view.missing] });
}
