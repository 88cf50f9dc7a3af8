import { systemClock } from '../client/clock.js';
import { type HistoryPage, searchHistory } from '../client/history.js';
import type { Environment } from '../client/locations.js';
import { readShown } from '../client/shown-request.js';
import { shownTime, type TimeStyle } from '../client/shown-time.js';
import { type Filter, matchesFilter, subjectOf } from '../protocol/filter.js';
import { formatFilter, parseFilter } from '../protocol/filter-text.js';
import { parseRequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { REQUEST_STATES, type RequestView } from '../protocol/request-view.js';
import { formatTime } from '../protocol/time.js';
import type { ExitCode } from './exit-code.js';
import {
  type BrokerFlags,
  callAs,
  keyOption,
  openAsApprover,
  openBroker,
  withBroker,
} from './open-broker.js';
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
  countersign list --watch [--state STATE] [--filter FILTER] [--json]

Flags
  --state STATE   live (default), all (default with --filter), or one of pending approved
                  active redeemed denied expired cancelled lapsed revoked
  --filter FILTER what to look for; see below
  --limit N       at most so many (default ${DEFAULT_LIMIT})
  --cursor ID     go on where an earlier list ended, as it said
  --watch         what is live now, then a line for each change until Ctrl-C: time, state,
                  id, requester, action, resource, door, votes, reason, two spaces apart;
                  (comment by NAME: TEXT) or (all rung by NAME) beside the state.
                  With --state only changes to that. It comes back by itself when the
                  connection broke. It does not count as an open console
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON, with next (a cursor) and searchedTo, both null at the end; with
                  --watch one request a line${BROKER_FLAGS_HELP}

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
  countersign list --watch --filter 'action:ssh.*' | tee asks
  countersign list --watch --json | jq --unbuffered -r .id
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
    watch: 'switch',
    json: 'switch',
  },
  async run({ flags, env, display: { zone } }) {
    if (flags.watch) return watch(flags, env, zone);
    const filter = formatFilter(wantedFilter(flags, flags.filter === undefined ? 'live' : 'all'));
    const limit = flags.limit === undefined ? DEFAULT_LIMIT : parseLimit(flags.limit);
    const cursor = flags.cursor === undefined ? null : parseRequestId(flags.cursor);
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

/** What every filter of this call has in common: the flags that say which requests. */
interface Wanted {
  readonly state: string | undefined;
  readonly filter: string | undefined;
}

async function watch(
  flags: BrokerFlags &
    Wanted &
    Record<'key' | 'limit' | 'cursor', string | undefined> & { readonly json: boolean },
  env: Environment,
  zone: string,
): Promise<ExitCode> {
  if (flags.limit !== undefined || flags.cursor !== undefined) {
    throw new Problem('usage', '--watch goes on until Ctrl-C: it has no --limit and no --cursor');
  }
  const isWanted = matcher(wantedFilter(flags, 'all'));
  const isFirst = matcher(wantedFilter(flags, 'live'));
  // The stream pulls in more than a list needs.
  const [{ openQueue }, { watchQueue }] = await Promise.all([
    import('./open-queue.js'),
    import('./list-watch.js'),
  ]);
  return withBroker(openBroker(flags, env), async (broker) => {
    const connection = await openQueue(broker, { key: keyOption(flags, env), env, isLookedAt: false });
    try {
      return await watchQueue(connection, { isFirst, isWanted, json: flags.json, zone });
    } finally {
      connection.close();
    }
  });
}

const matcher =
  (filter: Filter) =>
  (request: RequestView): boolean =>
    matchesFilter(filter, subjectOf(request));

/** @throws Problem `usage` */
function wantedFilter({ state: given, filter = '' }: Wanted, otherwise: string): Filter {
  const state = given ?? otherwise;
  if (!STATES.includes(state)) throw new Problem('usage', `--state is one of ${STATES.join(', ')}`);
  const now = systemClock.now();
  const terms = [state === 'all' ? '' : `state:${state}`, filter];
  return { terms: terms.flatMap((text) => parseFilter(text, now).terms) };
}

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

/** What has become of it, in the word that {@link Filter} has for it. */
export const stateWord = ({ canary, report, state }: RequestView): string =>
  canary === null ? (report?.outcome ?? state) : 'canary';

/** One line a request; what others wrote is marked where it could deceive, and never cut. */
export function formatList(requests: readonly RequestView[], style: TimeStyle): string {
  if (requests.length === 0) return 'no requests';
  return formatTable([
    ['ID', 'STATE', 'ASKED', 'REQUESTER', 'ACTION', 'RESOURCE', 'DOOR', 'REASON'],
    ...requests.map((request) => {
      const { action, context, door, requester, resource } = readShown(request).document;
      return [
        request.id,
        stateWord(request),
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
