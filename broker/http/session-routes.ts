import type { FastifyInstance, FastifyRequest } from 'fastify';
import { challengeBody, parseBody, signedBody } from '../../src/protocol/messages.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { formatTime } from '../../src/protocol/time.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';

type WithBody = FastifyRequest<{ Body: JsonValue }>;

/** Signing in: a challenge, then a session for the statement signed over it. */
export function sessionRoutes(app: FastifyInstance, context: BrokerContext): void {
  app.post('/v1/sessions/challenge', async (http: WithBody) => {
    authorise(http.principal, 'session.open');
    const { key } = parseBody(challengeBody, http.body);
    const { approver, challenge, expires } = context.sessions.challenge(
      key,
      context.principals(),
      context.clock(),
    );
    return { approver, broker: context.keys.current.fingerprint, challenge, expires: formatTime(expires) };
  });

  app.post('/v1/sessions', async (http: WithBody, reply) => {
    authorise(http.principal, 'session.open');
    const { statement } = parseBody(signedBody, http.body, 'malformed-receipt');
    const session = await context.sessions.open(statement, context.principals(), context.clock());
    context.log.info({ event: 'session', approver: session.approver });
    reply.code(201);
    return { token: session.token, approver: session.approver, expires: formatTime(session.expires) };
  });
}
