import * as z from 'zod';
import { shownTime, type TimeStyle } from '../../client/shown-time.js';
import { type Hold, holdsReply, MAX_REASON } from '../../protocol/hold-messages.js';
import { parseName } from '../../protocol/names.js';
import { Problem } from '../../protocol/problems.js';
import { openBroker, openForReading, withBroker } from '../open-broker.js';
import { exact, print, printJson, prose, tell } from '../output.js';
import { formatTable } from '../text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb, type VerbGroup } from '../verb.js';

const addVerb = defineVerb({
  help: `
Keep what a filter names, however old it gets: a legal hold. It counts from the moment
at which the broker has it, also for what is about to be erased; what was erased before
does not come back. Times in the filter count back from now. Over the broker's socket
only. The log has it for ever: what the reason says, auditors read.

Usage
  countersign audit hold add NAME --filter FILTER --reason TEXT

Flags
  --filter FILTER which requests, as in countersign list --filter
  --reason TEXT   why, for whoever wonders later${BROKER_FLAGS_HELP}

Examples
  countersign audit hold add case-7 --filter 'person:alice' --reason CASE-7
  countersign audit hold add outage --filter 'resource:db-* since:14d' --reason INC-4312
`,
  arguments: ['name'],
  flags: { ...BROKER_FLAGS, filter: 'text', reason: 'text' },
  async run({ arguments: [text = ''], flags, env }) {
    const name = parseName(text, 'NAME');
    const { filter, reason } = flags;
    if (!filter) throw new Problem('usage', 'which requests? give --filter');
    if (!reason) throw new Problem('usage', 'why? give --reason');
    if (reason.length > MAX_REASON) {
      throw new Problem('usage', `the reason is longer than ${MAX_REASON} characters`);
    }
    return withBroker(openBroker(flags, env), async ({ client }) => {
      const body = { name, filter, reason };
      await client.call(z.object({}), { method: 'POST', path: '/v1/holds', body });
      tell(`what it names is kept until: countersign audit hold lift ${name}`);
      return 0;
    });
  },
});

const listVerb = defineVerb({
  help: `
List the legal holds. Over the broker's socket anybody who may open that is told,
elsewhere an approver.

Usage
  countersign audit hold list [--json]

Flags
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign audit hold list
  countersign audit hold list --json | jq -r '.holds[].name'
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    return withBroker(openForReading(flags, env), async ({ client, clock, token }) => {
      const reply = await client.call(holdsReply, { method: 'GET', path: '/v1/holds', token });
      if (flags.json) printJson(z.encode(holdsReply, reply));
      else print(formatHolds(reply.holds, { zone, now: clock.now() }));
      return 0;
    });
  },
});

const liftVerb = defineVerb({
  help: `
End a legal hold. What it alone has kept, and is old enough, is erased within the hour.
Over the broker's socket only.

Usage
  countersign audit hold lift NAME

Flags${BROKER_FLAGS_HELP}

Examples
  countersign audit hold lift case-7
`,
  arguments: ['name'],
  flags: BROKER_FLAGS,
  async run({ arguments: [text = ''], flags, env }) {
    const name = parseName(text, 'NAME');
    return withBroker(openBroker(flags, env), async ({ client }) => {
      await client.call(z.object({}), { method: 'DELETE', path: `/v1/holds/${encodeURIComponent(name)}` });
      tell(`lifted ${name}`);
      return 0;
    });
  },
});

export const holdVerbs: VerbGroup = {
  help: `
Legal holds: requests that the broker keeps however old they are, because somebody may
still need them. Placed and lifted over the broker's socket; both stand in the log.

Usage
  countersign audit hold add NAME --filter FILTER --reason TEXT
  countersign audit hold list [--json]
  countersign audit hold lift NAME

Examples
  countersign audit hold add case-7 --filter 'person:alice' --reason CASE-7
  countersign audit hold list
  countersign audit hold lift case-7
`,
  verbs: { add: addVerb, list: listVerb, lift: liftVerb },
};

/** One line each. */
export function formatHolds(holds: readonly Hold[], style: TimeStyle): string {
  if (holds.length === 0) return 'nothing is held';
  return formatTable([
    ['HOLD', 'SINCE', 'WHAT', 'WHY'],
    ...holds.map(({ name, since, filter, reason }) => [
      name,
      shownTime(since, style),
      exact(filter),
      prose(reason),
    ]),
  ]);
}
