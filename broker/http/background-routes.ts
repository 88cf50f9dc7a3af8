import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { backgroundSchema, isZone } from '../../src/protocol/background.js';
import { unusualWords } from '../../src/protocol/background-words.js';
import { isRequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { backgroundOf } from '../requests/background.js';
import { readPast } from '../requests/past.js';

type WithId = FastifyRequest<{ Params: { id: string }; Querystring: Record<string, unknown> }>;

/** What came before a request, for whoever decides on it. */
export function backgroundRoutes(app: FastifyInstance, context: BrokerContext): void {
  const { store, principals, retention, clock } = context;

  app.get('/v1/requests/:id/background', async (http: WithId, reply) => {
    authorise(http.principal, 'request.background');
    const { id } = http.params;
    const zone = zoneOf(http.query.zone);
    const request = isRequestId(id) ? await store.find({ id }) : null;
    if (request === null) throw new Problem('not-found', 'there is no such request');
    const { requester } = request.document;
    const roster = principals();
    const person = roster.personBehind(requester);
    const { keep } = retention.state;
    const past = await readPast(
      store,
      request,
      person === null ? [requester] : [person.name, ...person.aliases],
      {
        kept: keep === null ? null : clock() - keep * 1000,
        goesOn: () => !reply.raw.destroyed,
      },
    );
    const background = backgroundOf(request, past, { person, roster: roster.people, zone });
    const { unusual, ...wire } = z.encode(backgroundSchema, background);
    return { ...wire, unusual: unusual.map((what) => ({ ...what, words: unusualWords(what) })) };
  });
}

/** @throws Problem `malformed-request` */
function zoneOf(zone: unknown): string {
  if (zone === undefined) return 'UTC';
  if (typeof zone === 'string' && isZone(zone)) return zone;
  throw new Problem('malformed-request', 'zone is not a time zone such as Europe/Berlin, or UTC');
}
