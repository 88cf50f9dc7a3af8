import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { isZone } from '../../src/protocol/background.js';
import { Problem } from '../../src/protocol/problems.js';
import { MOST_STATISTICS_DAYS, STATISTICS_DAYS, statisticsReply } from '../../src/protocol/statistics.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { Surveys } from '../statistics/survey.js';

/** How long people wait, who answers, and what becomes of what is asked. */
export function statisticsRoutes(app: FastifyInstance, { store, retention, clock }: BrokerContext): void {
  const surveys = new Surveys(store);

  app.get('/v1/statistics', async (http, reply) => {
    authorise(http.principal, 'statistics.read');
    const now = clock();
    const { keep } = retention.state;
    const kept = keep === null ? null : now - keep * 1000;
    const goesOn = (): boolean => !reply.raw.destroyed;
    return z.encode(statisticsReply, await surveys.count({ ...queryOf(http), now, kept }, goesOn));
  });
}

/** @throws Problem `malformed-request` */
function queryOf(http: FastifyRequest): { readonly days: number; readonly zone: string } {
  const { days = String(STATISTICS_DAYS), zone = 'UTC' } = http.query as Record<string, unknown>;
  const number = typeof days === 'string' && /^\d{1,3}$/.test(days) ? Number(days) : 0;
  if (number < 1 || number > MOST_STATISTICS_DAYS)
    throw new Problem('malformed-request', `days is a number from 1 to ${MOST_STATISTICS_DAYS}`);
  if (typeof zone !== 'string' || !isZone(zone))
    throw new Problem('malformed-request', 'zone is not a time zone such as Europe/Berlin, or UTC');
  return { days: number, zone };
}
