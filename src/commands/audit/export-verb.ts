import * as z from 'zod';
import {
  type ExportHeader,
  type ExportLine,
  formatEntry,
  formatExportHeader,
  formatHead,
} from '../../protocol/audit-export.js';
import { brokerReply } from '../../protocol/messages.js';
import { Problem } from '../../protocol/problems.js';
import { type EpochMs, formatTime } from '../../protocol/time.js';
import { openAsApprover, type SignedInBroker, withBroker } from '../open-broker.js';
import { exact, tell } from '../output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from '../verb.js';
import { BrokerLog } from './broker-log.js';
import { type ExportEnd, ExportFile, type ExportSink } from './export-file.js';
import { momentOf } from './moment.js';

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

Flags
  --after SEQ     begin after the entry of this number
  --since TIME    begin with the first entry of this time: 7d, 12h, 2026-11-01 or
                  2026-11-01T06:00:00Z
  --until TIME    end before the first entry of this time
  --key FILE      sign in with this key (COUNTERSIGN_KEY)${BROKER_FLAGS_HELP}

Without FILE the log goes to standard output. What begins later than with entry 1 can be
checked as a chain only: who could sign then stands before it.

Examples
  countersign audit export /backup/audit.jsonl
  countersign audit export --since 7d | jq -r 'select(.kind) | .kind' | sort | uniq -c
`,
  arguments: ['FILE?'],
  flags: { ...BROKER_FLAGS, key: 'text', after: 'text', since: 'text', until: 'text' },
  async run({ arguments: [path], flags, env }) {
    const now = Date.now();
    const range = {
      after: flags.after === undefined ? null : parseSeq(flags.after),
      since: flags.since === undefined ? null : momentOf('since', flags.since, now),
      until: flags.until === undefined ? null : momentOf('until', flags.until, now),
    };
    if (range.after !== null && range.since !== null) {
      throw new Problem('usage', '--after and --since both say where it begins', {
        hint: 'give one of them',
      });
    }
    return withBroker(openAsApprover(flags, env), async (broker) => {
      if (path === undefined) {
        await writeExport(broker, range, null, STANDARD_OUTPUT);
        return 0;
      }
      const { file, end } = ExportFile.open(path);
      try {
        const count = await writeExport(broker, range, end, file);
        tell(`wrote ${count === 1 ? '1 entry' : `${count} entries`} to ${exact(path)}`);
      } finally {
        file.close();
      }
      return 0;
    });
  },
});

const epochReply = z.object({ epoch: z.string() });

interface Range {
  readonly after: number | null;
  readonly since: EpochMs | null;
  readonly until: EpochMs | null;
}

/** @returns how many entries were written */
async function writeExport(
  broker: SignedInBroker,
  range: Range,
  end: ExportEnd | null,
  sink: ExportSink,
): Promise<number> {
  const log = new BrokerLog(broker);
  const begin = end === null ? await begun(broker, log, range, sink) : await goneOn(log, range, end);
  let count = 0;
  let isFirst = true;
  for await (const line of log.lines(begin.after, begin.headsAfter)) {
    if (line.kind === 'entry') {
      if (range.until !== null && line.entry.at >= range.until) break;
      if (isFirst && begin.hash !== null && line.entry.previous !== begin.hash) throw forked(line.entry.seq);
      isFirst = false;
      count += 1;
    }
    await sink.write(formatLine(line));
  }
  return count;
}

interface Begin {
  readonly after: number;
  readonly headsAfter: number;
  /** What the first entry must follow; null for anything. */
  readonly hash: string | null;
}

async function begun(
  { client, token }: SignedInBroker,
  log: BrokerLog,
  { after, since, until }: Range,
  sink: ExportSink,
): Promise<Begin> {
  const first = after ?? (since === null ? 0 : await log.before(since));
  const { name, key } = await client.call(brokerReply, { method: 'GET', path: '/v1/broker' });
  const epoch = await client.call(epochReply, { method: 'GET', path: '/v1/status', token });
  const header: ExportHeader = {
    'countersign-export': 1,
    broker: name,
    key,
    epoch: epoch.epoch,
    after: first,
    filter: null,
    until: until === null ? null : formatTime(until),
  };
  await sink.write(formatExportHeader(header));
  return { after: first, headsAfter: first, hash: null };
}

/** @throws Problem `usage`, `log-forked` */
async function goneOn(
  log: BrokerLog,
  range: Range,
  { header, last, hasHead, cut }: ExportEnd,
): Promise<Begin> {
  if (range.after !== null || range.since !== null) {
    throw new Problem('usage', 'the file says itself where the export goes on', {
      hint: 'leave --after and --since out, or name another file',
    });
  }
  if (header.filter !== null || header.until !== (range.until === null ? null : formatTime(range.until))) {
    throw new Problem('usage', 'the file holds an export that ends elsewhere, or a selection', {
      hint: 'name another file',
    });
  }
  if (cut > 0) tell(`cut off ${cut} bytes of a line that was not written to its end`);
  if (last === null) return { after: header.after, headsAfter: header.after, hash: null };
  const standing = await log.entry(last.seq);
  if (standing?.hash !== last.hash) throw forked(last.seq);
  return { after: last.seq, headsAfter: hasHead ? last.seq : last.seq - 1, hash: last.hash };
}

const forked = (seq: number): Problem =>
  new Problem(
    'log-forked',
    `the log of the broker is not the one in the file: entry ${seq} is another or gone`,
    {
      hint: 'keep the file; export to another one, and compare: countersign audit verify NEW --against OLD',
    },
  );

const formatLine = (line: ExportLine): string =>
  line.kind === 'entry' ? formatEntry(line.entry) : formatHead(line.text);

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
