import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  checkNothingElse,
  checkSchema,
  MIGRATIONS,
  migrate,
} from '../../../broker/store/sqlite/migrations.js';
import { openSqliteStore } from '../../../broker/store/sqlite/open.js';
import { denied, NOON, newRequest, put, StoreWorld, submit, temporaryDirectory } from './store-world.js';

const open = (directory: string) =>
  openSqliteStore({ directory, clock: () => NOON, random: (bytes) => Buffer.alloc(bytes, 7) });

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('opening', () => {
  it('makes a private directory with private files, and starts the log with the epoch', async () => {
    const directory = join(temporaryDirectory(), 'a', 'b');
    const store = await open(directory);
    expect(store.epoch).toBe('07'.repeat(16));
    expect(store.seq).toBe(1);
    await submit(store, newRequest());
    expect(mode(directory)).toBe(0o700);
    const files = readdirSync(directory);
    expect(files).toEqual(expect.arrayContaining(['broker.db', 'broker.db-wal', 'broker.lock']));
    for (const file of files) expect([file, mode(join(directory, file))]).toEqual([file, 0o600]);
    await store.close();
    expect(existsSync(join(directory, 'broker.db-wal'))).toBe(false);
  });

  it('gives the same life of the same database again', async () => {
    const world = await StoreWorld.open();
    const { epoch } = world.store;
    const [first, second, third] = [newRequest(), newRequest(), newRequest()];
    for (const request of [first, second, third]) await submit(world.store, request);
    await world.store.change({ id: second.id }, () => put(denied(second), 'request.denied'));
    await world.reopen();
    expect(world.store.epoch).toBe(epoch);
    expect(world.store.seq).toBe(5);
    expect(world.store.live()).toEqual([first, third]);
  });

  it('needs only live rows, by an index of them', async () => {
    const world = await StoreWorld.open();
    const plan = world
      .outside()
      .prepare(
        `EXPLAIN QUERY PLAN SELECT id FROM requests INDEXED BY requests_live
         WHERE state IN ('pending', 'approved', 'active') ORDER BY id`,
      )
      .all() as { detail: string }[];
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('USING INDEX requests_live')]);
  });

  it('refuses a directory that is open to others, and changes nothing in it', async () => {
    const directory = join(temporaryDirectory(), 'open');
    mkdirSync(directory);
    chmodSync(directory, 0o750);
    await expect(open(directory)).rejects.toMatchObject({ code: 'usage', hint: `chmod 700 '${directory}'` });
    expect(mode(directory)).toBe(0o750);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('closes a database file to others that was left open to them', async () => {
    const world = await StoreWorld.open();
    await world.store.close();
    chmodSync(world.file, 0o644);
    await world.reopen();
    expect(mode(world.file)).toBe(0o600);
  });
});

