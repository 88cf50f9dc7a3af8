import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ExportFile } from '../../../src/commands/audit/export-file.js';
import { type ExportedLog, type ExportRange, writeExport } from '../../../src/commands/audit/write-export.js';
import { type ExportLine, parseExportLine } from '../../../src/protocol/audit-export.js';
import { appendEntry, GENESIS, type LogEntry } from '../../../src/protocol/event-log.js';
import { Problem } from '../../../src/protocol/problems.js';

const directory = mkdtempSync(join(tmpdir(), 'countersign-export-'));
const file = join(directory, 'audit.jsonl');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const ORIGIN = { broker: 'prüfstand', key: 'ssh-ed25519 AAAA', epoch: '0'.repeat(32) };
const ALL: ExportRange = { after: null, since: null, until: null, selection: null };

function chain(count: number, word = 'ünï'): LogEntry[] {
  const entries: LogEntry[] = [];
  for (let seq = 1; seq <= count; seq += 1) {
    const kind = seq % 3 === 0 ? 'roster.changed' : 'request.submitted';
    const content = {
      at: seq * 1000,
      kind,
      request: seq % 3 === 0 ? null : `R${seq % 2}`,
      body: `{"w":"${word}"}`,
    };
    entries.push(appendEntry(entries.at(-1) ?? GENESIS, content));
  }
  return entries;
}

/** A log with a head after each second entry. */
class Log implements ExportedLog {
  readonly #entries: readonly LogEntry[];

  constructor(entries: readonly LogEntry[]) {
    this.#entries = entries;
  }

  async *lines(after: number, headsAfter: number): AsyncGenerator<ExportLine> {
    const headOf = (seq: number): ExportLine[] =>
      seq > headsAfter && seq % 2 === 0 ? [{ kind: 'head', text: `head of ${seq}` }] : [];
    yield* headOf(after);
    for (const entry of this.#entries.slice(after)) {
      yield { kind: 'entry', entry };
      yield* headOf(entry.seq);
    }
  }

  async entry(seq: number): Promise<LogEntry | null> {
    return this.#entries[seq - 1] ?? null;
  }

  async before(time: number): Promise<number> {
    return this.#entries.filter(({ at }) => at < time).length;
  }
}

async function exportTo(log: Log, range: Partial<ExportRange> = {}): Promise<number> {
  const { file: sink, end } = ExportFile.open(file);
  try {
    return await writeExport(log, ORIGIN, { ...ALL, ...range }, end, sink);
  } finally {
    sink.close();
  }
}

const codeOf = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );
const linesOf = (): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
const numbers = (): (number | string)[] =>
  linesOf()
    .slice(1)
    .map(parseExportLine)
    .map((line) => (line.kind === 'entry' ? line.entry.seq : line.text));

describe('an export to a file', () => {
  test('that was killed at any byte goes on there, and ends the same as one that was not', async () => {
    const log = new Log(chain(4));
    rmSync(file, { force: true });
    await exportTo(log);
    const whole = readFileSync(file);
    for (let bytes = whole.length; bytes >= 0; bytes -= 1) {
      writeFileSync(file, whole.subarray(0, bytes));
      await exportTo(log);
      if (!readFileSync(file).equals(whole)) expect.fail(`killed after ${bytes} bytes`);
    }
  });

  test('is gone on with as the log grows, each entry and head once', async () => {
    rmSync(file, { force: true });
    const entries = chain(6);
    for (let count = 1; count <= 6; count += 1) await exportTo(new Log(entries.slice(0, count)));
    expect(await exportTo(new Log(entries))).toBe(0);
    expect(numbers()).toEqual([1, 2, 'head of 2', 3, 4, 'head of 4', 5, 6, 'head of 6']);
  });

  test('is not gone on with by a log that is another, or shorter (A49)', async () => {
    rmSync(file, { force: true });
    await exportTo(new Log(chain(5)));
    const before = readFileSync(file);
    expect(await codeOf(exportTo(new Log(chain(6, 'other'))))).toBe('log-forked');
    expect(await codeOf(exportTo(new Log(chain(4))))).toBe('log-forked');
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('says where it goes on itself, and is never mixed with a part of the log', async () => {
    rmSync(file, { force: true });
    await exportTo(new Log(chain(5)));
    const selection = { filter: 'id:r1', requests: new Set(['R1']) };
    for (const range of [{ after: 2 }, { since: 2000 }, { until: 3000 }, { selection }]) {
      expect(await codeOf(exportTo(new Log(chain(6)), range))).toBe('usage');
    }
    truncateSync(file, 0);
    writeFileSync(file, 'something else\n');
    expect(await codeOf(exportTo(new Log(chain(6))))).toBe('malformed-export');
  });
});

describe('a part of a log', () => {
  const part = async (range: Partial<ExportRange>) => {
    rmSync(file, { force: true });
    await exportTo(new Log(chain(7)), range);
    return numbers();
  };

  test('begins after a number or with a time, and ends before a time', async () => {
    expect(await part({ after: 4 })).toEqual([5, 6, 'head of 6', 7]);
    expect(await part({ since: 6000 })).toEqual([6, 'head of 6', 7]);
    expect(await part({ since: 2500, until: 5000 })).toEqual([3, 4, 'head of 4']);
    expect(JSON.parse(linesOf()[0] ?? '')).toMatchObject({
      after: 2,
      until: '1970-01-01T00:00:05Z',
      filter: null,
    });
  });

  test('is of the requests that were selected, with what people and keys were, and heads of what is there', async () => {
    const selection = { filter: 'id:r1', requests: new Set(['R1']) };
    expect(await part({ selection })).toEqual([1, 3, 5, 6, 'head of 6', 7]);
    expect(JSON.parse(linesOf()[0] ?? '')).toMatchObject({ filter: 'id:r1' });
  });
});
