import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebhookTestReply } from '../../src/protocol/webhook-messages.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';

/** Tries out whom the broker calls. */
export function webhookRoutes(app: FastifyInstance, { webhooks }: BrokerContext): void {
  app.post(
    '/v1/webhooks/:name/tests',
    async (http: FastifyRequest<{ Params: { name: string } }>): Promise<WebhookTestReply> => {
      authorise(http.principal, 'webhook.test');
      return webhooks.ping(http.params.name);
    },
  );
}
