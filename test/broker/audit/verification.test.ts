import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Comparison } from '../../../broker/audit/comparison.js';
import type { Finding } from '../../../broker/audit/finding.js';
import { Verification, type VerificationOptions } from '../../../broker/audit/verification.js';
import { auditLines } from '../../../broker/store/sqlite/audit-lines.js';
import { type ExportLine, formatEntry } from '../../../src/protocol/audit-export.js';
import { parseAuditHead } from '../../../src/protocol/audit-head.js';
import { hashEntry, type LogEntry } from '../../../src/protocol/event-log.js';
import { parseSignedText } from '../../../src/protocol/receipt.js';
import { type Decision, formatDecision, parseDecision } from '../../../src/protocol/statements.js';
import { type SoftwareKey, signInSoftware } from '../../ssh/software-keys.js';
import { livedLog } from './lived-log.js';
import { fingerprintOf, keys, LogWorld, name, signedHead } from './log-world.js';
import { entriesOf, positionOf, randomNumbers, rehashed, replaced, resigned, withBody } from './tampering.js';

// Each test reads 10,000 entries many times, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let world: LogWorld;
let lines: readonly ExportLine[];
let entries: readonly LogEntry[];
const seed = Date.now() % 1_000_000;
const random = randomNumbers(seed);

beforeAll(async () => {
  world = await livedLog(10_000);
  await world.close();
  const database = new SqliteDatabase(world.file, { readonly: true });
  lines = [...auditLines(database)];
  database.close();
  entries = entriesOf(lines);
  console.log(`places are drawn with the seed ${seed}`);
}, 120_000);
afterAll(() => world.remove());

/** Reads all of it, or up to what is found. */
function verify(
  log: Iterable<ExportLine>,
  options: Partial<VerificationOptions> = {},
  against: readonly LogEntry[] | null = null,
) {
  const pinned = [fingerprintOf(world.firstKey)];
  const verification = new Verification({
    after: 0,
    isSelection: false,
    pinned,
    kept: [],
    mayEnd: false,
    ...options,
  });
  const comparison = against === null ? null : new Comparison(against);
  const found = (): Finding | null => {
    for (const line of log) {
      const bad =
        verification.line(line) ?? (line.kind === 'entry' ? (comparison?.step(line.entry) ?? null) : null);
      if (bad !== null) return bad;
    }
    return verification.end() ?? comparison?.end(verification.verified.head.seq) ?? null;
  };
  return { found: found(), verified: verification.verified };
}

const badAt = (log: Iterable<ExportLine>, options?: Partial<VerificationOptions>): number | undefined =>
  verify(log, options).found?.seq;

/** From the second entry to the one before the last. */
const somewhere = (): number => 2 + random(entries.length - 3);
const at = (seq: number): LogEntry => entries[seq - 1] as LogEntry;

/** The newest of an entry's heads, or of one before it; 0 for none. */
const headBefore = (seq: number): number => Math.max(0, ...headNumbers().filter((head) => head < seq));
const headFrom = (seq: number): number => Math.min(...headNumbers().filter((head) => head >= seq));
const headNumbers = (): number[] =>
  lines.flatMap((line) => (line.kind === 'head' ? [headOf(line.text).seq] : []));
const headOf = (text: string) => parseAuditHead(parseSignedText(text).statement);

