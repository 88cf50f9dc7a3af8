import * as z from 'zod';
import { shownTime, type TimeStyle } from '../client/shown-time.js';
import { type RestraintsView, restraintsSchema } from '../protocol/restraints.js';
import { openForReading, withBroker } from './open-broker.js';
import { exact, print, printJson, prose } from './output.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
List who may not ask now: locked by a deny as fraud, or muted for one resource after
repeated denials. Over the broker's socket anybody who may open that is told, elsewhere
an approver.

Usage
  countersign locks [--json]

Flags
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign locks
  countersign locks --json | jq -r '.locks[].requester'
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    return withBroker(openForReading(flags, env), async ({ client, clock, token }) => {
      const restraints = await client.call(restraintsSchema, { method: 'GET', path: '/v1/locks', token });
      if (flags.json) printJson(z.encode(restraintsSchema, restraints));
      else print(formatRestraints(restraints, { zone, now: clock.now() }));
      return 0;
    });
  },
});

/** One line each; what others wrote is marked where it could deceive, and never cut. */
export function formatRestraints({ locks, mutes }: RestraintsView, style: TimeStyle): string {
  if (locks.length + mutes.length === 0) return 'nobody is locked or muted';
  return formatTable([
    ['REQUESTER', 'WHAT', 'FOR', 'WHEN', 'BY', 'COMMENT'],
    ...locks.map(({ requester, since, by, comment }) => [
      requester,
      'locked',
      'everything',
      `since ${shownTime(since, style)}`,
      by,
      prose(comment),
    ]),
    ...mutes.map(({ requester, resource, until }) => [
      requester,
      'muted',
      exact(resource),
      `until ${shownTime(until, style)}`,
      '',
      '',
    ]),
  ]);
}
