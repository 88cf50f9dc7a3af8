import type { FastifyInstance, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { type holdsReply, placeHoldBody } from '../../src/protocol/hold-messages.js';
import { parseBody } from '../../src/protocol/messages.js';
import { parseName } from '../../src/protocol/names.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { formatTime } from '../../src/protocol/time.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { lifted, placed } from '../retention/holds.js';

/** Legal holds: what is kept however old it is. */
export function holdRoutes(app: FastifyInstance, { store, clock }: BrokerContext): void {
  app.get('/v1/holds', async (http): Promise<z.input<typeof holdsReply>> => {
    authorise(http.principal, 'hold.read');
    const holds = [...store.holds().values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { holds: holds.map(({ since, ...hold }) => ({ ...hold, since: formatTime(since) })) };
  });

  app.post('/v1/holds', async (http: FastifyRequest<{ Body: JsonValue }>) => {
    authorise(http.principal, 'hold.change');
    const hold = parseBody(placeHoldBody, http.body);
    await store.changeHolds((holds) => placed(holds, hold, clock()));
    return {};
  });

  app.delete('/v1/holds/:name', async (http: FastifyRequest<{ Params: { name: string } }>) => {
    authorise(http.principal, 'hold.change');
    const name = parseName(http.params.name, 'the name of a hold');
    await store.changeHolds((holds) => lifted(holds, name, clock()));
    return {};
  });
}