describe('a log of 10,000 entries that a broker has written (A49)', () => {
  test('holds, with every signature in it and every change of its people, up to the newest head', () => {
    const { found, verified } = verify(lines);
    expect(found).toBeNull();
    expect(verified.entries).toBeGreaterThan(10_000);
    expect(verified.unchecked.filter(({ what }) => !what.includes('after the newest head'))).toEqual([]);
    expect(verified.signatures.decision).toBeGreaterThan(1_000);
    for (const count of Object.values({ ...verified.signatures, roster: 1 }))
      expect(count).toBeGreaterThan(0);
    expect(verified.attested?.seq).toBeGreaterThan(9_000);
  });

  test('is bad at exactly the entry that was deleted, edited, moved or put in, wherever that was', () => {
    for (let tries = 0; tries < 3; tries += 1) {
      const seq = somewhere();
      const place = positionOf(lines, seq);
      const other = positionOf(lines, seq + 1);
      expect(badAt(lines.toSpliced(place, 1)), `deleted ${seq}`).toBe(seq);
      expect(
        badAt(lines.with(place, lines[other] as ExportLine).with(other, lines[place] as ExportLine)),
        `swapped ${seq}`,
      ).toBe(seq);
      expect(
        badAt(lines.toSpliced(place, 0, lines[place - 1] as ExportLine)),
        `twice ${seq - 1}`,
      ).toBeLessThanOrEqual(seq);
      const fields = ['at', 'kind', 'request', 'body', 'digest', 'previous', 'hash'] as const;
      const field = fields[random(fields.length)] ?? 'at';
      const edit = (entry: LogEntry) => ({
        ...entry,
        [field]: field === 'at' ? entry.at + 1 : `${entry[field]}0`,
      });
      expect(badAt(replaced(lines, seq, edit)), `${field} of ${seq}`).toBe(seq);
    }
  });

  test('is bad at the first missing entry where its end is gone and a head tells of more', () => {
    for (let tries = 0; tries < 3; tries += 1) {
      const seq = somewhere();
      const heads = lines.filter((line) => line.kind === 'head' && headOf(line.text).seq > seq);
      const cut = [...lines.slice(0, positionOf(lines, seq)), ...heads];
      if (heads.length > 0) expect(badAt(cut), `cut at ${seq}`).toBe(seq);
      const kept = entries.slice(-1).map(keptHead);
      const { found } = verify(lines.slice(0, positionOf(lines, seq)), { kept, pinned: [] });
      expect(found, `cut at ${seq}`).toMatchObject({ seq, fault: 'truncated' });
      expect(
        verify(lines.slice(0, positionOf(lines, seq)), { kept, pinned: [], mayEnd: true }).found,
      ).toBeNull();
    }
  });

  test('is bad where a body is gone that no entry says was erased', () => {
    const seq =
      entries.find((entry) => entry.seq > somewhere() && entry.kind === 'request.submitted')?.seq ?? 0;
    expect(verify(replaced(lines, seq, (entry) => ({ ...entry, body: null }))).found).toMatchObject({
      seq,
      fault: 'body-gone',
    });
    // What passed under a grant that is gone is not taken for what an honest broker would not have written.
    const passed = entries.find(
      ({ kind, body }) => kind === 'request.approved' && body?.includes('"grant":'),
    );
    const { grant } = JSON.parse(passed?.body ?? '{}');
    const given = entries.find(({ request }) => request === grant)?.seq ?? 0;
    expect(verify(replaced(lines, given, (entry) => ({ ...entry, body: null }))).found).toMatchObject({
      seq: given,
      fault: 'body-gone',
    });
    const roster = entries.findLast(({ kind }) => kind === 'roster.changed')?.seq ?? 0;
    expect(badAt(replaced(lines, roster, (entry) => ({ ...entry, body: null })))).toBe(roster);
  });
});

const keptHead = ({ seq, hash }: LogEntry) => ({
  seq,
  hash: `sha256:${hash}` as never,
  epoch: world.store.epoch,
  signed: 0,
});

