import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { policyReply } from '../../src/protocol/policy-messages.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';

/** The policy that is in force, to be read. */
export function policyRoutes(app: FastifyInstance, { policy }: BrokerContext): void {
  app.get('/v1/policy', async (http) => {
    authorise(http.principal, 'policy.read');
    const standing = policy.standing();
    const text = policy.source?.current.text ?? '';
    return z.encode(policyReply, { policy: standing === null ? null : { ...standing, text } });
  });
}
