import type { FastifyInstance, FastifyRequest } from 'fastify';
import { commentBody, escalationBody, parseBody } from '../../src/protocol/messages.js';
import { isRequestId, type Name, type RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { authorise, type Verb } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { talkedOnWire } from '../requests/view.js';

type About = FastifyRequest<{ Params: { id: string }; Body: JsonValue }>;

/** What approvers say to each other about a request, and that all are rung for it. */
export function talkRoutes(app: FastifyInstance, { requests }: BrokerContext): void {
  app.post('/v1/requests/:id/comments', async (http: About) => {
    const { id, by } = addressed(http, 'request.comment');
    const { text } = parseBody(commentBody, http.body);
    return talkedOnWire(await requests.comment(id, by, text));
  });

  app.post('/v1/requests/:id/escalations', async (http: About) => {
    const { id, by } = addressed(http, 'request.escalate');
    parseBody(escalationBody, http.body);
    return talkedOnWire(await requests.escalate(id, by));
  });
}

/** @throws Problem `unauthenticated`, `forbidden`, `not-found` */
function addressed(
  { principal, params: { id } }: About,
  verb: Verb,
): { readonly id: RequestId; readonly by: Name } {
  authorise(principal, verb);
  if (principal.kind !== 'approver') throw new Problem('forbidden', `${verb} is for approvers`);
  if (!isRequestId(id)) throw new Problem('not-found', 'there is no such request');
  return { id, by: principal.name };
}
