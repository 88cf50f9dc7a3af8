import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { changeReason, OWNER } from '../../src/protocol/change-messages.js';
import { parseBody } from '../../src/protocol/messages.js';
import {
  rosterChangeSchema,
  rosterReply,
  submitterChangeSchema,
  submittersReply,
} from '../../src/protocol/roster-messages.js';
import { isJsonObject, type JsonValue } from '../../src/protocol/strict-json.js';
import { authorise } from '../access/principal.js';
import type { ChangeAuthor } from '../changes/changes.js';
import type { BrokerContext } from '../context.js';
import type { Submitted } from '../requests/requests.js';
import type { Directory } from '../store/store.js';
import { sendAnswer } from './answers.js';

type WithBody = FastifyRequest<{ Body: JsonValue }>;

/**
 * People and submitters. The owner of the data directory reads them over its 0600 socket; a change is asked for by the
 * owner or by an approver, and from two approvers on it waits for others (A17).
 */
export function directoryRoutes(app: FastifyInstance, context: BrokerContext): void {
  const { attendance, changes, store } = context;
  const people = (directory: Directory) => z.encode(rosterReply, { people: [...directory.people] });
  const submitters = (directory: Directory) =>
    z.encode(submittersReply, { submitters: [...directory.submitters] });
  const answer = (http: FastifyRequest, reply: FastifyReply, { request, watch }: Submitted) =>
    sendAnswer(http, reply, {
      status: 202,
      request,
      watch,
      attention: attendance.of(request),
      withReceipts: false,
    });

  app.get('/v1/roster', async (http) => {
    authorise(http.principal, 'directory.read');
    return people(store.directory());
  });

  app.post('/v1/roster/changes', async (http: WithBody, reply) => {
    const { author, body } = asked(http);
    const change = parseBody(rosterChangeSchema, body);
    const changed = await changes.change({ of: 'people', change }, author);
    context.log.info({ event: 'roster', change: change.change, by: author.requester });
    return changed.applied ? people(changed.directory) : answer(http, reply, changed.submitted);
  });

  app.get('/v1/submitters', async (http) => {
    authorise(http.principal, 'directory.read');
    return submitters(store.directory());
  });

  app.post('/v1/submitters/changes', async (http: WithBody, reply) => {
    const { author, body } = asked(http);
    const change = parseBody(submitterChangeSchema, body);
    const changed = await changes.change({ of: 'submitters', change }, author);
    context.log.info({ event: 'submitters', change: change.change, by: author.requester });
    return changed.applied ? submitters(changed.directory) : answer(http, reply, changed.submitted);
  });
}

/** Who asks for a change, and the change itself: `reason` stands beside it in the body. */
function asked({ principal, body }: WithBody): { readonly author: ChangeAuthor; readonly body: JsonValue } {
  authorise(principal, 'directory.change');
  const requester = principal.kind === 'approver' ? principal.name : OWNER;
  if (!isJsonObject(body)) return { author: { requester, reason: null }, body };
  const { reason, ...change } = body;
  return {
    author: { requester, reason: parseBody(changeReason, reason as JsonValue) ?? null },
    body: change,
  };
}
