import * as z from 'zod';
import { fetchBackground } from '../client/background.js';
import { verifyShown } from '../client/shown-request.js';
import type { TalkedStatus } from '../client/talk.js';
import { type Background, backgroundSchema } from '../protocol/background.js';
import { parseRequestId, type RequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import {
  type RequestStatus,
  type RequestView,
  requestStatusSchema,
  requestViewSchema,
  talkedStatusSchema,
} from '../protocol/request-view.js';
import { formatBackground } from './background-text.js';
import { openAsApprover, type SignedInBroker, withBroker } from './open-broker.js';
import { print, printJson, tell } from './output.js';
import { formatRequest } from './request-text.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Show one request as a whole: its document, rule, votes, report, and what approvers said
about it. Digest, scope and
rule digest are recomputed from what is shown, and the signatures are checked; whose
keys they are is for the roster to say. Below it stands what the broker knows of what
came before: what is unusual, and the last decisions on equal asks. With --json that is
the field background, null where the broker did not answer.

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
      const style = { zone, now: broker.clock.now() };
      if (!flags.json) print(formatRequest(view, style));
      const told = await askBackground(broker, request, zone);
      if (flags.json) {
        const background = told instanceof Problem ? null : z.encode(backgroundSchema, told);
        printJson({ ...viewOnWire(view), background });
      } else print(formatBackground(told, style));
      verifyShown(view);
      if (!flags.json) tell('digest, scope and rule digest are those of what is shown');
      return 0;
    });
  },
});

/** What came before, or why that is not known: nobody is kept from reading the request itself. */
async function askBackground(
  { client, token }: SignedInBroker,
  id: RequestId,
  zone: string,
): Promise<Background | Problem> {
  try {
    return await fetchBackground((schema, given) => client.call(schema, { ...given, token }), id, zone);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** @throws Problem `not-found`, `broker-reply` */
export async function fetchRequest({ client, token }: SignedInBroker, id: RequestId): Promise<RequestView> {
  return client.call(requestViewSchema, { method: 'GET', path: `/v1/requests/${id}`, token });
}

/** Where a request stands after what was done about it, times as text. */
export function statusOnWire(id: RequestId, status: RequestStatus): object {
  const { votes, missing } = status;
  return { id, ...z.encode(requestStatusSchema, { ...status, votes: [...votes], missing: [...missing] }) };
}

/** The same with what approvers said about it. */
export function talkedOnWire(id: RequestId, status: TalkedStatus): object {
  const { votes, missing } = status;
  return { id, ...z.encode(talkedStatusSchema, { ...status, votes: [...votes], missing: [...missing] }) };
}

/** The form in which the broker sent it, times as text. */
export function viewOnWire(view: RequestView): z.input<typeof requestViewSchema> {
  return z.encode(requestViewSchema, { ...view, votes: [...view.votes], missing: [...view.missing] });
}