describe('a log that was changed and all of whose hashes were made anew (A49)', () => {
  /** Reports and expiries tell nothing that somebody signed: only hashes speak for them. */
  const edited = () => {
    const from = somewhere();
    const entry =
      entries.find(({ seq, kind }) => seq >= from && kind === 'request.reported') ??
      at(entries.findLast(({ kind }) => kind === 'request.reported')?.seq ?? 1);
    return {
      seq: entry.seq,
      log: rehashed(
        replaced(lines, entry.seq, (one) => withBody(one, (body) => ({ ...body, code: 'edited' }))),
      ),
    };
  };

  test('is bad between the last head that fits and the first that does not', () => {
    for (let tries = 0; tries < 2; tries += 1) {
      const { seq, log } = edited();
      const { found } = verify(log);
      expect(found, `edited ${seq}`).toMatchObject({
        fault: 'forked',
        from: headBefore(seq) + 1,
        seq: headFrom(seq),
      });
    }
  });

  test('is bad at exactly the first other entry, beside another export', () => {
    for (let tries = 0; tries < 2; tries += 1) {
      const { seq, log } = edited();
      expect(verify(log, {}, entries).found, `edited ${seq}`).toMatchObject({
        fault: 'forked',
        seq,
        from: seq,
      });
      expect(verify(lines, {}, entries.slice(0, seq)).found).toBeNull();
    }
    const short = lines.slice(0, positionOf(lines, headNumbers().at(-1) ?? 0) + 2);
    const last = entriesOf(short).length;
    expect(verify(short, {}, entries).found).toMatchObject({ fault: 'truncated', seq: last + 1 });
  });

  test('is bad where a head that this machine kept says another hash, whoever signed the new ones', () => {
    const { seq, log } = edited();
    const isNew = resignedBy(log);
    expect(verify(isNew).found).toBeNull();
    const kept = [at(seq - 1), at(Math.min(seq + 50, entries.length))].map(keptHead);
    expect(verify(isNew, { kept }).found).toMatchObject({ fault: 'forked', from: seq, seq: kept[1]?.seq });
  });

  test('is bad at its first head where another key signs it, and where nobody vouches for a new key', () => {
    const stranger = keys.erin;
    const [first] = headNumbers();
    const foreign = resigned(lines, ({ seq, hash }, former) =>
      signedHead(stranger, world.store.epoch, seq, hash, headOf(former).signed),
    );
    expect(verify(foreign).found).toMatchObject({ fault: 'unknown-key', seq: first });
    const handed = entries.find(({ kind, seq }) => kind === 'broker.key' && seq > 100) as LogEntry;
    const unsigned = rehashed(
      replaced(lines, handed.seq, (entry) => withBody(entry, () => ({ key: stranger.line, handover: null }))),
    );
    expect(verify(resignedBy(unsigned)).found).toMatchObject({ fault: 'unknown-key', seq: handed.seq });
    expect(verify(lines, { pinned: [fingerprintOf(stranger)] }).found).toMatchObject({
      fault: 'unknown-key',
    });
  });
});

/** As by a thief of all keys that the broker had. */
function resignedBy(log: readonly ExportLine[]): ExportLine[] {
  return resigned(log, ({ seq, hash }, former) => {
    const { broker, signed } = headOf(former);
    const key = world.brokerKeys.find((one) => fingerprintOf(one) === broker) as SoftwareKey;
    return signedHead(key, world.store.epoch, seq, hash, signed);
  });
}

