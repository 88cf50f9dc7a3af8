import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { parseBody } from '../../src/protocol/messages.js';
import {
  rosterChangeSchema,
  rosterReply,
  submitterChangeSchema,
  submittersReply,
} from '../../src/protocol/roster-messages.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { changeRoster, changeSubmitters } from '../roster/directory.js';
import type { Directory } from '../store/store.js';

type WithBody = FastifyRequest<{ Body: JsonValue }>;

/**
 * People and submitters, for the owner of the data directory over its 0600 socket alone: whoever reaches it could edit
 * the database as well.
 */
export function directoryRoutes(app: FastifyInstance, context: BrokerContext): void {
  const { store } = context;
  const people = (directory: Directory) => z.encode(rosterReply, { people: [...directory.people] });
  const submitters = (directory: Directory) =>
    z.encode(submittersReply, { submitters: [...directory.submitters] });

  app.get('/v1/roster', async (http) => {
    authorise(http.principal, 'directory.read');
    return people(store.directory());
  });

  app.post('/v1/roster/changes', async (http: WithBody) => {
    authorise(http.principal, 'directory.change');
    const change = parseBody(rosterChangeSchema, http.body);
    const now = context.clock();
    const directory = await store.changeDirectory((current) => changeRoster(current, change, now));
    context.log.info({ event: 'roster', change: change.change });
    return people(directory);
  });

  app.get('/v1/submitters', async (http) => {
    authorise(http.principal, 'directory.read');
    return submitters(store.directory());
  });

  app.post('/v1/submitters/changes', async (http: WithBody) => {
    authorise(http.principal, 'directory.change');
    const change = parseBody(submitterChangeSchema, http.body);
    const now = context.clock();
    const directory = await store.changeDirectory((current) => changeSubmitters(current, change, now));
    context.log.info({ event: 'submitters', change: change.change });
    return submitters(directory);
  });
}
