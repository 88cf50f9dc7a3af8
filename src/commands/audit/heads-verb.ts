import { keptHeadsPath, readKeptLogs } from '../../client/kept-heads.js';
import { locate } from '../../client/locations.js';
import { forkWords } from '../../client/log-standing.js';
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
Where that happened is listed below them; as JSON with both heads, as evidence.

Usage
  countersign audit heads [--json]

Flags
  --json          as JSON, with the signed texts

Examples
  countersign audit heads
  countersign audit heads --json | jq -r '.heads[-1].text'
`,
  arguments: [],
  flags: { json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    const { config } = locate({}, env);
    const { heads, forks } = await readKeptLogs(config);
    if (flags.json) {
      printJson({
        file: keptHeadsPath(config),
        heads: heads.map(({ signed, ...head }) => ({ ...head, signed: formatTime(signed) })),
        forks: forks.map(({ seen, accepted, ...fork }) => ({
          ...fork,
          seen: formatTime(seen),
          accepted: accepted === null ? null : formatTime(accepted),
        })),
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
      for (const fork of forks) {
        const { accepted } = fork;
        const then = accepted === null ? 'not accepted' : `accepted ${shownTime(accepted, { zone, now })}`;
        print(
          `${exact(fork.address)} had another log ${shownTime(fork.seen, { zone, now })}: ${forkWords(fork)}; ${then}`,
        );
      }
    }
    return 0;
  },
});
