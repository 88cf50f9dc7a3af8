import type { ExportLine } from '../../../src/protocol/audit-export.js';
import { canonicalJson } from '../../../src/protocol/canonical.js';
import { appendEntry, type ChainHead, GENESIS, type LogEntry } from '../../../src/protocol/event-log.js';
import type { JsonObject } from '../../../src/protocol/strict-json.js';

/** Numbers that look random, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

export const entriesOf = (lines: readonly ExportLine[]): readonly LogEntry[] =>
  lines.flatMap((line) => (line.kind === 'entry' ? [line.entry] : []));

/** Where the line of an entry stands. */
export const positionOf = (lines: readonly ExportLine[], seq: number): number =>
  lines.findIndex((line) => line.kind === 'entry' && line.entry.seq === seq);

export function replaced(
  lines: readonly ExportLine[],
  seq: number,
  change: (entry: LogEntry) => LogEntry,
): ExportLine[] {
  return lines.map((line) =>
    line.kind === 'entry' && line.entry.seq === seq ? { kind: 'entry', entry: change(line.entry) } : line,
  );
}

/** The entries with all hashes made anew, as whoever writes the database can; heads stay as they are. */
export function rehashed(lines: readonly ExportLine[]): ExportLine[] {
  let head: ChainHead = GENESIS;
  return lines.map((line) => {
    if (line.kind === 'head') return line;
    const entry = appendEntry(head, { ...line.entry, body: line.entry.body ?? '' });
    head = entry;
    return { kind: 'entry', entry };
  });
}

/** The same with heads for the new hashes, as whoever has the broker's key can. */
export function resigned(
  lines: readonly ExportLine[],
  sign: (head: ChainHead, former: string) => string,
): ExportLine[] {
  let last: ChainHead = GENESIS;
  return rehashed(lines).map((line) => {
    if (line.kind === 'head') return { kind: 'head', text: sign(last, line.text) };
    last = line.entry;
    return line;
  });
}

export function withBody(entry: LogEntry, change: (body: JsonObject) => JsonObject): LogEntry {
  return { ...entry, body: canonicalJson(change(JSON.parse(entry.body ?? '{}') as JsonObject)) };
}