describe('the lock', () => {
  it('lets one store at a time have the directory, in one process too, and a failed try does not loosen it', async () => {
    const world = await StoreWorld.open();
    for (const _ of [1, 2, 3]) {
      await expect(open(world.directory)).rejects.toMatchObject({ code: 'broker-locked' });
    }
    await submit(world.store, newRequest());
    await world.store.close();
    await (await open(world.directory)).close();
  });

  it('is seen by other processes, and falls with a process that is killed', async () => {
    const directory = temporaryDirectory();
    const holder = spawn(process.execPath, ['-e', HOLDER, join(directory, 'broker.lock')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    });
    await once(holder.stdout, 'data');
    await expect(open(directory)).rejects.toMatchObject({ code: 'broker-locked' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await open(directory)).close();
  });

  it('is released when opening fails', async () => {
    const directory = temporaryDirectory();
    writeFileSync(
      join(directory, 'broker.db'),
      'not a database, but longer than its header would be '.repeat(99),
    );
    for (const _ of [1, 2]) await expect(open(directory)).rejects.toMatchObject({ code: 'storage-failed' });
  });
});

const HOLDER = `
  const database = new (require('better-sqlite3'))(process.argv[1]);
  database.exec('BEGIN EXCLUSIVE');
  console.log('held');
  setInterval(() => {}, 1000);
`;

describe('a file of somebody else', () => {
  it('is refused untouched when it is of a newer version', async () => {
    const world = await StoreWorld.open();
    await world.store.close();
    world.outside().pragma('user_version = 99');
    const before = readFileSync(world.file);
    await expect(open(world.directory)).rejects.toMatchObject({
      code: 'newer-store',
      message: expect.stringContaining('99'),
    });
    expect(readFileSync(world.file).equals(before)).toBe(true);
  });

  it('is refused untouched when it is another program’s database', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'broker.db');
    const database = new SqliteDatabase(file);
    database.exec('CREATE TABLE bookmarks (url TEXT); PRAGMA user_version = 1');
    database.close();
    const before = readFileSync(file);
    await expect(open(directory)).rejects.toMatchObject({ code: 'storage-failed' });
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('rows that were damaged or edited', () => {
  const EDITS: Record<string, string> = {
    'a document that is no JSON': "canonical = '{'",
    'a document that is not canonical': "canonical = canonical || ' '",
    'another document': "canonical = replace(canonical, 'INC-4312', 'INC-4313')",
    'another digest': 'digest = zeroblob(32)',
    'another scope': 'scope = zeroblob(32)',
    'a submitter that is no name': "submitter = 'A b'",
    'a life that is no JSON': "life = '{'",
    'a life with a field too many': "life = json_set(life, '$.x', 1)",
    'a life with a field of another type': "life = json_set(life, '$.answerBy', 'soon')",
  };

  it.for(Object.entries(EDITS))('are refused at start when live: %s (A51)', async ([, edit]) => {
    const world = await StoreWorld.open();
    await submit(world.store, newRequest());
    await world.store.close();
    world.outside().exec(`UPDATE requests SET ${edit}`);
    await expect(open(world.directory)).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('is damaged'),
    });
  });

  it('are refused alone when they are history (A51)', async () => {
    const world = await StoreWorld.open();
    const [bad, good] = [denied(newRequest()), denied(newRequest())];
    await submit(world.store, bad);
    await submit(world.store, good);
    await world.store.close();
    world.outside().prepare("UPDATE requests SET life = '{}' WHERE id = ?").run(bad.id);
    await world.reopen();
    await expect(world.store.find({ id: bad.id })).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(world.store.change({ id: bad.id }, () => put(bad))).rejects.toMatchObject({
      code: 'storage-failed',
    });
    expect(await world.store.find({ id: good.id })).toEqual(good);
  });
});

describe('migrations', () => {
  it('leave the same schema step by step as all at once, at each version', () => {
    const database = new SqliteDatabase(join(temporaryDirectory(), 'broker.db'));
    for (const { version } of MIGRATIONS) {
      migrate(database, MIGRATIONS.slice(0, version));
      expect(() => checkNothingElse(database)).not.toThrow();
    }
    database.close();
  });

  const NEXT = [
    ...MIGRATIONS,
    { version: MIGRATIONS.length + 1, sql: 'CREATE TABLE one (a TEXT) STRICT' },
    { version: MIGRATIONS.length + 2, sql: 'CREATE TABLE two (a TEXT) STRICT' },
  ];
  const first = MIGRATIONS.length + 1;

  it('are numbered without a gap', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  it('copy the file before they change it, and leave the copy as a store that opens', async () => {
    const world = await StoreWorld.open();
    const request = newRequest();
    await submit(world.store, request);
    const { epoch } = world.store;
    await world.store.close();
    const database = world.outside();
    migrate(database, NEXT);
    expect(database.pragma('user_version', { simple: true })).toBe(first + 1);
    expect(() => checkSchema(database)).toThrow('knows');
    checkSchema(database, NEXT);
    expect(database.prepare('SELECT id FROM requests').pluck().all()).toEqual([request.id]);

    const copy = `${world.file}.before-${first}`;
    expect(mode(copy)).toBe(0o600);
    const restored = temporaryDirectory();
    writeFileSync(join(restored, 'broker.db'), readFileSync(copy));
    const store = await open(restored);
    expect(store.live()).toEqual([request]);
    expect(store.epoch).toBe(epoch);
    await store.close();
  });

  it('change nothing when one of them fails, and replace the copy at the next try', async () => {
    const world = await StoreWorld.open();
    await submit(world.store, newRequest());
    await world.store.close();
    const database = world.outside();
    const broken = [...NEXT.slice(0, -1), { version: first + 1, sql: 'CREATE TABLE one (a TEXT) STRICT' }];
    expect(() => migrate(database, broken)).toThrow('already exists');
    expect(database.pragma('user_version', { simple: true })).toBe(first - 1);
    expect(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'one'").get()).toBeUndefined();
    const copy = `${world.file}.before-${first}`;
    writeFileSync(copy, 'old');
    writeFileSync(`${copy}.unfinished`, 'cut off');
    migrate(database, NEXT);
    expect(readFileSync(copy).subarray(0, 15).toString()).toBe('SQLite format 3');
    expect(existsSync(`${copy}.unfinished`)).toBe(false);
  });

  it('copy nothing for a new file or an up-to-date one', async () => {
    const world = await StoreWorld.open();
    await world.reopen();
    expect(readdirSync(world.directory).filter((name) => name.includes('before'))).toEqual([]);
  });
});
