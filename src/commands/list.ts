import { readShown } from '../client/shown-request.js';
import { shownTime, type TimeStyle } from '../client/shown-time.js';
import { type ListReply, listReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import { REQUEST_STATES, type RequestView } from '../protocol/request-view.js';
import { openAsApprover, type SignedInBroker, withBroker } from './open-broker.js';
import { exact, print, printJson, prose } from './output.js';
import { viewOnWire } from './show.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

const STATES = ['live', 'all', ...REQUEST_STATES];
const DEFAULT_LIMIT = 50;
const PAGE = 100;

export const verb = defineVerb({
  help: `
List requests, the newest first. Needs a key that is enrolled as an approver's.

Usage
  countersign list [--state STATE] [--limit N] [--json]

Flags
  --state STATE   live (default), all, or one of pending approved active redeemed
                  denied expired cancelled lapsed revoked
  --limit N       at most so many (default ${DEFAULT_LIMIT})
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign list
  countersign list --state denied --limit 10
  countersign list --state all --json | jq '.requests[].document.resource'
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, state: 'text', limit: 'text', key: 'text', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    const state = flags.state ?? 'live';
    if (!STATES.includes(state)) throw new Problem('usage', `--state is one of ${STATES.join(', ')}`);
    const limit = flags.limit === undefined ? DEFAULT_LIMIT : parseLimit(flags.limit);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const requests = await fetchRequests(broker, state, limit);
      if (flags.json) printJson({ requests: requests.map(viewOnWire) });
      else print(formatList(requests, { zone, now: broker.clock.now() }));
      return 0;
    });
  },
});

/** The newest ones of a state, page by page. */
export async function fetchRequests(
  { client, token }: SignedInBroker,
  state: string,
  limit: number,
): Promise<RequestView[]> {
  const found: RequestView[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ state, limit: String(Math.min(PAGE, limit - found.length)) });
    if (cursor !== null) query.set('cursor', cursor);
    const page: ListReply = await client.call(listReply, {
      method: 'GET',
      path: `/v1/requests?${query}`,
      token,
    });
    found.push(...page.requests);
    if (page.requests.length === 0) break;
    cursor = page.next;
  } while (cursor !== null && found.length < limit);
  return found.slice(0, limit);
}

/** One line a request; what others wrote is marked where it could deceive, and never cut. */
export function formatList(requests: readonly RequestView[], style: TimeStyle): string {
  if (requests.length === 0) return 'no requests';
  return formatTable([
    ['ID', 'STATE', 'ASKED', 'REQUESTER', 'ACTION', 'RESOURCE', 'DOOR', 'REASON'],
    ...requests.map((request) => {
      const { action, context, door, requester, resource } = readShown(request).document;
      return [
        request.id,
        request.report?.outcome ?? request.state,
        shownTime(request.submittedAt, style),
        exact(requester),
        exact(action),
        exact(resource),
        exact(door),
        typeof context.reason === 'string' ? prose(context.reason) : '',
      ];
    }),
  ]);
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new Problem('usage', '--limit is not a number from 1 to 999999');
}
