import { systemClock } from '../client/clock.js';
import { type HistoryPage, searchHistory } from '../client/history.js';
import { readShown } from '../client/shown-request.js';
import { shownTime, type TimeStyle } from '../client/shown-time.js';
import { formatFilter, parseFilter } from '../protocol/filter-text.js';
import { parseRequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { REQUEST_STATES, type RequestView } from '../protocol/request-view.js';
import { formatTime } from '../protocol/time.js';
import { callAs, openAsApprover, withBroker } from './open-broker.js';
import { exact, print, printJson, prose, tell } from './output.js';
import { viewOnWire } from './show.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

const STATES = ['live', 'all', ...REQUEST_STATES];
const DEFAULT_LIMIT = 50;

export const verb = defineVerb({
  help: `
List requests, the newest first: those that are live, or those of all times that a filter
fits. Needs a key that is enrolled as an approver's.

Usage
  countersign list [--state STATE] [--filter FILTER] [--limit N] [--cursor ID] [--json]

Flags
  --state STATE   live (default), all (default with --filter), or one of pending approved
                  active redeemed denied expired cancelled lapsed revoked
  --filter FILTER what to look for; see below
  --limit N       at most so many (default ${DEFAULT_LIMIT})
  --cursor ID     go on where an earlier list ended, as it said
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON, with next (a cursor) and searchedTo, both null at the end${BROKER_FLAGS_HELP}

FILTER: terms with spaces between them, all of which must fit
  WORD            in action, resource, requester, reason (its beginning) or id
  person:bob      a requester or approver; requester: and approver: say which
  submitter: action: resource: door: id:
  state:denied    a state, live, ended, canary, or what the door said: opened refused
                  observed
  verdict:deny    with approver:bob, what bob denied; approve or deny
  since:7d        asked then or later: 90m 36h 7d 2w, 2026-11-01, 2026-11-01T08:30:00Z
  until:…         asked before; a day counts whole, and days are days of UTC
  a,b             one or the other       web-*   any text for the star
  -TERM           not that               "a b"   nothing in quotes has a meaning

Examples
  countersign list
  countersign list --state denied --limit 10
  countersign list --filter 'person:bob since:7d'
  countersign list --filter 'approver:bob verdict:deny action:ssh.*'
  countersign list --filter 'INC-4312 -state:opened' --json
  countersign list --state all --json | jq '.requests[].document.resource'
`,
  arguments: [],
  flags: {
    ...BROKER_FLAGS,
    state: 'text',
    filter: 'text',
    limit: 'text',
    cursor: 'text',
    key: 'text',
    json: 'switch',
  },
  async run({ flags, env, display: { zone } }) {
    const state = flags.state ?? (flags.filter === undefined ? 'live' : 'all');
    if (!STATES.includes(state)) throw new Problem('usage', `--state is one of ${STATES.join(', ')}`);
    const limit = flags.limit === undefined ? DEFAULT_LIMIT : parseLimit(flags.limit);
    const cursor = flags.cursor === undefined ? null : parseRequestId(flags.cursor);
    const now = systemClock.now();
    const terms = [state === 'all' ? '' : `state:${state}`, flags.filter ?? ''];
    const filter = formatFilter({ terms: terms.flatMap((text) => parseFilter(text, now).terms) });
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const found = await searchHistory(callAs(broker), { filter, cursor }, limit);
      if (flags.json) printJson(pageOnWire(found));
      else {
        const style = { zone, now: broker.clock.now() };
        print(formatList(found.requests, style));
        if (flags.filter !== undefined || found.next !== null) tell(formatEnd(found, style));
      }
      return 0;
    });
  },
});

const pageOnWire = ({ requests, next, searchedTo }: HistoryPage) => ({
  requests: requests.map(viewOnWire),
  next,
  searchedTo: searchedTo == null ? null : formatTime(searchedTo),
});

/** How far a search has looked, and how to go on. */
function formatEnd({ next, searchedTo }: HistoryPage, style: TimeStyle): string {
  if (next === null || searchedTo == null) return 'that is all: everything was searched';
  return `searched back to ${shownTime(searchedTo, style)}; the same again with --cursor ${next} goes on`;
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
        request.canary === null ? (request.report?.outcome ?? request.state) : 'canary',
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
