import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseBody, signedBody } from '../../src/protocol/messages.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { restraintsOnWire } from '../requests/restraints.js';

/** Who is locked or muted, and the way out. */
export function lockRoutes(app: FastifyInstance, { store, requests, clock }: BrokerContext): void {
  app.get('/v1/locks', async (http) => {
    authorise(http.principal, 'lock.read');
    return restraintsOnWire(store.restraints(), clock());
  });

  app.post('/v1/locks/lifts', async (http: FastifyRequest<{ Body: JsonValue }>) => {
    authorise(http.principal, 'lock.lift');
    const { statement } = parseBody(signedBody, http.body, 'malformed-receipt');
    return requests.unlock(statement);
  });
}
