import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HeadsReply } from '../../src/protocol/audit-head.js';
import type { EventsReply } from '../../src/protocol/event-log.js';
import { isRequestId, type RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';

const MOST_A_PAGE = 1000;

/** The event log and its signed heads. */
export function auditRoutes(app: FastifyInstance, { store }: BrokerContext): void {
  app.get('/v1/events', async (http): Promise<EventsReply> => {
    authorise(http.principal, 'events.read');
    const page = pageOf(http);
    const { links, request } = http.query as Record<string, string | undefined>;
    if (links !== undefined && links !== 'only') throw new Problem('malformed-request', 'links is `only`');
    if (request !== undefined && !isRequestId(request))
      throw new Problem('malformed-request', 'request is the id of one');
    const about: RequestId | null = request ?? null;
    const events = await store.events({ ...page, request: about, links: links === 'only' });
    return { events: [...events], next: nextOf(events, page) };
  });

  app.get('/v1/heads', async (http): Promise<HeadsReply> => {
    authorise(http.principal, 'events.read');
    const page = pageOf(http);
    const heads = await store.heads(page);
    return { heads: [...heads], next: nextOf(heads, page) };
  });
}

interface Page {
  readonly after: number;
  readonly limit: number;
}

/** @throws Problem `malformed-request` */
function pageOf(http: FastifyRequest): Page {
  const { after = '0', limit = String(MOST_A_PAGE) } = http.query as Record<string, string | undefined>;
  if (!/^\d{1,15}$/.test(after) || !/^\d{1,4}$/.test(limit))
    throw new Problem('malformed-request', 'after and limit are whole numbers');
  return { after: Number(after), limit: Math.min(Math.max(Number(limit), 1), MOST_A_PAGE) };
}

/** After which number the next page begins; null where there is none. */
const nextOf = (found: readonly { readonly seq: number }[], { limit }: Page): number | null =>
  found.length === limit ? (found.at(-1)?.seq ?? null) : null;
