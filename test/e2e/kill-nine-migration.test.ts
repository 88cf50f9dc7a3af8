import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MIGRATIONS, migrate } from '../../broker/store/sqlite/migrations.js';

const MIGRATOR = fileURLToPath(new URL('./kill-nine-migrator.ts', import.meta.url));
const ROWS = 20_000;
const NEWEST = MIGRATIONS.length + 1;

let directory: string;
let file: string;
let copy: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-migration-'));
  file = join(directory, 'broker.db');
  copy = `${file}.before-2`;
  const database = new SqliteDatabase(join(directory, 'first'));
  migrate(database, MIGRATIONS.slice(0, 1));
  database.exec(`
    INSERT INTO store (epoch) VALUES ('e');
    WITH RECURSIVE count (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM count WHERE n < ${ROWS})
    INSERT INTO requests (n, id, digest, submitter, scope, state, requester, resource, submitted_at, canonical, rule,
      policy, life)
    SELECT n, printf('%026d', n), randomblob(32), 'ci', randomblob(32), 'denied', 'alice', 'orders', n,
      hex(randomblob(200)), 'rule', randomblob(32), '{}' FROM count;
  `);
  database.close();
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  for (const ending of ['', '-wal', '-shm', '.before-2', '.before-2.unfinished']) {
    rmSync(file + ending, { force: true });
  }
  copyFileSync(join(directory, 'first'), file);
});

/** Runs the migration; killed at a step, after some milliseconds, or not at all. */
async function run({ step = 0, after }: { step?: number; after?: number } = {}): Promise<string | null> {
  const child = spawn(process.execPath, [MIGRATOR, file, String(step)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const timer = after === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), after);
  await once(child, 'close');
  clearTimeout(timer);
  return child.signalCode;
}

/** The form that a database has, and that it is whole in that form. */
function formOf(path: string): 'old' | 'new' {
  const database = new SqliteDatabase(path);
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    const version = database.pragma('user_version', { simple: true });
    const isNew = version === NEWEST;
    expect([1, NEWEST]).toContain(version);
    const count = (sql: string) => database.prepare(sql).pluck().get();
    expect(count('SELECT count(*) FROM requests')).toBe(ROWS);
    expect(count("SELECT count(*) FROM requests WHERE rule = 'rule changed'")).toBe(isNew ? ROWS : 0);
    for (const table of ['outbox', 'later']) {
      expect(count(`SELECT count(*) FROM sqlite_schema WHERE name = '${table}'`)).toBe(isNew ? 1 : 0);
    }
    return isNew ? 'new' : 'old';
  } finally {
    database.close();
  }
}

test('killed between any two steps, the file has its old form, the copy is whole, and the next start does all', async () => {
  for (let step = 2; step <= NEWEST + 1; step += 1) {
    expect(await run({ step })).toBe('SIGKILL');
    expect([formOf(file), formOf(copy)]).toEqual(['old', 'old']);
  }
  expect(await run()).toBeNull();
  expect([formOf(file), formOf(copy)]).toEqual(['new', 'old']);
});

test('killed at any moment, the file has its old form or its new one', async () => {
  for (let kills = 0; kills < 12; kills += 1) {
    const signal = await run({ after: randomInt(60, 500) });
    const form = formOf(file);
    if (signal === null) expect(form).toBe('new');
    if (existsSync(copy)) expect(formOf(copy)).toBe('old');
    if (form === 'new') copyFileSync(join(directory, 'first'), file);
  }
  if (formOf(file) === 'old') expect(await run()).toBeNull();
});
