import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { parseBody } from '../../src/protocol/messages.js';
import { dropBody, outboxReply, retryBody } from '../../src/protocol/outbox-messages.js';
import { Problem } from '../../src/protocol/problems.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { authorise, type Principal } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import type { Decider } from '../outbox/outbox.js';
import type { Delivery, DeliveryName, Sink } from '../store/deliveries.js';

/** Most dead letters on a page. */
const PAGE = 100;

/** How what leaves the broker fares, and what becomes of what was given up. */
export function outboxRoutes(app: FastifyInstance, { store, outbox }: BrokerContext): void {
  app.get('/v1/outbox', async (http) => {
    authorise(http.principal, 'outbox.read');
    const { sink, after, limit = String(PAGE) } = http.query as Record<string, string | undefined>;
    if (!/^\d{1,4}$/.test(limit)) throw new Problem('malformed-request', 'limit is a whole number');
    const count = Math.min(Math.max(Number(limit), 1), PAGE);
    const letters = await store.deadLetters({
      sink: (sink ?? null) as Sink | null,
      after: after === undefined ? null : parsePlace(after),
      limit: count,
    });
    const last = letters.at(-1);
    return z.encode(outboxReply, {
      sinks: [...outbox.standings()],
      letters: await Promise.all(letters.map(letterOf)),
      next: letters.length === count && last !== undefined ? `${last.event}@${last.sink}` : null,
    });
  });

  app.post('/v1/outbox/retries', async (http: FastifyRequest<{ Body: JsonValue }>) => {
    authorise(http.principal, 'outbox.change');
    const { sink, ...meant } = parseBody(retryBody, http.body);
    return { letters: await outbox.retry(sink, meant, deciderOf(http.principal)) };
  });

  app.post('/v1/outbox/drops', async (http: FastifyRequest<{ Body: JsonValue }>) => {
    authorise(http.principal, 'outbox.change');
    const { sink, ...meant } = parseBody(dropBody, http.body);
    const by = deciderOf(http.principal);
    const letters = 'forget' in meant ? outbox.forget(sink, by) : outbox.drop(sink, meant, by);
    return { letters: await letters };
  });

  async function letterOf({ sink, event, attempts, dead, error, request }: Delivery) {
    const [entry] = await store.events({ after: event - 1, limit: 1 });
    const subject = request === null ? null : await store.find({ id: request });
    const { requester, action, resource } = subject?.document ?? {};
    return {
      sink,
      event,
      kind: entry?.kind ?? 'unknown',
      at: entry?.at ?? 0,
      request,
      about: requester && action && resource ? { requester, action, resource } : null,
      attempts,
      dead: dead ?? 0,
      error: error ?? '',
    };
  }
}

const deciderOf = (principal: Principal): Decider => (principal.kind === 'approver' ? principal.name : null);

/** Where the page before ended: `EVENT@SINK`. */
function parsePlace(text: string): DeliveryName {
  const [, event, sink] = /^(\d{1,15})@(.{1,200})$/.exec(text) ?? [];
  if (event === undefined || sink === undefined) {
    throw new Problem('malformed-request', 'after is what next was on the page before');
  }
  return { event: Number(event), sink: sink as Sink };
}