describe('a forged decision in a log that is perfect otherwise, signed with the key of the broker (A49, A51)', () => {
  /** A vote of bob, after somebody has come and gone: while he is there only changes are voted on by bob. */
  const vote = () => {
    const from = 1_000 + random(2_000);
    const entry = entries.find(
      ({ seq, kind, body }) =>
        seq > from &&
        kind === 'request.voted' &&
        body?.includes('approver: bob\\n') &&
        body.includes('door: host:web-1\\n'),
    );
    if (entry === undefined) throw new Error('no vote');
    return { entry, decision: parseDecision(parseSignedText(receiptOf(entry)).statement) };
  };
  const receiptOf = ({ body }: LogEntry): string => JSON.parse(body ?? '{}').receipt;

  const forged = (
    entry: LogEntry,
    decision: Decision,
    key: SoftwareKey,
    namespace = 'decision@countersign',
  ) => {
    const statement = formatDecision(decision);
    const receipt = statement + signInSoftware(key, statement, { namespace });
    return resignedBy(
      replaced(lines, entry.seq, (one) =>
        withBody(one, (body) => ({ ...body, approver: decision.approver, receipt })),
      ),
    );
  };

  test.each([
    ['with a key that is nobody’s', () => ({}), keys.erin],
    ['by somebody else in his name', () => ({}), keys.carol],
    ['by one who had left the roster before', () => ({ approver: name('dave') }), keys.dave],
    ['for another request', () => ({ request: `sha256:${'0'.repeat(64)}` as never }), keys.bob],
    ['for another scope', () => ({ scope: `sha256:${'0'.repeat(64)}` as never }), keys.bob],
    ['for another door', () => ({ door: name('host:other') }), keys.bob],
    ['for another requester', () => ({ requester: name('mallory') }), keys.bob],
    ['under another rule', () => ({ policy: `sha256:${'0'.repeat(64)}` as never }), keys.bob],
    ['for another broker', () => ({ broker: fingerprintOf(keys.erin) }), keys.bob],
    [
      'that was over when it was counted',
      (d: Decision) => ({ decided: d.decided - 1_000_000, notAfter: d.decided - 100_000 }),
      keys.bob,
    ],
    ['that was signed hours before', (d: Decision) => ({ decided: d.decided - 7_200_000 }), keys.bob],
    ['that is a no', () => ({ verdict: 'deny' as const }), keys.bob],
    ['of the requester himself', () => ({ approver: name('alice') }), keys.alice],
  ] as const)('%s is the first bad entry', (_what, change, key) => {
    const { entry, decision } = vote();
    const log = forged(entry, { ...decision, ...change(decision) }, key);
    expect(verify(log).found).toMatchObject({ fault: 'invalid', seq: entry.seq });
  });

  test('is found in the right place with a signature of another verb too, and the genuine one is good', () => {
    const { entry, decision } = vote();
    expect(badAt(forged(entry, decision, keys.bob, 'revoke@countersign'))).toBe(entry.seq);
    expect(badAt(forged(entry, decision, keys.bob))).toBeUndefined();
  });

  test.each([
    [
      'with another secret',
      (statement: string) => statement.replace(/^secret: .*$/m, `secret: ${'0'.repeat(64)}`),
      keys.host,
    ],
    ['by a key that is no submitter’s', (statement: string) => statement, keys.bob],
  ] as const)(
    'a request that was needed cannot be called a canary afterwards, %s (A33)',
    (_what, change, key) => {
      const entry = entries.find(({ kind, seq }) => kind === 'request.canary' && seq > 500) as LogEntry;
      const statement = change(parseSignedText(JSON.parse(entry.body ?? '{}').statement).statement);
      const signed = statement + signInSoftware(key, statement, { namespace: 'canary@countersign' });
      const log = resignedBy(
        replaced(lines, entry.seq, (one) => withBody(one, (body) => ({ ...body, statement: signed }))),
      );
      expect(verify(log).found).toMatchObject({ fault: 'invalid', seq: entry.seq });
    },
  );

  test('what a door has used cannot be called a canary, nor what nobody asked (A33)', () => {
    const entry = entries.find(({ kind, seq }) => kind === 'request.canary' && seq > 500) as LogEntry;
    const used = entries.find(({ kind, seq }) => kind === 'request.redeemed' && seq < entry.seq) as LogEntry;
    for (const id of [used.request ?? '', '01KG9Z8QW5ZZZZZZZZZZZZZZZZ']) {
      const moved = (one: LogEntry) => ({ ...withBody(one, (body) => ({ ...body, id })), request: id });
      expect(badAt(resignedBy(replaced(lines, entry.seq, moved))), id).toBe(entry.seq);
    }
  });

  test('is not needed: an approval whose votes do not meet its rule is bad', () => {
    const approved = entries.find(
      ({ kind, body }) =>
        kind === 'request.approved' && body?.includes('"carol":{}') && body.includes('"bob"'),
    );
    const cut = (entry: LogEntry) =>
      withBody(entry, (body) => ({ ...body, counted: { bob: { oncall: 'roster' } } }));
    const seq = approved?.seq ?? 0;
    expect(verify(resignedBy(replaced(lines, seq, cut))).found).toMatchObject({ fault: 'invalid', seq });
    const alone = (entry: LogEntry) =>
      withBody(entry, ({ id, digest }) => ({ id: id ?? '', digest: digest ?? '', automatic: true }));
    expect(badAt(resignedBy(replaced(lines, seq, alone)))).toBe(seq);
  });

  test.each([
    ['request.commented', 'dave', 'of nobody who was in the roster'],
    ['request.escalated', 'dave', 'by nobody who was in the roster'],
    ['request.escalated', 'alice', 'by who asked'],
  ] as const)('is not needed: a %s %s is bad, %s', (kind, who, _why) => {
    const entry = entries.find((one) => one.kind === kind) as LogEntry;
    const other = (one: LogEntry) => withBody(one, (body) => ({ ...body, approver: who }));
    expect(badAt(resignedBy(replaced(lines, entry.seq, other)))).toBe(entry.seq);
  });

  test('is not needed: a comment on a request that has ended is bad', () => {
    const entry = entries.find((one) => one.kind === 'request.commented') as LogEntry;
    const ended = entries.find((one) => one.kind === 'request.denied' && one.seq < entry.seq) as LogEntry;
    const moved = (one: LogEntry) => ({
      ...withBody(one, (body) => ({ ...body, id: ended.request ?? '' })),
      request: ended.request,
    });
    expect(badAt(resignedBy(replaced(lines, entry.seq, moved)))).toBe(entry.seq);
  });

  test('is not needed: a person whom nobody has approved is bad, and one with other keys than were approved', () => {
    const change = entries.find(
      ({ kind, body }) => kind === 'roster.changed' && body?.includes('"request"') && body.includes('"add"'),
    ) as LogEntry;
    const unasked = (entry: LogEntry) => withBody(entry, ({ request: _request, ...body }) => body);
    expect(badAt(resignedBy(replaced(lines, change.seq, unasked)))).toBe(change.seq);
    const other = (entry: LogEntry): LogEntry => ({
      ...entry,
      body: entry.body?.replaceAll(keys.dave.line, keys.erin.line) ?? null,
    });
    expect(badAt(resignedBy(replaced(lines, change.seq, other)))).toBe(change.seq);
  });
});

