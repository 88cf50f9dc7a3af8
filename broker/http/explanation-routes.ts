import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isRequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { explainRequest } from '../policy/request-explanation.js';

type WithId = FastifyRequest<{ Params: { id: string } }>;

/** How a request came under its rule, and who could sign it, for whoever decides on it. */
export function explanationRoutes(
  app: FastifyInstance,
  { store, principals, policy, clock }: BrokerContext,
): void {
  app.get('/v1/requests/:id/explanation', async (http: WithId) => {
    authorise(http.principal, 'request.explain');
    const { id } = http.params;
    const request = isRequestId(id) ? await store.find({ id }) : null;
    if (request === null) throw new Problem('not-found', 'there is no such request');
    const { source } = policy;
    const inForce = source === null ? null : { file: source.name, policy: source.current };
    return explainRequest(request, inForce, principals(), { now: clock(), nextTurn: () => nextTurn() });
  });
}
