import { fetchGrants } from '../client/grants.js';
import { searchHistory } from '../client/history.js';
import { readShown } from '../client/shown-request.js';
import { formatSpan, relativeTime, shownTime, type TimeStyle } from '../client/shown-time.js';
import { grantOver, isGrant, worthOf } from '../protocol/grant.js';
import type { RequestId } from '../protocol/names.js';
import type { RequestView } from '../protocol/request-view.js';
import { knownRule } from '../protocol/rule.js';
import { type EpochMs, formatTime } from '../protocol/time.js';
import { callAs, openAsApprover, withBroker } from './open-broker.js';
import { exact, print, printJson } from './output.js';
import { viewOnWire } from './show.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
List the lasting grants that are in force: approvals of this and every equal ask. Below
them what doors watch just now, to end it once it is revoked. The oldest is last. Take one
back with countersign revoke ID.

Usage
  countersign grants [--mine] [--json]

Flags
  --mine          only those that you have signed
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON: grants and watched, in the form of countersign list --json;
                  uses, when each was last used; more, how many older ones are watched${BROKER_FLAGS_HELP}

Examples
  countersign grants
  countersign grants --mine
  countersign grants --json | jq -r '.grants[].id'
  countersign grants --json | jq -r '.watched[] | .id + " " + .document.door'
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', mine: 'switch', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const call = callAs(broker);
      const { requests: live } = await searchHistory(
        call,
        { filter: 'state:active,approved', cursor: null },
        Number.POSITIVE_INFINITY,
      );
      const told = await fetchGrants(call);
      const isMine = ({ votes }: RequestView): boolean =>
        !flags.mine || votes.some(({ approver }) => approver === broker.approver);
      const grants = live.filter((view) => isGrant(view) && isMine(view));
      const watched = told.watched.filter((view) => view.state === 'redeemed' && isMine(view));
      const uses = told.uses.filter(({ id }) => grants.some((grant) => grant.id === id));
      if (flags.json) {
        printJson({
          grants: grants.map(viewOnWire),
          uses: uses.map(({ id, at }) => ({ id, at: formatTime(at) })),
          watched: watched.map(viewOnWire),
          more: told.more,
        });
      } else {
        const style = { zone, now: broker.clock.now() };
        const lastUses = new Map(uses.map(({ id, at }) => [id, at]));
        print(formatGrants(grants, lastUses, style));
        if (watched.length > 0) print(`\n${formatWatched(watched, told.more, style)}`);
      }
      return 0;
    });
  },
});

/** One line a grant; what others wrote is marked where it could deceive, and never cut. */
export function formatGrants(
  grants: readonly RequestView[],
  lastUses: ReadonlyMap<RequestId, EpochMs>,
  style: TimeStyle,
): string {
  if (grants.length === 0) return 'no grants';
  return formatTable([
    ['ID', 'REQUESTER', 'ACTION', 'RESOURCE', 'DOOR', 'LAST USE', 'TIME LEFT', 'USED', 'SIGNED BY', 'RULE'],
    ...grants.map((grant) => {
      const { redeemedAt, claimBy, votes, rule, uses } = grant;
      const until = grantOver(grant) ?? claimBy ?? style.now;
      const most = worthOf(votes).uses;
      const used = lastUses.get(grant.id) ?? redeemedAt;
      return [
        ...whatCells(grant),
        used === null ? 'not used yet' : relativeTime(used, style.now),
        formatSpan(until - style.now),
        most === 0 ? `${uses}` : `${uses} of ${most}`,
        signedBy(grant),
        exact(nameOf(rule)),
      ];
    }),
  ]);
}

/** One line for each request that a door watches. */
function formatWatched(watched: readonly RequestView[], more: number, style: TimeStyle): string {
  const table = formatTable([
    ['WATCHED', 'REQUESTER', 'ACTION', 'RESOURCE', 'DOOR', 'OPENED', 'SIGNED BY'],
    ...watched.map((view) => [
      ...whatCells(view),
      view.redeemedAt === null ? '' : shownTime(view.redeemedAt, style),
      signedBy(view),
    ]),
  ]);
  return more === 0 ? table : `${table}\nand ${more} older ones`;
}

function whatCells(view: RequestView): readonly string[] {
  const { action, door, requester, resource } = readShown(view).document;
  return [view.id, exact(requester), exact(action), exact(resource), exact(door)];
}

const signedBy = ({ votes }: RequestView): string => votes.map(({ approver }) => exact(approver)).join(', ');

/** Of a rule of another version the request itself shows the text. */
const nameOf = (rule: string): string => knownRule(rule)?.name ?? '?';