describe('a database whose triggers somebody has dropped (A49)', () => {
  /** A copy of the file, changed by SQL. */
  const changed = (sql: string): Generator<ExportLine> => {
    const directory = mkdtempSync(join(tmpdir(), 'countersign-tampered-'));
    const file = join(directory, 'broker.db');
    copyFileSync(world.file, file);
    const database = new SqliteDatabase(file);
    onTestFinished(() => {
      database.close();
      rmSync(directory, { recursive: true, force: true });
    });
    database.exec(
      `PRAGMA foreign_keys = OFF; DROP TRIGGER events_are_not_edited; DROP TRIGGER events_are_not_deleted; ${sql}`,
    );
    return auditLines(database);
  };

  test('names the first entry that was deleted, edited, swapped or cut', () => {
    const seq = somewhere();
    expect(badAt(changed(`DELETE FROM events WHERE seq = ${seq}`)), `deleted ${seq}`).toBe(seq);
    expect(
      badAt(changed(`UPDATE events SET body = replace(body, '"', '" ') WHERE seq = ${seq}`)),
      `edited ${seq}`,
    ).toBe(seq);
    expect(badAt(changed(`UPDATE events SET at = at + 1 WHERE seq = ${seq}`)), `edited ${seq}`).toBe(seq);
    expect(badAt(changed(`UPDATE events SET body = '' WHERE seq = ${seq}`)), `emptied ${seq}`).toBe(seq);
    const swap = `UPDATE events SET seq = -1 WHERE seq = ${seq}; UPDATE events SET seq = ${seq} WHERE seq = ${seq + 1}; UPDATE events SET seq = ${seq + 1} WHERE seq = -1`;
    expect(badAt(changed(swap)), `swapped ${seq}`).toBe(seq);
    const cut = 1 + random(headNumbers().at(-1) ?? 1);
    expect(badAt(changed(`DELETE FROM events WHERE seq >= ${cut}`)), `cut at ${cut}`).toBe(cut);
  });

  test('names the stretch between two heads for a row whose chain was made anew', () => {
    const { seq } = entries.findLast(
      ({ kind, seq: number }) => kind === 'request.reported' && number < (headNumbers().at(-1) ?? 0),
    ) as LogEntry;
    const anew = entriesOf(
      rehashed(replaced(lines, seq, (one) => withBody(one, (body) => ({ ...body, code: 'edited' })))),
    );
    const quoted = (text: string | null): string => `'${(text ?? '').replaceAll("'", "''")}'`;
    const sql = anew
      .slice(seq - 1)
      .map(
        ({ seq: number, hash, digest, body }) =>
          `UPDATE events SET hash = x'${hash}', digest = x'${digest}', body = ${quoted(body)} WHERE seq = ${number};`,
      );
    expect(verify(changed(sql.join('\n'))).found).toMatchObject({
      fault: 'forked',
      from: headBefore(seq) + 1,
      seq: headFrom(seq),
    });
  });
});

