import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type * as z from 'zod';
import { type grantsReply, MOST_WATCHED } from '../../src/protocol/grant-messages.js';
import type { RequestId } from '../../src/protocol/names.js';
import { formatTime } from '../../src/protocol/time.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { isGrantInForce } from '../requests/grants.js';
import type { Request } from '../requests/request.js';
import { viewOnWire } from '../requests/view.js';
import type { Store } from '../store/store.js';

/** Grants for which the last use is looked up, the newest: each is a look into the log. */
const MOST_GRANTS = 1000;
/** Requests that are read in one turn of the event loop. */
const READ_AT_ONCE = 16;

/** What is known of grants beside the requests themselves. */
export function grantRoutes(app: FastifyInstance, { store, requests, rings }: BrokerContext): void {
  app.get('/v1/grants', async (http): Promise<z.input<typeof grantsReply>> => {
    authorise(http.principal, 'grant.read');
    const used = store.live().filter((request) => request.state === 'active' && isGrantInForce(request));
    const uses = await store.lastUses(used.slice(-MOST_GRANTS).map(({ id }) => id));
    const ids = requests.watched();
    const watched = await readStanding(store, ids.slice(0, MOST_WATCHED));
    return {
      uses: [...uses].map(([id, at]) => ({ id, at: formatTime(at) })),
      watched: watched.map((request) => viewOnWire(request, rings.of(request))),
      more: Math.max(0, ids.length - MOST_WATCHED),
    };
  });
}

/** Those that may stay open. What was revoked is watched a moment longer. */
async function readStanding(
  store: Pick<Store, 'find'>,
  ids: readonly RequestId[],
): Promise<readonly Request[]> {
  const standing: Request[] = [];
  for (const [at, id] of ids.entries()) {
    if (at % READ_AT_ONCE === READ_AT_ONCE - 1) await nextTurn();
    const request = await store.find({ id });
    if (request?.state === 'redeemed' || request?.state === 'active') standing.push(request);
  }
  return standing;
}
