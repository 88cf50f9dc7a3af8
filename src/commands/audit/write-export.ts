import {
  type ExportHeader,
  type ExportLine,
  formatEntry,
  formatExportHeader,
  formatHead,
} from '../../protocol/audit-export.js';
import type { LogEntry } from '../../protocol/event-log.js';
import { Problem } from '../../protocol/problems.js';
import { type EpochMs, formatTime } from '../../protocol/time.js';
import type { ExportEnd, ExportSink } from './export-file.js';

/** What is to be exported. */
export interface ExportRange {
  /** Begins after this entry; null for the first one. */
  readonly after: number | null;
  /** Begins with the first entry of this time; null for any. */
  readonly since: EpochMs | null;
  /** Ends before the first entry of this time; null for none. */
  readonly until: EpochMs | null;
  /** A filter of requests, and which those are; null for all entries. */
  readonly selection: { readonly filter: string; readonly requests: ReadonlySet<string> } | null;
}

/** The log that is exported. */
export interface ExportedLog {
  /** Entries after a number, each head after the entry that it names; heads of entries after `headsAfter` only. */
  lines(after: number, headsAfter: number): AsyncIterable<ExportLine>;
  entry(seq: number): Promise<LogEntry | null>;
  /** The number before the first entry of a time or later. */
  before(time: EpochMs): Promise<number>;
}

/** What the first line says of the broker. */
export type ExportOrigin = Pick<ExportHeader, 'broker' | 'key' | 'epoch'>;

interface Begin {
  readonly after: number;
  readonly headsAfter: number;
  /** What the first entry must follow; null for anything. */
  readonly hash: string | null;
}

/**
 * Writes an export, or goes on with one.
 *
 * @param end how far the one that stands there has got; null for a new one
 * @returns how many entries were written
 * @throws Problem `usage` where what stands there is another export, `log-forked` where the log does not continue it
 */
export async function writeExport(
  log: ExportedLog,
  origin: ExportOrigin,
  range: ExportRange,
  end: ExportEnd | null,
  sink: ExportSink,
): Promise<number> {
  const begin = end === null ? await begun(log, origin, range, sink) : await goneOn(log, range, end);
  let count = 0;
  let { hash } = begin;
  let isWritten = range.selection === null;
  for await (const line of log.lines(begin.after, begin.headsAfter)) {
    if (line.kind === 'entry') {
      const { entry } = line;
      if (range.until !== null && entry.at >= range.until) break;
      if (hash !== null && entry.previous !== hash) throw forked(entry.seq);
      hash = entry.hash;
      isWritten = isSelected(entry, range);
      if (isWritten) count += 1;
    }
    // A head is about the entry before it, which may have been left out.
    if (isWritten) await sink.write(formatLine(line));
  }
  return count;
}

/** What people, keys and policy were is part of every selection: nothing of it could be verified without. */
const isSelected = ({ kind, request }: LogEntry, { selection }: ExportRange): boolean =>
  selection === null || !/^request(?:er)?\./.test(kind) || selection.requests.has(request ?? '');

async function begun(
  log: ExportedLog,
  origin: ExportOrigin,
  { after, since, until, selection }: ExportRange,
  sink: ExportSink,
): Promise<Begin> {
  const first = after ?? (since === null ? 0 : await log.before(since));
  const header: ExportHeader = {
    'countersign-export': 1,
    ...origin,
    after: first,
    filter: selection?.filter ?? null,
    until: timeText(until),
  };
  await sink.write(formatExportHeader(header));
  return { after: first, headsAfter: first, hash: null };
}

async function goneOn(
  log: ExportedLog,
  { after, since, until, selection }: ExportRange,
  { header, last, hasHead }: ExportEnd,
): Promise<Begin> {
  if (after !== null || since !== null) {
    throw new Problem('usage', 'the file says itself where the export goes on', {
      hint: 'leave --after and --since out, or name another file',
    });
  }
  if (header.filter !== null || selection !== null || header.until !== timeText(until)) {
    throw new Problem('usage', 'the file holds a selection, or an export that ends elsewhere', {
      hint: 'name another file: only an export of everything from a number on is gone on with',
    });
  }
  if (last === null) return { after: header.after, headsAfter: header.after, hash: null };
  const standing = await log.entry(last.seq);
  if (standing?.hash !== last.hash) throw forked(last.seq);
  return { after: last.seq, headsAfter: hasHead ? last.seq : last.seq - 1, hash: last.hash };
}

const timeText = (time: EpochMs | null): string | null => (time === null ? null : formatTime(time));

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