test('a hash that is made to fit an edited entry shows at the one after it', () => {
  const seq = somewhere();
  const edit = (entry: LogEntry): LogEntry => {
    const changed = { ...entry, at: entry.at + 1 };
    return { ...changed, hash: hashEntry(changed) };
  };
  const found = verify(replaced(lines, seq, edit)).found;
  expect([seq, seq + 1]).toContain(found?.seq);
  expect(formatEntry(at(seq))).toContain(`"seq":${seq}`);
});

test('a part of a log that begins later is checked as a chain, and says what it depends on', () => {
  const begin = positionOf(lines, 5_000) + 1;
  const { found, verified } = verify(lines.slice(begin), { after: 5_000, pinned: [] });
  expect(found).toBeNull();
  expect(verified.unchecked.map(({ what }) => what)).toContain('what depends on entries that are not here');
  expect(badAt(lines.toSpliced(positionOf(lines, 6_000), 1).slice(begin), { after: 5_000, pinned: [] })).toBe(
    6_000,
  );
});

test('any part of a log holds, also one that begins before a signed roster or a new key of the broker', async () => {
  const short = await LogWorld.open();
  onTestFinished(() => short.remove());
  const asked = await short.submit('two');
  await short.signRoster('bob');
  await short.decide(asked, 'bob');
  await short.signHead();
  await short.rotate();
  await short.decide(asked, 'carol', { broker: fingerprintOf(short.firstKey) });
  await short.redeem(asked);
  await short.signHead();
  await short.close();
  const database = new SqliteDatabase(short.file, { readonly: true });
  const all = [...auditLines(database)];
  database.close();
  const last = entriesOf(all).length;
  expect(entriesOf(all).map(({ kind }) => kind)).toContain('roster.signed');
  for (let after = 0; after < last; after += 1) {
    const begin = positionOf(all, after + 1);
    expect(verify(all.slice(begin), { after, pinned: [] }).found, `after ${after}`).toBeNull();
  }
});

test('what nobody can tell from a log is said: other kinds, a clock that went back, an end without a head', async () => {
  const short = await LogWorld.open();
  onTestFinished(() => short.remove());
  await short.signHead();
  await short.pass(3600);
  await short.submit('plain');
  await short.store.record({ kind: 'moon.rose' as never, at: short.now - 60_000, body: { id: 'x' } });
  await short.pass(400);
  await short.submit('plain');
  await short.close();
  const database = new SqliteDatabase(short.file, { readonly: true });
  onTestFinished(() => void database.close());
  const { found, verified } = verify(auditLines(database), { pinned: [] });
  expect(found).toBeNull();
  expect(verified.unchecked.map(({ what }) => what)).toEqual([
    'when things happened: the clock of the broker went back',
    'entries of kinds that this version does not know',
    'entries after the newest head, signed 2026-01-31T12:00:00Z: they could be made anew',
  ]);
});
