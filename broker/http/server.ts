import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import Fastify, { type FastifyRequest } from 'fastify';
import { Problem, type ProblemCode } from '../../src/protocol/problems.js';
import { parseStrictJson } from '../../src/protocol/strict-json.js';
import type { Principal } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { sendProblem } from './answers.js';
import { auditRoutes } from './audit-routes.js';
import { authenticate, principalKey, type Transport } from './authentication.js';
import { backgroundRoutes } from './background-routes.js';
import { canaryRoutes } from './canary-routes.js';
import { directoryRoutes } from './directory-routes.js';
import { explanationRoutes } from './explanation-routes.js';
import { grantRoutes } from './grant-routes.js';
import { holdRoutes } from './hold-routes.js';
import { lockRoutes } from './lock-routes.js';
import { outboxRoutes } from './outbox-routes.js';
import { policyRoutes } from './policy-routes.js';
import { requestRoutes } from './request-routes.js';
import { rosterRoutes } from './roster-routes.js';
import { serviceRoutes } from './service-routes.js';
import { sessionRoutes } from './session-routes.js';
import { statisticsRoutes } from './statistics-routes.js';
import { talkRoutes } from './talk-routes.js';
import { webhookRoutes } from './webhook-routes.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set before any route runs. */
    principal: Principal;
  }
}

/** One application behind all listeners. */
export interface HttpApplication {
  /** Makes a server for one transport; the caller listens and closes. */
  createServer(transport: Transport, tls: SecureContextOptions | null): Server;
  close(): Promise<void>;
}

/** Builds the HTTP interface: parsing, authentication, rate limits, routes, and the one translator of errors. */
export async function createHttpApplication(context: BrokerContext): Promise<HttpApplication> {
  const { limits } = context;
  const transports = new WeakMap<IncomingMessage, Transport>();
  const app = Fastify({
    bodyLimit: limits.bodyBytes,
    logger: false,
    exposeHeadRoutes: false,
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseStrictJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });

  app.addHook('onRequest', async (request) => {
    if (context.isDraining()) throw new Problem('draining', 'the broker is stopping');
    if (request.headers.origin !== undefined) throw new Problem('origin-refused', 'browsers are refused');
    const transport = transports.get(request.raw) ?? 'tcp';
    const now = context.clock();
    context.addressRates.charge(addressKey(request, transport), now);
    request.principal = await authenticate(request.raw, transport, {
      store: context.store,
      principals: context.principals(),
      now,
    });
    const { kind } = request.principal;
    // What these may do is counted by address alone, above.
    if (kind !== 'anonymous' && kind !== 'unverified')
      context.rates.charge(principalKey(request.principal, request.raw), now);
  });

  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error);
    if (problem.code === 'internal') context.log.error({ err: error }, 'unexpected error');
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, new Problem('not-found', `there is no ${request.method} at this address`)),
  );
  app.addHook('onResponse', async (request, reply) => {
    context.metrics.countHttp(request.routeOptions.url ?? 'unknown', reply.statusCode);
  });

  requestRoutes(app, context);
  backgroundRoutes(app, context);
  explanationRoutes(app, context);
  talkRoutes(app, context);
  grantRoutes(app, context);
  statisticsRoutes(app, context);
  canaryRoutes(app, context);
  lockRoutes(app, context);
  webhookRoutes(app, context);
  holdRoutes(app, context);
  outboxRoutes(app, context);
  sessionRoutes(app, context);
  directoryRoutes(app, context);
  rosterRoutes(app, context);
  policyRoutes(app, context);
  auditRoutes(app, context);
  serviceRoutes(app, context);
  await app.ready();

  const serve = (transport: Transport) => (message: IncomingMessage, response: ServerResponse) => {
    transports.set(message, transport);
    app.routing(message, response);
  };
  return {
    createServer(transport, tls) {
      const options = { maxHeaderSize: limits.headerBytes, requestTimeout: 30_000, keepAliveTimeout: 75_000 };
      const server =
        tls === null
          ? createHttpServer(options, serve(transport))
          : (createHttpsServer({ ...options, ...tls }, serve(transport)) as Server);
      return server;
    },
    close: () => app.close(),
  };
}

function addressKey(request: FastifyRequest, transport: Transport): string {
  return transport === 'socket' ? 'socket' : `address ${request.raw.socket.remoteAddress ?? 'unknown'}`;
}

/** Errors of the HTTP layer get our codes; anything unknown is `internal`. */
const HTTP_LAYER: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-request',
  FST_ERR_BAD_URL: 'malformed-request',
};

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = HTTP_LAYER[(error as { code?: string }).code ?? ''];
  return code === undefined
    ? new Problem('internal', 'internal error', { cause: error })
    : new Problem(code, (error as Error).message);
}
