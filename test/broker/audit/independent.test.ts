import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Verification } from '../../../broker/audit/verification.js';
import { auditLines } from '../../../broker/store/sqlite/audit-lines.js';
import {
  type ExportLine,
  formatEntry,
  formatExportHeader,
  formatHead,
} from '../../../src/protocol/audit-export.js';
import { parseAuditHead } from '../../../src/protocol/audit-head.js';
import type { LogEntry } from '../../../src/protocol/event-log.js';
import { parseSignedText } from '../../../src/protocol/receipt.js';
import { formatDecision, parseDecision } from '../../../src/protocol/statements.js';
import { describeWith } from '../../e2e/tools.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { livedLog } from './lived-log.js';
import { fingerprintOf, keys, type LogWorld, signedHead } from './log-world.js';
import { entriesOf, positionOf, randomNumbers, rehashed, replaced, resigned, withBody } from './tampering.js';

const SCRIPT = join(import.meta.dirname, '../../../scripts/verify-export');
const seed = Date.now() % 1_000_000;
const random = randomNumbers(seed);
const directory = mkdtempSync(join(tmpdir(), 'countersign-export-'));

let world: LogWorld;
let lines: readonly ExportLine[];

beforeAll(async () => {
  world = await livedLog(900);
  await world.signHead();
  await world.close();
  const database = new SqliteDatabase(world.file, { readonly: true });
  lines = [...auditLines(database)];
  database.close();
  console.log(`places are drawn with the seed ${seed}`);
}, 120_000);
afterAll(() => {
  world.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** What ssh-keygen and Python say of an export, and what this program does: the number of the first bad entry, or null. */
async function bothOf(
  log: readonly ExportLine[],
  ending = '\n',
): Promise<{ python: number | null; ours: number | null }> {
  const file = join(directory, 'export.jsonl');
  const { epoch } = world.store;
  const header = { broker: 'test', key: world.brokerKey.line, epoch, after: 0, filter: null, until: null };
  const texts = log.map((line) => (line.kind === 'entry' ? formatEntry(line.entry) : formatHead(line.text)));
  writeFileSync(
    file,
    [formatExportHeader({ 'countersign-export': 1, ...header }), ...texts].join('\n') + ending,
  );
  const known = fingerprintOf(world.firstKey);
  const python = await promisify(execFile)('python3', [SCRIPT, file, known]).then(
    ({ stdout }) => (stdout.startsWith('good: ') ? null : Number.NaN),
    ({ stderr }) => Number(/^entry (\d+) is bad: /.exec(stderr)?.[1]),
  );
  const verification = new Verification({
    after: 0,
    isSelection: false,
    pinned: [known],
    kept: [],
    mayEnd: false,
  });
  const whole = ending === '' ? log.slice(0, -1) : log;
  let ours: number | null = null;
  for (const line of whole) {
    ours ??= verification.line(line)?.seq ?? null;
    if (ours !== null) break;
  }
  return { python, ours: ours ?? verification.end(ending === '')?.seq ?? null };
}

const agreed = (seq: number | null) => ({ python: seq, ours: seq });
const resign = (log: readonly ExportLine[]) =>
  resigned(log, ({ seq, hash }, former) => {
    const { broker, signed } = parseAuditHead(parseSignedText(former).statement);
    const key = world.brokerKeys.find((one) => fingerprintOf(one) === broker) ?? world.brokerKey;
    return signedHead(key, world.store.epoch, seq, hash, signed);
  });

describeWith(
  ['python3', 'ssh-keygen'],
  'the script for whoever trusts none of this, and this program (A49)',
  () => {
    test('both find a genuine export good, and one that ends in the middle of a line bad there', async () => {
      expect(await bothOf(lines)).toEqual(agreed(null));
      const cut = lines.slice(0, positionOf(lines, 200) + 1);
      expect(await bothOf(cut, '')).toEqual(agreed(200));
    });

    test('both name the same entry, wherever one is deleted, edited, moved or emptied', async () => {
      const seq = 20 + random(400);
      const place = positionOf(lines, seq);
      const [one, next] = [lines[place], lines[place + 1]] as [ExportLine, ExportLine];
      expect(await bothOf(lines.toSpliced(place, 1)), `deleted ${seq}`).toEqual(agreed(seq));
      if (next.kind === 'entry')
        expect(await bothOf(lines.with(place, next).with(place + 1, one)), `moved ${seq}`).toEqual(
          agreed(seq),
        );
      const edit = (entry: LogEntry) => ({ ...entry, body: `${entry.body} ` });
      expect(await bothOf(replaced(lines, seq, edit)), `edited ${seq}`).toEqual(agreed(seq));
      expect(await bothOf(replaced(lines, seq, (entry) => ({ ...entry, at: entry.at + 1 })))).toEqual(
        agreed(seq),
      );
      const empty =
        entriesOf(lines).find((entry) => entry.seq > seq && entry.kind === 'request.reported')?.seq ?? 0;
      if (empty > 0)
        expect((await bothOf(replaced(lines, empty, (entry) => ({ ...entry, body: null })))).python).toBe(
          empty,
        );
    });

    test('both name the head that a chain made anew does not fit', async () => {
      const { seq } = entriesOf(lines).find(
        ({ kind, seq: number }) => kind === 'request.expired' && number > 100,
      ) as LogEntry;
      const anew = rehashed(
        replaced(lines, seq, (one) => withBody(one, (body) => ({ ...body, because: 'edited' }))),
      );
      const { python, ours } = await bothOf(anew);
      expect(python).toBe(ours);
      expect(python).toBeGreaterThanOrEqual(seq);
    });

    test.each([
      ['with a key that is nobody’s', {}, keys.erin],
      ['by somebody else', {}, keys.carol],
      ['for another request', { request: `sha256:${'0'.repeat(64)}` as never }, keys.bob],
    ] as const)(
      'both name a decision that was forged %s under the stolen key of the broker',
      async (_what, change, key) => {
        const vote = entriesOf(lines).find(
          ({ kind, seq, body }) =>
            kind === 'request.voted' && seq > 100 && body?.includes('approver: bob\\n'),
        ) as LogEntry;
        const { receipt } = JSON.parse(vote.body ?? '{}') as { receipt: string };
        const statement = formatDecision({ ...parseDecision(parseSignedText(receipt).statement), ...change });
        const forged = statement + signInSoftware(key, statement);
        const log = resign(
          replaced(lines, vote.seq, (one) => withBody(one, (body) => ({ ...body, receipt: forged }))),
        );
        expect(await bothOf(log)).toEqual(agreed(vote.seq));
      },
    );
  },
);
