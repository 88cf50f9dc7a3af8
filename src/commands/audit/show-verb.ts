import { type LifeEntry, lifeOf } from '../../../broker/audit/life.js';
import { readEvents } from '../../client/event-pages.js';
import { zonedTime } from '../../client/shown-time.js';
import type { LogEntry } from '../../protocol/event-log.js';
import { parseRequestId } from '../../protocol/names.js';
import { Problem } from '../../protocol/problems.js';
import { openAsApprover, withBroker } from '../open-broker.js';
import { print, printJson, prose, tell } from '../output.js';
import { formatTable } from '../text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from '../verb.js';

export const showVerb = defineVerb({
  help: `
Show the life of one request, entry by entry, with everything that was signed in it. Each
signature is verified against its text; whose keys they were at the time, and whether the
log around these entries is true, is for countersign audit verify. Exits with 1 when an
entry or a signature does not hold. Needs a key that is enrolled as an approver's.

Usage
  countersign audit show ID [--json]

Flags
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          the entries as they stand in the log, with what was found${BROKER_FLAGS_HELP}

Examples
  countersign audit show 01KB2X6C9V4T7M3N8QZ5R0EWHD
  countersign audit show 01KB2X6C9V4T7M3N8QZ5R0EWHD --json | jq -r '.entries[].kind'
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ arguments: [id = ''], flags, env, display: { zone } }) {
    const request = parseRequestId(id);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const entries: LogEntry[] = [];
      for await (const entry of readEvents(broker, { request })) entries.push(entry);
      if (entries.length === 0) throw new Problem('not-found', 'the log has no request of this id');
      const life = lifeOf(entries);
      if (flags.json) printJson({ request, entries, life });
      else print(formatLife(life, zone));
      const bad = life.filter((entry) => faultOf(entry) !== null);
      if (!flags.json) tell(summary(life, bad));
      return bad.length === 0 ? 0 : 1;
    });
  },
});

function formatLife(life: readonly LifeEntry[], zone: string): string {
  const table = formatTable([
    ['ENTRY', 'TIME', 'WHAT', 'SAYS'],
    ...life.map((entry) => {
      const { seq, at, kind, words, signed } = entry;
      const fault = faultOf(entry);
      const key = signed === null || signed.key === null ? '' : ` [signed by ${signed.key}]`;
      return [
        String(seq),
        zonedTime(at, zone),
        kind,
        `${prose(words)}${key}${fault === null ? '' : ` [BAD: ${prose(fault)}]`}`,
      ];
    }),
  ]);
  const texts = life.flatMap(({ seq, signed }) =>
    signed === null
      ? []
      : [`\nsigned in entry ${seq}:\n${signed.text.split('\n').map(prose).join('\n').trimEnd()}`],
  );
  return [table, ...texts].join('\n');
}

const faultOf = ({ holds, signed }: LifeEntry): string | null =>
  holds ? (signed?.fault ?? null) : 'the entry is not what its hash says';

function summary(life: readonly LifeEntry[], bad: readonly LifeEntry[]): string {
  const signatures = life.filter(({ signed }) => signed !== null).length;
  const what = `${life.length} entries, ${signatures} signatures`;
  return bad.length === 0
    ? `${what}: all hold; whose keys they were, and the log around them: countersign audit verify`
    : `${what}: BAD at entry ${bad.map(({ seq }) => seq).join(', ')}`;
}
