import * as z from 'zod';
import { type HistoryPage, searchHistory } from '../../client/history.js';
import { formatFilter, parseFilter } from '../../protocol/filter-text.js';
import { brokerReply } from '../../protocol/messages.js';
import { Problem } from '../../protocol/problems.js';
import { callAs, openAsApprover, type SignedInBroker, withBroker } from '../open-broker.js';
import { exact, tell } from '../output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from '../verb.js';
import { BrokerLog } from './broker-log.js';
import { ExportFile, type ExportSink } from './export-file.js';
import { momentOf } from './moment.js';
import { type ExportOrigin, writeExport } from './write-export.js';

export const exportVerb = defineVerb({
  help: `
Write the log of the broker: JSON Lines, one entry a line, each with the hash of the
one before, and each head that the broker signed. Whoever has it can check it without
the broker: countersign audit verify, or scripts/verify-export.

To a FILE that is there already it goes on after the last entry, if the log still
continues it; a line that a killed export has broken off is written again. Needs a key
that is enrolled as an approver's.

Usage
  countersign audit export [FILE] [--after SEQ | --since TIME] [--until TIME]
                           [--filter FILTER]

Flags
  --after SEQ     begin after the entry of this number
  --since TIME    begin with the first entry of this time: 7d, 12h, 2026-11-01 or
                  2026-11-01T06:00:00Z
  --until TIME    end before the first entry of this time
  --filter FILTER of requests only those that fit; filters are as in countersign list
  --key FILE      sign in with this key (COUNTERSIGN_KEY)${BROKER_FLAGS_HELP}

Without FILE the log goes to standard output. Only an export of everything from entry 1 on
can be verified in full. In one that begins later, who could sign stands before it; in a
selection each entry is good or bad by itself, and nobody can tell what was left out.

Examples
  countersign audit export /backup/audit.jsonl
  countersign audit export --since 7d | jq -r 'select(.kind) | .kind' | sort | uniq -c
  countersign audit export alice.jsonl --filter 'person:alice since:90d'
`,
  arguments: ['FILE?'],
  flags: { ...BROKER_FLAGS, key: 'text', after: 'text', since: 'text', until: 'text', filter: 'text' },
  async run({ arguments: [path], flags, env }) {
    const now = Date.now();
    const part = {
      after: flags.after === undefined ? null : parseSeq(flags.after),
      since: flags.since === undefined ? null : momentOf('since', flags.since, now),
      until: flags.until === undefined ? null : momentOf('until', flags.until, now),
    };
    const filter = flags.filter === undefined ? null : formatFilter(parseFilter(flags.filter, now));
    if (part.after !== null && part.since !== null) {
      throw new Problem('usage', '--after and --since both say where it begins', {
        hint: 'give one of them',
      });
    }
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const selection = filter === null ? null : { filter, requests: await requestsThatFit(broker, filter) };
      const range = { ...part, selection };
      const [log, origin] = [new BrokerLog(broker), await originOf(broker)];
      if (path === undefined) {
        await writeExport(log, origin, range, null, STANDARD_OUTPUT);
        return 0;
      }
      const { file, end } = ExportFile.open(path);
      try {
        if (end !== null && end.cut > 0) {
          tell(`cut off ${end.cut} bytes of a line that was not written to its end`);
        }
        const count = await writeExport(log, origin, range, end, file);
        tell(`wrote ${count === 1 ? '1 entry' : `${count} entries`} to ${exact(path)}`);
      } finally {
        file.close();
      }
      return 0;
    });
  },
});

async function originOf({ client, token }: SignedInBroker): Promise<ExportOrigin> {
  const { name, key } = await client.call(brokerReply, { method: 'GET', path: '/v1/broker' });
  const { epoch } = await client.call(z.object({ epoch: z.string() }), {
    method: 'GET',
    path: '/v1/status',
    token,
  });
  return { broker: name, key, epoch };
}

/** A selection is held in memory as the ids of its requests. */
async function requestsThatFit(broker: SignedInBroker, filter: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: HistoryPage = await searchHistory(callAs(broker), { filter, cursor }, PAGE);
    for (const { id } of page.requests) ids.add(id);
    cursor = page.next;
  } while (cursor !== null);
  return ids;
}

const PAGE = 100;

const STANDARD_OUTPUT: ExportSink = {
  write: (line) =>
    new Promise((resolve, reject) => {
      process.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
    }),
};

function parseSeq(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Problem('usage', '--after is not the number of an entry');
}
