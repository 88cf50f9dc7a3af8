import { keptHeadsPath, readKeptLogs } from '../../client/kept-heads.js';
import { locate } from '../../client/locations.js';
import { shownTime } from '../../client/shown-time.js';
import { formatTime } from '../../protocol/time.js';
import { exact, print, printJson } from '../output.js';
import { formatTable } from '../text-table.js';
import { defineVerb } from '../verb.js';

export const headsVerb = defineVerb({
  help: `
List the heads of event logs that this machine has kept, oldest first. A head is the
number and the hash of the newest entry, signed by the broker. Consoles keep those that
they see, and compare: a log that was edited, cut or replaced later does not fit them.

Usage
  countersign audit heads [--json]

Flags
  --json          as JSON, each head with its signed text

Examples
  countersign audit heads
  countersign audit heads --json | jq -r '.heads[-1].text'
`,
  arguments: [],
  flags: { json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    const { config } = locate({}, env);
    const { heads } = await readKeptLogs(config);
    if (flags.json) {
      printJson({
        file: keptHeadsPath(config),
        heads: heads.map(({ signed, ...head }) => ({ ...head, signed: formatTime(signed) })),
      });
    } else if (heads.length === 0) {
      print(`no head is kept in ${exact(keptHeadsPath(config))}: a console keeps those that it sees`);
    } else {
      const now = Date.now();
      const rows = heads.map(({ address, seq, hash, signed, linked }) => [
        exact(address),
        String(seq),
        hash,
        `${shownTime(signed, { zone, now })}${linked ? '' : ', not followed entry by entry from the one before'}`,
      ]);
      print(formatTable([['BROKER', 'ENTRY', 'HASH', 'SIGNED'], ...rows]));
    }
    return 0;
  },
});
