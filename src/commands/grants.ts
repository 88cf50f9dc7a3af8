import { searchHistory } from '../client/history.js';
import { readShown } from '../client/shown-request.js';
import { formatSpan, shownTime, type TimeStyle } from '../client/shown-time.js';
import { grantOver, isGrant, usesLeft } from '../protocol/grant.js';
import type { RequestView } from '../protocol/request-view.js';
import { parseRule } from '../protocol/rule.js';
import { callAs, openAsApprover, withBroker } from './open-broker.js';
import { exact, print, printJson } from './output.js';
import { viewOnWire } from './show.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
List the lasting grants that are in force: approvals of this and every equal ask. The
oldest is last. Take one back with countersign revoke ID.

Usage
  countersign grants [--mine] [--json]

Flags
  --mine          only those that you have signed
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON, in the form of countersign list --json${BROKER_FLAGS_HELP}

Examples
  countersign grants
  countersign grants --mine
  countersign grants --json | jq -r '.grants[].id'
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', mine: 'switch', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const { requests: live } = await searchHistory(
        callAs(broker),
        { filter: 'state:active,approved', cursor: null },
        Number.POSITIVE_INFINITY,
      );
      const isMine = ({ votes }: RequestView): boolean =>
        votes.some(({ approver }) => approver === broker.approver);
      const grants = live.filter((view) => isGrant(view) && (!flags.mine || isMine(view)));
      if (flags.json) printJson({ grants: grants.map(viewOnWire) });
      else print(formatGrants(grants, { zone, now: broker.clock.now() }));
      return 0;
    });
  },
});

/** One line a grant; what others wrote is marked where it could deceive, and never cut. */
export function formatGrants(grants: readonly RequestView[], style: TimeStyle): string {
  if (grants.length === 0) return 'no grants';
  return formatTable([
    ['ID', 'REQUESTER', 'ACTION', 'RESOURCE', 'DOOR', 'SINCE', 'TIME LEFT', 'USES LEFT', 'SIGNED BY', 'RULE'],
    ...grants.map((grant) => {
      const { action, door, requester, resource } = readShown(grant).document;
      const { redeemedAt, claimBy, votes, rule } = grant;
      const until = grantOver(grant) ?? claimBy ?? style.now;
      const uses = usesLeft(grant);
      return [
        grant.id,
        exact(requester),
        exact(action),
        exact(resource),
        exact(door),
        redeemedAt === null ? 'not used yet' : shownTime(redeemedAt, style),
        formatSpan(until - style.now),
        Number.isFinite(uses) ? String(uses) : 'any',
        votes.map(({ approver }) => exact(approver)).join(', '),
        exact(nameOf(rule)),
      ];
    }),
  ]);
}

function nameOf(rule: string): string {
  try {
    return parseRule(rule).name;
  } catch {
    // Made under a rule of another version: the request itself shows its text.
    return '?';
  }
}
