import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { CANARY_DAYS, canariesReply } from '../../src/protocol/canary.js';
import { askedAt, exactly } from '../../src/protocol/filter.js';
import { parseBody, signedBody } from '../../src/protocol/messages.js';
import { isRequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { statusOnWire } from '../requests/view.js';

type WithId = FastifyRequest<{ Params: { id: string }; Body: JsonValue }>;

const DAY = 86_400_000;
/** Most canaries of one approver that are counted, and of those that he approved, named. */
const COUNTED = 100;
const NAMED = 10;
/** After so long the answer is of what was found until then. */
const SEARCH_MILLISECONDS = 500;

/** Canaries: they are revealed here, and each approver reads how he did. */
export function canaryRoutes(app: FastifyInstance, { requests, store, clock }: BrokerContext): void {
  app.post('/v1/requests/:id/canary', async (http: WithId) => {
    authorise(http.principal, 'canary.reveal');
    const { id } = http.params;
    if (!isRequestId(id)) throw new Problem('not-found', 'there is no such request');
    const { statement } = parseBody(signedBody, http.body, 'malformed-receipt');
    return statusOnWire(await requests.reveal(id, statement));
  });

  app.get('/v1/canaries', async (http, reply) => {
    const { principal } = http;
    authorise(principal, 'canary.read');
    if (principal.kind !== 'approver') throw new Problem('forbidden', 'only an approver reads this');
    const now = clock();
    const terms = [
      { key: 'state', not: false, any: ['canary'] },
      exactly('approver', principal.name),
      { key: 'since', at: Math.ceil((now - CANARY_DAYS * DAY) / 1000) * 1000 },
    ] as const;
    const goesOn = (): boolean => !reply.raw.destroyed && clock() < now + SEARCH_MILLISECONDS;
    const found = await store.list({ filter: { terms }, before: null, limit: COUNTED }, goesOn);
    const missed = found.requests.filter(({ votes }) =>
      votes.some(({ approver, verdict }) => approver === principal.name && verdict === 'approve'),
    );
    return z.encode(canariesReply, {
      caught: found.requests.length - missed.length,
      missed: missed.slice(0, NAMED).map(({ id, canary }) => ({ id, revealed: canary ?? 0 })),
      missedCount: missed.length,
      searchedTo: found.next === null ? null : askedAt(found.next),
    });
  });
}
