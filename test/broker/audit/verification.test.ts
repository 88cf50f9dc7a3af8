import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Verification, type VerificationOptions } from '../../../broker/audit/verification.js';
import { auditLines } from '../../../broker/store/sqlite/audit-lines.js';
import type { ExportLine } from '../../../src/protocol/audit-export.js';
import { livedLog } from './lived-log.js';
import { fingerprintOf, type LogWorld } from './log-world.js';

let world: LogWorld;
let lines: readonly ExportLine[];

beforeAll(async () => {
  world = await livedLog(10_000);
  await world.close();
  const database = new SqliteDatabase(world.file, { readonly: true });
  lines = [...auditLines(database)];
  database.close();
}, 120_000);
afterAll(() => world.remove());

/** Reads all of it, or up to what is found. */
function verify(log: readonly ExportLine[], options: Partial<VerificationOptions> = {}) {
  const pinned = [fingerprintOf(world.firstKey)];
  const whole = { after: 0, isSelection: false, pinned, kept: [], mayEnd: false };
  const verification = new Verification({ ...whole, ...options });
  for (const line of log) {
    const found = verification.line(line);
    if (found !== null) return { found, verified: verification.verified };
  }
  return { found: verification.end(), verified: verification.verified };
}

describe('a log of 10,000 entries that a broker has written (A49)', () => {
  test('holds, with every signature in it and every change of its people, up to the newest head', () => {
    const { found, verified } = verify(lines);
    expect(found).toBeNull();
    expect(verified.entries).toBeGreaterThan(10_000);
    expect(verified.unchecked).toEqual([]);
    expect(verified.signatures.decision).toBeGreaterThan(1_000);
    for (const count of Object.values({ ...verified.signatures, roster: 1 }))
      expect(count).toBeGreaterThan(0);
    expect(verified.attested?.seq).toBeGreaterThan(9_000);
  });
});
